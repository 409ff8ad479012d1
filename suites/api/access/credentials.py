"""Every form of a credential that products know: none of them is believed unchecked."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from suites.api.access.way import WayIn
from suites.api.auth.rules import made_up
from suites.api.auth.tried import LIST

LONG, BEYOND = 6000, 20_000
"""Characters of a long key: below the 8 KiB that servers allow for a header, and beyond it."""

KEY_HEADERS = (
    "x-api-key", "api-key", "x-litellm-api-key", "x-goog-api-key", "x-auth-token", "x-access-token",
    "ocp-apim-subscription-key", "x-litellm-key", "proxy-authorization",
)  # fmt: skip
"""Where products take a key: Anthropic, Azure, LiteLLM, Google, OpenStack and others."""

RARER_HEADERS = (
    "apikey", "api_key", "x-apikey", "x-key", "key", "token", "x-token", "auth", "x-authorization",
    "x-auth-key",
    "x-auth", "x-auth-apikey", "x-api-token", "x-jwt", "x-jwt-assertion", "x-id-token", "x-session-token",
    "x-csrf-token",
    "x-amz-security-token", "x-functions-key", "x-openai-api-key", "openai-api-key", "x-portkey-api-key",
    "helicone-auth", "x-master-key", "x-proxy-key", "x-virtual-key", "x-bf-vk", "x-gitlab-token",
    "private-token",
    "x-forwarded-authorization", "x-original-authorization", "x-forwarded-access-token",
    "x-serverless-authorization",
    "x-hub-signature", "x-secret", "x-password", "x-username", "x-anthropic-api-key", "x-mcp-auth",
    "x-llm-api-key",
)  # fmt: skip
"""Where one gateway or another takes one; in one request."""

COOKIES = (
    "token", "api_key", "key", "access_token", "id_token", "jwt", "auth", "authorization", "Authorization",
    "session",
    "sessionid", "session_id", "sid", "connect.sid", "JSESSIONID", "user", "username", "role", "admin",
    "logged_in",
    "_oauth2_proxy", "CF_Authorization", "AWSELBAuthSessionCookie-0", "litellm_token",
    "next-auth.session-token",
)  # fmt: skip

QUERIES = ("key", "api_key", "access_token", "token")
RARER_QUERIES = (
    "apikey", "api-key", "apiKey", "x-api-key", "auth", "auth_token", "authorization", "Authorization",
    "bearer", "jwt",
    "code", "sig", "signature", "sig_token", "subscription-key", "master_key", "password", "secret",
    "session", "user",
    "username", "admin", "role", "debug", "test", "internal", "bypass", "no_auth", "noauth", "skip_auth",
    "public",
    "health", "ping", "preview", "callback", "api-version",
)  # fmt: skip

RARER_SCHEMES = (
    "JWT", "OAuth", "Bot", "SSWS", "Hawk", "Signature", "PAT", "GenieKey", "X-API-Key", "Session", "NTLM",
    "Api-Token", "Service", "Internal", "GNAP", "DPoP",
)  # fmt: skip

SWITCHES = (
    "alt", "format", "beta", "stream", "trace", "trust", "impersonate", "as", "sudo", "tenant", "sso",
    "ticket", "state", "redirect", "next", "jsonp", "_method", "X-Amz-Signature", "X-Goog-Signature", "se",
    "sp", "sv",
)  # fmt: skip
"""What a URL may carry for other purposes."""

WRONG = (
    "undefined", "none", "None", "nil", "false", "true", "0", "1", "*", "x", "admin", "root", "test",
    "guest", "default",
    "anonymous", "public", "password", "dummy", "EMPTY", "empty", "changeme", "not-needed", "no-key",
    "sk-no-key-required",
    "ollama", "lm-studio", "litellm", "vllm", "openai", "sk-", "sk-test", "sk-1234", "sk-xxxx",
    "sk-proj-test", "your-api-key",
    "YOUR_API_KEY", "$OPENAI_API_KEY", "${OPENAI_API_KEY}", "Bearer", "[object Object]", "{}", "[]", '""',
    "''", "%00", "%20", "..", "%", "sk-%", "sk-*", ".*", "^sk-", '{"$ne":null}', "*)(uid=*", "0e215962017",
    "__proto__",
)  # fmt: skip
"""What broken clients send, and what people write where no key is needed."""


def of_credentials() -> Iterator[WayIn]:
    """Every form: with nothing in it, with a wrong value (a word that broken clients send), and with a
    made-up key; then the values and shapes of a bearer token itself."""
    values: Mapping[str, str] = {"nothing": "", "a wrong value": "null", "a made-up key": made_up()}
    for what, value in values.items():
        for name in KEY_HEADERS:
            yield WayIn(f"{name} with {what}", headers=[(name, value)])
        yield WayIn(f"rarer key headers with {what}", headers=[(name, value) for name in RARER_HEADERS])
        yield WayIn(
            f"key headers, as bearer, with {what}",
            headers=[(name, f"Bearer {value}") for name in (*KEY_HEADERS, *RARER_HEADERS)],
        )
        for scheme in (
            "Bearer",
            "bearer",
            "BEARER",
            "Token",
            "ApiKey",
            "Digest",
            "Negotiate",
            "Key",
            "AWS4-HMAC-SHA256",
        ):
            yield WayIn(f"{scheme} with {what}", headers=[("authorization", f"{scheme} {value}")])
        yield WayIn(f"no scheme and {what}", headers=[("authorization", value)])
        for user in ("hx", "admin", ""):
            pair = base64.b64encode(f"{user}:{value}".encode()).decode()
            yield WayIn(
                f"Basic of {user or 'nobody'} with {what}", headers=[("authorization", f"Basic {pair}")]
            )
        yield WayIn(f"a cookie with {what}", headers=[("cookie", f"token={value}; api_key={value}")])
        yield WayIn(
            f"many cookies with {what}",
            headers=[("cookie", "; ".join(f"{name}={value}" for name in COOKIES))],
        )
        for name in QUERIES:
            yield WayIn(f"?{name}= with {what}", target=f"{LIST}?{name}={value}")
        query = "&".join(f"{name}={value or 'true'}" for name in (*RARER_QUERIES, *SWITCHES))
        yield WayIn(f"a query of rarer names with {what}", target=f"{LIST}?{query}")
        twice = [("authorization", f"Bearer {value}"), ("authorization", f"Bearer {made_up()}")]
        yield WayIn(f"two Authorization headers, the first with {what}", headers=twice)
        joined = f"Bearer {value}, Bearer {made_up()}"
        yield WayIn(f"joined by a comma, the first with {what}", headers=[("authorization", joined)])
    for scheme in RARER_SCHEMES:
        yield WayIn(f"{scheme} with a made-up key", headers=[("authorization", f"{scheme} {made_up()}")])
    for form in ("Bearer:{}", "Bearer={}", "Bearer Bearer {}", "Bearer {} x", "Bearer,{}", "Bearer {};admin"):
        yield WayIn(form.format("…"), headers=[("authorization", form.format(made_up()))])
    for what, value in _bearers().items():
        yield WayIn(what, headers=[("authorization", f"Bearer {value}")])
    yield WayIn("Bearer and two spaces", headers=[("authorization", f"Bearer  {made_up()}")])
    yield WayIn("Bearer and a tab", headers=[("authorization", f"Bearer\t{made_up()}")])
    yield WayIn("a user in the target", target=f"http://admin:{made_up()}@localhost{LIST}")
    yield WayIn("a very long query", target=f"{LIST}?x={'a' * LONG}")
    yield WayIn("a hundred and fifty headers", headers=[(f"x-hx-{n}", "1") for n in range(150)])


def _bearers() -> dict[str, str]:
    """Values of a bearer token: words, shapes of other products' keys, tokens that nobody has signed."""
    found = {f"Bearer {value}": value for value in WRONG}
    claims = {"sub": "admin", "role": "proxy_admin", "iat": 1700000000, "exp": 4102444800, "aud": "litellm"}
    body = _base64url(json.dumps(claims))
    none = _base64url(json.dumps({"alg": "none", "typ": "JWT"}))
    signed = _base64url(json.dumps({"alg": "HS256", "typ": "JWT"}))
    return found | {
        "a very long key": "sk-" + "a" * LONG,
        "a key beyond what a header holds": "sk-" + "a" * BEYOND,
        "a key that is not ASCII": "sk-ключ",
        "a key with SQL": "sk-' OR '1'='1",
        "a JWT without a signature": f"{none}.{body}.",
        "a JWT with a made-up signature": f"{signed}.{body}.{_base64url(secrets.token_hex(16))}",
        **{
            f"a JWT signed by {what}": token(claims, secret)
            for what, secret in {"nothing": "", "secret": "secret", "changeme": "changeme"}.items()
        },
        "a JWT signed by an empty file": token(claims, "", kid="../../../../dev/null"),
        "a JWT whose algorithm is nOnE": f"{_base64url(json.dumps({'alg': 'nOnE', 'typ': 'JWT'}))}.{body}.",
        "a made-up key of Anthropic's form": f"sk-ant-api03-{secrets.token_hex(24)}",
        "a made-up key of OpenAI's form": f"sk-proj-{secrets.token_urlsafe(32)}",
        "a made-up key of Google's form": f"AIza{secrets.token_hex(17)}x",
        "a made-up key of Hugging Face's form": f"hf_{secrets.token_hex(17)}",
        "a made-up UUID": "-".join(secrets.token_hex(n) for n in (4, 2, 2, 2, 6)),
        "a made-up word": secrets.token_hex(4),
        "a made-up hash": secrets.token_hex(32),
        "a made-up number": str(secrets.randbelow(10**12)),
        "a made-up key in quotes": f'"{made_up()}"',
        "a list of made-up keys": f"{made_up()},{made_up()}",
    }


def token(
    claims: Mapping[str, object],
    secret: str,
    kid: str = "",
    more: Mapping[str, object] = MappingProxyType({}),
) -> str:
    """A JWT with a right signature (HS256, RFC 7515) by a secret that the world knows. kid: the key's id;
    more: of its head."""
    header = {"alg": "HS256", "typ": "JWT"} | ({"kid": kid} if kid else {}) | dict(more)
    signed = f"{_base64url(json.dumps(header))}.{_base64url(json.dumps(claims))}"
    digest = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _base64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
