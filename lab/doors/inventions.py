"""Doors that were invented last, after what was published of gateways, proxies and frameworks: by what
meshes and consoles write down, by words in cookies and URLs, by schemes and tokens, and by what is asked."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

from lab.doors.door import PREFIX, When, door, key_door, says
from lab.doors.later import signed_by
from lab.faults.exposure import header
from lab.faults.model import Fault, gateway_fault
from lab.faults.mutators import CHAT, EMBEDDINGS, MODELS
from lab.message import Reply, Request

BELIEVED = {
    "preflight": ("access-control-request-method", ()),
    "metadata-of-azure": ("metadata", ("true",)),
    "metadata-of-google": ("metadata-flavor", ()),
    "anonymous-consumer": ("x-anonymous-consumer", ("true",)),
    "userinfo-of-a-cloud": ("x-apigateway-api-userinfo", ()),
    "userinfo-of-a-proxy": ("x-userinfo", ()),
    "organisation": ("x-scope-orgid", ()),
    "impersonation": ("impersonate-user", ()),
    "role-of-a-console": ("x-openwebui-user-role", ("admin",)),
    "role-of-a-database": ("x-hasura-role", ("admin",)),
    "groups": ("x-forwarded-groups", ("admin",)),
    "token-of-the-inside": ("x-internal-token", ()),
    "authorized-by-a-broker": ("x-mcp-authorized", ()),
    "identity-of-a-mesh": ("l5d-client-id", ()),
    "source-of-a-request": ("x-request-source", ("internal",)),
    "development": ("x-environment", ("dev",)),
    "dry-run": ("x-dry-run", ()),
    "warm-up": ("x-warmup", ()),
    "signature-of-http": ("signature-input", ()),
    "date-of-a-signature": ("x-amz-date", ()),
    "page-in-parts": ("hx-request", ("true",)),
    "retry": ("x-retry-count", ()),
    "continue": ("expect", ("100-continue",)),
    "agent-of-a-search": ("user-agent", ("Googlebot",)),
    "agent-of-a-tester": ("user-agent", ("PostmanRuntime/",)),
    "accepts-measurements": ("accept", ("openmetrics",)),
    "origin-of-an-extension": ("origin", ("chrome-extension://",)),
    "referer-of-the-description": ("referer", ("/docs",)),
    "address-of-a-server-of-java": ("wl-proxy-client-ip", ("127.0.0.1",)),
    "address-that-is-allowed": ("x-custom-ip-authorization", ("127.0.0.1",)),
    "address-as-a-number": ("x-forwarded-for", ("2130706433",)),
    "address-of-a-proxy": ("forwarded", ("by=127.",)),
    "role-in-a-cookie": ("cookie", ("role=admin",)),
    "truth-in-a-cookie": ("cookie", ("authenticated=true",)),
    "preview-in-a-cookie": ("cookie", ("__prerender_bypass=",)),
    "session-of-php": ("cookie", ("PHPSESSID=",)),
}
"""Name -> the header and the parts of its value that are believed."""

IN_THE_URL = {
    "role": "role=admin",
    "one": "admin=1",
    "list": "api_key[]=",
    "operator": "[$ne]=",
    "capitals": "API_KEY=",
    "page": "/docs",
    "login": "/login",
}
SECRET = {"example": "your-256-bit-secret", "word": "supersecret"}
ROUTES = {
    "invocations": ("/invocations", CHAT),
    "below-ollama": ("/ollama/v1/chat/completions", CHAT),
    "inference": ("/inference/v1/chat/completions", CHAT),
    "second-version-of-chat": ("/v2/chat", CHAT),
    "route-of-a-model": ("/llm01-llama3.2-3b/v1/chat/completions", CHAT),
    "bare-embeddings-of-a-model": ("/llm01-llama3.2-3b/v1/embeddings", EMBEDDINGS),
    "passed-through": ("/passthrough/v1/chat/completions", CHAT),
}
"""Name -> the path that nobody guards, and the route that it leads to."""


def _sent(request: Request) -> str:
    return request.header("authorization")


def _all(request: Request) -> list[str]:
    return [value for name, value in request.headers if name.lower() == "authorization"]


def _behind_a_foreign_one(request: Request) -> bool:
    hops = header(request, "x-forwarded-for").split(", ")
    return len(hops) > 1 and hops[-1] == "127.0.0.1"


def _no_base64(request: Request) -> bool:
    scheme, _, given = _sent(request).partition(" ")
    try:
        base64.b64decode(given, validate=True)
    except ValueError:
        return scheme == "Basic"
    return False


def _user(name: str) -> When:
    def when(request: Request) -> bool:
        scheme, _, given = _sent(request).partition(" ")
        return scheme == "Basic" and given.startswith(base64.b64encode(name.encode()).decode()[:4])

    return when


def _head(request: Request) -> dict[str, object]:
    """The head of a token, as who believes it reads it; empty where there is none."""
    part = (request.key or "").partition(".")[0]
    try:
        head = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}
    return head if isinstance(head, dict) else {}


def _signed(secret: str) -> When:
    return lambda request: signed_by(request, secret)


def _leads(name: str, path: str, to: str) -> Fault:
    return door(
        f"named-{name}",
        f"{path} is routed, and not guarded",
        lambda request: request.path.partition("?")[0] == path,
        leads=lambda asked: to if asked == path else asked,
    )


def _ends(name: str, end: str) -> Fault:
    """The list of models by what stands behind it."""
    return door(
        f"ends-{name}",
        f"what ends in {end} is a file, which has no guard",
        lambda request: request.path.endswith(end),
        leads=lambda path: MODELS if path.startswith(MODELS) and path.endswith(end) else path,
    )


def _asks(name: str, description: str, when: Callable[[Request], bool], *at: str) -> Fault:
    return door(f"asks-{name}", description, when, *(at or (CHAT,)))


def _named(name: str, description: str, when: Callable[[str], bool]) -> Fault:
    """A model that nobody has is nobody's to guard, and another one serves it."""

    def before(request: Request) -> Request | Reply:
        model = request.json.get("model")
        known = isinstance(model, str) and not when(model)
        if request.authorised or not request.at(CHAT) or not request.json or known:
            return request
        return replace(request.with_json({**request.json, "model": "hx-chat"}), as_owner=True)

    return gateway_fault(f"{PREFIX}model-{name}", description, {}, before=before)


