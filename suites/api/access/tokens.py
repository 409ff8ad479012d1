"""Further shapes of what stands in Authorization: schemes as they are really written, tokens that carry
their own key, keys of other products' forms, and the words that a deployment is known by."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator

from gateway_acceptance.environment import Environment
from suites.api.access.credentials import token
from suites.api.access.way import WayIn
from suites.api.auth.rules import made_up

ADMIN = {"sub": "admin", "role": "proxy_admin", "exp": 4102444800}
KNOWN_SECRETS = (
    "your-256-bit-secret", "your_jwt_secret", "supersecret", "password", "jwt-secret", "key", "sk-1234",
    "a-string-secret-at-least-256-bits-long",
)  # fmt: skip
"""Of tutorials, of jwt.io's examples, of templates of .env."""
USERS_OF_BASIC = ("root", "api", "apikey", "token", "user", "default", "litellm", "x-api-key")
FORMS = (
    "sess-{}", "sk-svcacct-{}", "sk-admin-{}", "sk-or-v1-{}", "sk-bf-{}", "sk-lf-{}", "sk-litellm-{}",
    "vk-{}", "pk-{}", "gsk_{}", "xai-{}", "nvapi-{}", "r8_{}", "dapi{}", "ghp_{}", "glpat-{}", "Bearer-{}",
    "mk_{}", "tok_{}", "eyJ{}",
)  # fmt: skip
"""How keys of other products, sessions and virtual keys begin."""
WRITTEN = {
    "Digest of admin": 'Digest username="admin", realm="x", nonce="1", uri="/", response="{}"',
    "a signature of AWS": "AWS4-HMAC-SHA256 Credential=AKIA{}/20260101/x/execute-api/aws4_request, "
    "SignedHeaders=host, Signature=0",
    "a signature of HTTP": 'Signature keyId="admin",algorithm="hs2019",signature="{}"',
    "NTLM that begins": "NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==",
    "OAuth 1": 'OAuth oauth_consumer_key="admin", oauth_token="{}", oauth_signature_method="PLAINTEXT"',
    "a shared access signature": "SharedAccessSignature sr=x&sig={}&se=4102444800&skn=admin",
    "a shared key": "SharedKey admin:{}",
    "SCRAM": "SCRAM-SHA-256 data=biwsbj1hZG1pbixyPXg=",
    "Bearer without a space": "Bearer{}",
    "Bearer and an encoded space": "Bearer%20{}",
    "the header's name before it": "Authorization: Bearer {}",
    "the whole in quotes": '"Bearer {}"',
    "the scheme after it": "{} Bearer",
    "a made-up key and a second word of the scheme": "Token token={}",
    "Basic that is no base64": "Basic !{}",
    "Basic without a colon": "Basic YWRtaW4=",
}
"""What it is -> the value; braces stand for a made-up key."""


def of_tokens(environment: Environment) -> Iterator[WayIn]:
    """All of these, to the list of models."""
    for what, form in WRITTEN.items():
        yield _with(what, form.replace("{}", made_up()))
    for user in USERS_OF_BASIC:
        pair = base64.b64encode(f"{user}:{made_up()}".encode()).decode()
        yield _with(f"Basic of {user} with a made-up key", f"Basic {pair}")
    for form in FORMS:
        yield _with(f"Bearer {form.format('…')}", f"Bearer {form.format(secrets.token_hex(20))}")
    for what, value in tokens().items():
        yield _with(what, f"Bearer {value}")
    for value in words(environment):
        yield _with(f"Bearer {value}", f"Bearer {value}")
    basic = ("authorization", f"Basic {base64.b64encode(b'admin:').decode()}")
    bearer = ("authorization", f"Bearer {made_up()}")
    yield WayIn("Basic, and Bearer in a second header", headers=[basic, bearer])
    yield WayIn("Bearer, and Basic in a second header", headers=[bearer, basic])


def tokens() -> dict[str, str]:
    """Tokens (RFC 7519) that anybody can make: by known secrets, with a key of their own, with odd heads."""
    found = {f"a JWT signed by {secret!r}": token(ADMIN, secret) for secret in KNOWN_SECRETS}
    own = {"kty": "oct", "k": _encoded(b"hx"), "alg": "HS256"}
    heads: dict[str, dict[str, object]] = {
        "a JWT with its own key": {"alg": "HS256", "jwk": own},
        "a JWT whose key's id is SQL": {"alg": "HS256", "kid": "x' UNION SELECT 'hx' -- "},
        "a JWT whose key's id is the root": {"alg": "HS256", "kid": "/proc/sys/kernel/randomize_va_space"},
        "a JWT without an algorithm": {"typ": "JWT"},
        "a JWT whose algorithm is null": {"alg": None},
        "a JWT of RS256 with nothing signed": {"alg": "RS256"},
        "a JWT of ES256 with a signature of zeros": {"alg": "ES256"},
    }
    body = _encoded(json.dumps(ADMIN).encode())
    for what, head in heads.items():
        signature = _encoded(bytes(64)) if "zeros" in what else ""
        found[what] = f"{_encoded(json.dumps(head).encode())}.{body}.{signature}"
    found["a JWT with its own key"] = token(ADMIN, "hx", more={"jwk": own})
    return found | {"two dots": "..", "an empty JWT": "e30.e30.", "a JWE that nobody encrypted": "e30....e30"}


def words(environment: Environment) -> list[str]:
    """What everybody knows of a deployment: its models' and its product's names, alone and as a key."""
    known = [*environment.aliases, environment.gateway.product, environment.name]
    short = list(dict.fromkeys(known))[:12]
    return [*short, *(f"sk-{one}" for one in short[-2:]), "sk-" + "_" * 48, "sk-" + "0" * 48]


def _with(name: str, value: str) -> WayIn:
    return WayIn(name, headers=[("authorization", value)])


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
