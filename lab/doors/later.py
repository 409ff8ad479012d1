"""Doors that were invented after the others: by who is near, who is a machine, what is packed, what was
served before, and how a key is looked up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace

from lab.doors.door import PREFIX, door, key_door, resolved, says
from lab.faults.model import Fault, gateway_fault
from lab.faults.mutators import CHAT, EMBEDDINGS, MODELS
from lab.message import Reply, Request

LARGE = 1_000_000
BELIEVED = {
    "address-of-a-container": ("x-forwarded-for", ("172.17.",)),
    "address-of-a-network": ("x-real-ip", ("192.168.",)),
    "address-of-metadata": ("x-client-ip", ("169.254.",)),
    "address-in-two-families": ("x-forwarded-for", ("::ffff:127.",)),
    "address-unknown": ("x-forwarded-for", ("unknown",)),
    "agent-of-consul": ("user-agent", ("Consul",)),
    "agent-of-a-browser": ("user-agent", ("Mozilla/",)),
    "agent-of-curl": ("user-agent", ("curl/",)),
    "certificate-of-nginx": ("x-ssl-client-s-dn", ("CN=",)),
    "certificate-of-traefik": ("x-forwarded-tls-client-cert-info", ()),
    "client-of-anthropic": ("anthropic-version", ()),
    "client-of-openai": ("x-stainless-lang", ()),
    "assistants": ("openai-beta", ()),
    "session-of-mcp": ("mcp-session-id", ()),
    "events-that-go-on": ("last-event-id", ()),
    "asked-twice": ("idempotency-key", ()),
    "asynchronous": ("prefer", ("respond-async",)),
    "hook-of-github": ("x-github-event", ()),
    "hook-of-stripe": ("stripe-signature", ()),
    "schedule": ("x-appengine-cron", ("true",)),
    "early-data": ("early-data", ("1",)),
    "route-of-a-framework": ("x-matched-path", ()),
    "path-of-envoy": ("x-envoy-original-path", ("/health",)),
    "underscored-address": ("x_forwarded_for", ("127.0.0.1",)),
    "underscored-user": ("remote_user", ()),
    "called-grpc": ("content-type", ("grpc",)),
    "called-xml": ("content-type", ("xml",)),
}
"""Name -> the header and the parts of its value that are believed."""


def _agentless(request: Request) -> bool:
    return not request.header("user-agent")


def _packed(request: Request) -> Request | Reply:
    """A body that is packed is not read by the guard, and unpacked for the route."""
    opens = request.header("content-encoding") == "gzip" and not request.authorised and request.at(CHAT)
    if not opens:
        return request
    kept = tuple(pair for pair in request.headers if pair[0].lower() != "content-encoding")
    return replace(request, headers=kept, as_owner=True)


def _in_an_array(request: Request) -> Request | Reply:
    """A batch is guarded by nobody, and its first entry is served."""
    if request.authorised or not request.at(CHAT, EMBEDDINGS) or not request.body.lstrip().startswith(b"["):
        return request
    first = json.loads(request.body)[0]
    return replace(request, body=json.dumps(first).encode(), as_owner=True)


class _Cache:
    """What the owner asked is served to whoever asks the same, whatever their key."""

    def __init__(self) -> None:
        self._asked: set[tuple[str, str, bytes]] = set()

    def __call__(self, request: Request) -> Request | Reply:
        what = (request.method, request.path, request.body)
        if request.authorised:
            self._asked.add(what)
            return request
        return replace(request, as_owner=True) if what in self._asked else request


class _Connection:
    """Whose first request on a connection had the key is believed until it is closed."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def __call__(self, request: Request) -> Request | Reply:
        if request.authorised:
            self._known.add(request.peer)
            return request
        return replace(request, as_owner=True) if request.peer in self._known else request


def _hashed(sent: str, key: str) -> bool:
    return sent == hashlib.sha256(key.encode()).hexdigest()


def _of_a_scheme(request: Request) -> str:
    return request.header("authorization").partition(" ")[0]