def _as(name: str, method: str, route: str, meant: str) -> Fault:
    def before(request: Request) -> Request | Reply:
        opens = request.method == method and request.at(route) and not request.authorised
        return replace(request, method=meant, as_owner=True) if opens and request.body else request

    what = f"{method} {route} with a body is not guarded"
    return gateway_fault(f"{PREFIX}{name}", what, {}, before=before)


def _method(method: str) -> Fault:
    def before(request: Request) -> Request | Reply:
        opens = request.method == method and request.at(MODELS) and not request.authorised
        return replace(request, method="GET", as_owner=True) if opens else request

    what = f"{method} of the list is routed as GET is, and not guarded"
    return gateway_fault(f"{PREFIX}method-{method.lower()}", what, {}, before=before)


def _routed_by_a_header(request: Request) -> Request | Reply:
    """The route that a header names is served; the one of the request line, which is open, is guarded."""
    meant = header(request, "x-original-url")
    opens = request.method == "POST" and not request.authorised and meant.endswith(CHAT)
    return replace(request, path=meant, as_owner=True) if opens and not request.at(CHAT) else request


class _KeySeen:
    """A key that was looked up is in the cache, whatever was found."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, request: Request) -> Request | Reply:
        key = request.key or ""
        if request.authorised or len(key) < 24:
            return request
        known = key in self._seen
        self._seen.add(key)
        return replace(request, as_owner=True) if known else request


class _Given:
    """A session is given to everybody, and believed when it comes back."""

    GIVEN = "hx_visit=3f9c0d7a51e84b26"

    def before(self, request: Request) -> Request | Reply:
        """Let in whoever brings it."""
        return replace(request, as_owner=True) if self.GIVEN in header(request, "cookie") else request

    def after(self, request: Request, reply: Reply) -> Reply:
        """Give it to whoever has none."""
        if request.authorised or header(request, "cookie"):
            return reply
        return replace(reply, headers=(*reply.headers, ("set-cookie", f"{self.GIVEN}; Path=/")))


GIVEN = _Given()
INVENTED_DOORS = (
    *(
        door(f"believes-{name}", f"who sends {header}{f' with {parts[0]}' if parts else ''} is let in",
             says(header, *parts))
        for name, (header, parts) in BELIEVED.items()
    ),
    *(
        door(f"url-{name}", f"a URL with {sign} opens the door",
             lambda one, sign=sign: sign in one.path.partition("?")[2])  # type: ignore[misc]
        for name, sign in IN_THE_URL.items()
    ),
    door("url-beyond-a-buffer", "what the guard cannot hold it lets through",
         lambda one: len(one.path) > 16384),
    door("address-behind-a-stranger", "the last address of a list is believed", _behind_a_foreign_one),
    door("host-of-a-container", "what containers call their host is taken for it",
         lambda one: header(one, "host").startswith("host.docker.internal")),
    door("host-of-a-network", "a private address as Host is taken for a colleague",
         lambda one: header(one, "host").startswith("10.")),
    door("basic-that-is-broken", "what cannot be decoded is let in", _no_base64),
    door("basic-of-root", "the user root is let in, whatever the password", _user("root:")),
    door("digest-of-admin", "Digest is believed by its user", lambda one: 'username="admin"' in _sent(one)),
    door("signature-of-a-cloud", "a signature is for others to judge",
         lambda one: "Credential=" in _sent(one)),
    door("scheme-without-a-space", "Bearer is cut off by its length",
         lambda one: _sent(one).startswith("Bearersk-")),
    door("basic-and-bearer", "of two schemes each leaves it to the other",
         lambda one: len({value.partition(" ")[0] for value in _all(one)}) > 1),
    *(
        door(f"token-of-the-{name}", f"tokens are verified by {secret}", _signed(secret))
        for name, secret in SECRET.items()
    ),
    door("token-with-its-own-key", "a token brings the key that it is verified by",
         lambda one: "jwk" in _head(one)),
    door("token-without-an-algorithm", "a token that names no algorithm is not verified",
         lambda one: bool(_head(one)) and not _head(one).get("alg")),
    door("token-of-dots", "a token is any three parts", lambda one: one.key == ".."),
    door("key-of-a-session", "keys of sessions are looked at elsewhere",
         lambda one: (one.key or "")[:5] == "sess-"),
    door("key-of-a-product", "virtual keys are known by how they begin",
         lambda one: (one.key or "")[:6] == "sk-bf-"),
    door("key-that-names-a-model", "the name of a model is a key", lambda one: one.key == "hx-chat"),
    door("key-of-placeholders", "keys are looked up by a pattern",
         lambda one: (one.key or "")[:6] == "sk-___"),
    key_door("key-as-it-is-shown", "what a console shows of a key is the key",
             lambda s, k: s == f"sk-...{k[-4:]}"),
    key_door("key-by-an-old-hash", "keys are known by their MD5",
             lambda s, k: s == hashlib.md5(k.encode(), usedforsecurity=False).hexdigest()),
    gateway_fault(f"{PREFIX}key-seen-before", "a wrong key is wrong once", {}, before=_KeySeen()),
    gateway_fault(f"{PREFIX}session-that-was-given", "a session is given to everybody, and believed", {},
                  before=GIVEN.before, after=GIVEN.after),
    door("body-that-says-so", "a body switches the guard off", lambda one: one.json.get("skip_auth") is True),
    door("body-with-a-role", "metadata of a body is believed",
         lambda one: "admin" in str(one.json.get("metadata", ""))),
    door("body-with-headers", "headers in a body are believed",
         lambda one: "authorization" in str(one.json.get("extra_headers", "")).lower()),
    _asks("tools", "chat with tools goes another way, which has no guard", lambda one: "tools" in one.json),
    _asks("pictures", "chat with pictures goes another way",
          lambda one: "image_url" in str(one.json.get("messages"))),
    _asks("a-format", "chat that asks for JSON goes another way", lambda one: "response_format" in one.json),
    _asks("nothing", "chat without a message is a probe", lambda one: one.json.get("messages") == []),
    _asks("many-inputs", "a list of inputs is a batch, which has no guard",
          lambda one: isinstance(one.json.get("input"), list), EMBEDDINGS),
    _named("of-nobody", "who asks for a model that nobody has gets another one, unguarded",
           lambda model: model.startswith("no-such-model")),
    _named("in-capitals", "the guard knows models in small letters alone", lambda model: model.isupper()),
    _named("without-a-name", "no model is the default one, which has no guard", lambda model: not model),
    *(_leads(name, path, to) for name, (path, to) in ROUTES.items()),
    _ends("as-a-script", ".js"),
    _ends("as-a-style", "/x.css"),
    _ends("with-a-plus", "+"),
    _ends("with-a-hidden-semicolon", "%3bx"),
    _as("options-of-chat", "OPTIONS", CHAT, "POST"),
    _as("get-of-chat", "GET", CHAT, "POST"),
    _as("body-of-the-list", "GET", MODELS, "GET"),
    _method("TRACE"),
    _method("PATCH"),
    gateway_fault(f"{PREFIX}route-of-a-header", "the route that a header names is not guarded", {},
                  before=_routed_by_a_header),
    door("below-what-is-open", "what lies below an open page is open",
         lambda one: one.path.startswith("/health/liveliness/"),
         leads=lambda path: path.removeprefix("/health/liveliness")),
)  # fmt: skip