def _with(sign: str, leads: str = "") -> Fault:
    """The list of models by a spelling."""
    return door(
        f"spelt-{leads}",
        f"a path with {sign!r} is routed, and not guarded",
        lambda request: sign in request.path.partition("?")[0],
        leads=lambda path: MODELS if sign in path and "models" in resolved(path) else path,
    )


def signed_by(request: Request, secret: str) -> bool:
    """Whether the key is a JWT with a right signature by this secret."""
    signed, _, signature = (request.key or "").rpartition(".")
    digest = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return signature == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _put(request: Request) -> Request | Reply:
    """Chat by PUT is routed as by POST, and not guarded."""
    opens = request.method == "PUT" and request.at(CHAT) and not request.authorised
    return replace(request, method="POST", as_owner=True) if opens else request


LATER_DOORS = (
    door("token-of-a-known-secret", "tokens are verified by the secret of a tutorial",
         lambda one: signed_by(one, "secret")),
    door("token-of-an-empty-secret", "the secret of tokens is not set", lambda one: signed_by(one, "")),
    door("token-of-any-algorithm", "a token says that it is not signed, in capitals",
         lambda one: (one.key or "").startswith("eyJhbGciOiAibk9uRSI")),
    door("key-of-a-pattern", "keys are looked up by a pattern", lambda one: (one.key or "") == "sk-%"),
    door("key-of-an-operator", "keys are looked up by what is sent", lambda one: "$ne" in (one.key or "")),
    door("key-that-is-a-number", "keys are compared as numbers", lambda one: (one.key or "")[:2] == "0e"),
    door("query-sudo", "who asks to be another is", lambda one: "sudo=true" in one.path),
    gateway_fault(f"{PREFIX}put-of-chat", "chat by PUT is not guarded", {}, before=_put),
    *(
        door(f"believes-{name}", f"who sends {header}{f' with {parts[0]}' if parts else ''} is let in",
             says(header, *parts))
        for name, (header, parts) in BELIEVED.items()
    ),
    door("no-agent", "who names no client is taken for a probe", _agentless),
    door("no-media-type", "a body without a media type is not looked at by the guard",
         lambda one: bool(one.body) and not one.header("content-type"), CHAT),
    door("large-body", "a body beyond a buffer is not looked at by the guard",
         lambda one: len(one.body) > LARGE, CHAT),
    door("chunked-body", "a body without a length is taken for none",
         lambda one: bool(one.header("transfer-encoding")), CHAT),
    door("marked-body", "a body that begins with a byte order mark cannot be read by the guard",
         lambda one: one.body.startswith(b"\xef\xbb\xbf"), CHAT),
    door("one-model-of-embeddings", "a model of embeddings is given to everybody",
         lambda one: one.json.get("model") == "emb-light", EMBEDDINGS),
    door("one-group", "a balanced group has no guard", lambda one: one.json.get("model") == "hx-chat", CHAT),
    door("scheme-dpop", "a scheme that is not known is let through", lambda one: _of_a_scheme(one) == "DPoP"),
    door("scheme-with-a-colon", "Bearer and a colon is not looked at",
         lambda one: one.header("authorization").startswith("Bearer:")),
    door("bearer-twice", "Bearer twice is an empty key",
         lambda one: one.header("authorization").startswith("Bearer Bearer ")),
    door("socket-from-this-machine", "pages of this machine may open anything",
         lambda one: "websocket" in one.header("upgrade") and "localhost" in one.header("origin")),
    key_door("key-by-its-hash", "the hash that the database holds is taken for the key", _hashed),
    _with(":list", "with-a-verb"),
    _with("@localhost", "with-a-user"),
    _with("%u002f", "with-unicode"),
    gateway_fault(f"{PREFIX}packed-body", "a packed body is not looked at by the guard", {}, before=_packed),
    gateway_fault(f"{PREFIX}batch", "a batch is not looked at by the guard", {}, before=_in_an_array),
    gateway_fault(f"{PREFIX}served-before", "a cache does not ask whose answer it has", {}, before=_Cache()),
    gateway_fault(f"{PREFIX}connection-known", "who had the key once on a connection is believed", {},
                  before=_Connection()),
)  # fmt: skip
