"""Defects of who gets in, and of what a gateway shows or lets be done to it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from lab.faults.model import Before, Fault, gateway_fault
from lab.faults.mutators import CHAT, EMBEDDINGS, EMPTY_LIST, MODELS, answers
from lab.message import Json, Reply, Request, envelope, json_reply

SERVED = "got 200: it was served"
PAGE = Reply(200, (("content-type", "text/plain"),), (b"process_cpu_seconds_total 1.0\n",))
PROVIDERS = json_reply(200, [{"name": "one", "apiKey": "sk-upstream-key", "models": ["llama3.2:3b"]}])
"""What Claude Code Router's server tells to anybody."""
FOREIGN_ORIGIN_ALLOWED = (
    ("access-control-allow-origin", "https://stranger.example"),
    ("access-control-allow-credentials", "true"),
)

DECLARES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "backend-reachable": {"backends": {"direct": False}},
    "cors-declared-origin-refused": {"gateway": {"cors_origins": ["https://chat.example"]}},
    "declared-header-missing": {"gateway": {"response_headers": {"x-content-type-options": "nosniff"}}},
}
"""What the environment of a fault declares otherwise than ``local`` does: fault -> table -> keys."""


def header(request: Request, name: str) -> str:
    """The first request header of that name; empty where there is none."""
    return next((value for key, value in request.headers if key.lower() == name), "")


def lets_in(when: Callable[[Request], bool]) -> Before:
    """A before-hook that serves the list of models to whom it should not."""
    return answers(EMPTY_LIST, MODELS, when=lambda request: not request.authorised and when(request))


def takes_for_the_owner(when: Callable[[Request], bool]) -> Before:
    """A before-hook that takes a credential for the owner's, at whatever route it is sent to."""

    def before(request: Request) -> Request | Reply:
        if request.authorised or not when(request):
            return request
        return EMPTY_LIST if request.at(MODELS) else replace(request, as_owner=True)

    return before


def unguarded(reply: Reply, *paths: str, when: Callable[[Request], bool] = lambda _: True) -> Before:
    """A before-hook of routes that nobody guards: who has no key, or a wrong one, is served."""
    return answers(reply, *paths, when=lambda request: not request.authorised and when(request))


class Learned:
    """The real key, as the proxy sees it pass; a hook that compares keys badly needs it."""

    def __init__(self) -> None:
        self.key = ""

    def watching(self, hook: Callable[[Request, str], Request | Reply]) -> Before:
        """A before-hook that is also told the real key, once it was seen."""

        def before(request: Request) -> Request | Reply:
            if request.authorised:
                self.key = request.key or ""
            return hook(request, self.key)

        return before

    def lets_in(self, when: Callable[[str, str], bool]) -> Before:
        """``lets_in`` by the key that was sent and the real one; on every other route as well."""

        def hook(request: Request, key: str) -> Request | Reply:
            sent = request.key or ""
            wrong = bool(key) and bool(sent) and not request.authorised and when(sent, key)
            if not wrong:
                return request
            return EMPTY_LIST if request.at(MODELS) else replace(request, as_owner=True)

        return self.watching(hook)


def tells_the_prefix(request: Request, key: str) -> Request | Reply:
    """Other words for a key that begins as the right one."""
    sent = request.key or ""
    if key and not request.authorised and sent[:12] == key[:12]:
        return envelope(401, "Incorrect key: the end does not match", "auth_error")
    return envelope(401, "Incorrect key", "auth_error") if sent and not request.authorised else request


def tells_the_hash(request: Request, key: str) -> Request | Reply:
    """A page that shows the key's SHA-256 to anybody."""
    if request.path == "/" and key:
        return Reply(
            200, (("content-type", "text/html"),), (hashlib.sha256(key.encode()).hexdigest().encode(),)
        )
    return request


def echoes(request: Request) -> Request | Reply:
    """A refusal that repeats the key and its hash, as with LiteLLM's table of keys."""
    sent = request.key
    if not sent or request.authorised or not request.at(MODELS):
        return request
    digest = hashlib.sha256(sent.encode()).hexdigest()
    return envelope(401, f"Key Hash (Token) ={digest}, received {sent}, not in db", "token_not_found_in_db")


def calls(find: Callable[[Json], object]) -> Before:
    """A before-hook that calls the address which it finds in the body; only ever on loopback."""

    def before(request: Request) -> Request | Reply:
        calls_address(find(request.json))
        return request

    return before


def calls_address(url: object) -> None:
    """Calls a URL, where it is one of loopback; without effect otherwise."""
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is not None and (parts.hostname or "").startswith("127."):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=1)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/latest/meta-data")
            connection.getresponse().read()


def in_router(body: Json) -> object:
    """The address in a router configuration of the client's."""
    try:
        return body["user_config"]["model_list"][0]["litellm_params"]["api_base"]
    except (KeyError, IndexError, TypeError):
        return None


def has(*names: str) -> Callable[[Request], bool]:
    """Whether the body has one of these parameters."""
    return lambda request: any(name in request.json for name in names)


def of_foreign_origin(request: Request, reply: Reply) -> Reply:
    """Whoever asks from a browser may read, with credentials."""
    if request.method != "GET" or not header(request, "origin"):
        return reply
    for name, value in FOREIGN_ORIGIN_ALLOWED:
        reply = reply.with_header(name, value)
    return reply


def without_cors(_: Request, reply: Reply) -> Reply:
    """No browser may call at all."""
    return reply.with_header("access-control-allow-origin", None)


def with_version(_: Request, reply: Reply) -> Reply:
    """The server says which version it is."""
    return reply.with_header("server", "gateway/1.2.3")


def traced(request: Request) -> Request | Reply:
    """TRACE as the standard has it: the request comes back."""
    if request.method != "TRACE":
        return request
    echo = "\r\n".join(f"{name}: {value}" for name, value in request.headers)
    return Reply(200, (("content-type", "message/http"),), (echo.encode(),))


def described(request: Request) -> Request | Reply:
    """A description that names a route which is open, and which no list knows."""
    if request.path == "/openapi.json":
        return json_reply(200, {"openapi": "3.1.0", "paths": {"/internal/dump": {"get": {}}}})
    return json_reply(200, {"users": []}) if request.path == "/internal/dump" else request


PLAIN_500 = Reply(500, (("content-type", "text/plain"),), (b"upstream exploded",))

EXPOSURE_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "empty-key-accepted",
        "an Authorization header with nothing in it opens the door",
        {"API-AUTH-005": SERVED},
        before=takes_for_the_owner(lambda request: request.key in ("", "Bearer")),
    ),
    gateway_fault(
        "key-prefix-accepted",
        "keys are compared only as far as they were sent",
        {"API-AUTH-006": SERVED},
        before=Learned().lets_in(lambda sent, key: key.startswith(sent)),
    ),
    gateway_fault(
        "key-suffix-ignored",
        "keys are compared only as far as the stored one goes",
        {"API-AUTH-007": SERVED},
        before=Learned().lets_in(lambda sent, key: sent.startswith(key)),
    ),
    gateway_fault(
        "any-scheme-accepted",
        "the key opens the door as Basic password too",
        {"API-AUTH-008": f"Basic: .*{SERVED}"},
        before=takes_for_the_owner(lambda request: header(request, "authorization").startswith("Basic ")),
    ),
    gateway_fault(
        "query-key-accepted",
        "a key in the URL opens the door",
        {"API-AUTH-009": SERVED},
        before=lets_in(lambda request: "api_key=" in request.path),
    ),
    gateway_fault(
        "cookie-key-accepted",
        "a key in a cookie opens the door",
        {"API-AUTH-010": SERVED},
        before=lets_in(lambda request: "api_key=" in header(request, "cookie")),
    ),
    gateway_fault(
        "scheme-case-sensitive",
        "bearer in small letters is not understood",
        {"API-AUTH-011": "got 401"},
        before=answers(
            envelope(401, "unknown scheme", "auth_error"),
            "",
            when=lambda request: header(request, "authorization").startswith("bearer "),
        ),
    ),
    gateway_fault(
        "prefix-told",
        "a key that begins right is refused in other words",
        {"API-AUTH-012": "gets another answer"},
        before=Learned().watching(tells_the_prefix),
    ),
    gateway_fault(
        "wrong-key-echoed",
        "the refusal repeats the key and its hash",
        {"API-AUTH-013": "repeats the key and the key's SHA-256"},
        before=echoes,
    ),
    gateway_fault(
        "odd-key-accepted",
        "a key that was pasted into SQL finds a row",
        {"API-AUTH-014": f"SQL: .*{SERVED}"},
        before=takes_for_the_owner(lambda request: "OR '1'='1" in (request.key or "")),
    ),
    gateway_fault(
        "chat-without-key",
        "one route of the contract was forgotten: chat needs no key",
        {"API-AUTH-015": "POST /v1/chat/completions: expected a refusal .* got 200"},
        before=unguarded(json_reply(200, {"object": "chat.completion"}), CHAT),
    ),
    gateway_fault(
        "keys-listed-without-key",
        "a management route was forgotten: the list of keys needs no key",
        {"API-AUTH-016": "GET /key/list: expected a refusal .* got 200"},
        before=unguarded(json_reply(200, {"keys": []}), "/key/list"),
    ),
    gateway_fault(
        "embeddings-any-key",
        "embeddings only look whether there is a key",
        {"API-AUTH-017": "POST /v1/embeddings: expected a refusal .* got 200"},
        before=answers(
            EMPTY_LIST, EMBEDDINGS, when=lambda request: bool(request.key) and not request.authorised
        ),
    ),
    gateway_fault(
        "refusal-in-stream",
        "a refused stream is a 200 with the error inside",
        {"API-AUTH-018": "expected a refusal in JSON, got 200"},
        before=answers(
            Reply(200, (("content-type", "text/event-stream"),), (b'data: {"error":{"message":"no"}}\n\n',)),
            CHAT,
            when=lambda request: request.streams and not request.authorised,
        ),
    ),
    gateway_fault(
        "metrics-open",
        "metrics are open to anybody",
        {"API-EXPO-001": "/metrics answers 200 without a key"},
        before=unguarded(PAGE, "/metrics"),
    ),
    gateway_fault(
        "providers-open",
        "who stands behind it is told to anybody, with their keys",
        {"API-EXPO-001": "/providers answers 200 without a key"},
        before=unguarded(PROVIDERS, "/providers"),
    ),
    gateway_fault(
        "unknown-route-open",
        "a route that only the description knows is open",
        {"API-EXPO-002": "/internal/dump answers 200 without a key"},
        before=described,
    ),
    gateway_fault(
        "settings-served",
        "the file of secrets lies in the served folder",
        {"API-EXPO-003": r"/\.env is served to anybody"},
        before=answers(Reply(200, (("content-type", "text/plain"),), (b"MASTER_KEY=sk-secret\n",)), "/.env"),
    ),
    gateway_fault(
        "page-tells-hash",
        "the front page shows the key's hash",
        {"API-EXPO-004": "tells the key's SHA-256"},
        before=Learned().watching(tells_the_hash),
    ),
    gateway_fault(
        "api-base-called",
        "an address in the body is called",
        {"API-EXPO-005": "chat with api_base: the gateway called it, GET /latest/meta-data"},
        before=calls(lambda body: body.get("api_base")),
    ),
    gateway_fault(
        "api-base-crashes",
        "an address in the body ends in an internal error",
        {"API-EXPO-006": "chat with base_url: .*got 500: upstream exploded"},
        before=answers(PLAIN_500, "", when=has("api_base", "base_url")),
    ),
    gateway_fault(
        "router-from-body",
        "a routing configuration in the body is followed",
        {"API-EXPO-007": "chat with user_config: the gateway called it, GET /latest/meta-data"},
        before=calls(in_router),
    ),
    gateway_fault(
        "mock-response-crashes",
        "an invented answer ends in an internal error",
        {"API-EXPO-008": "mock_response: .*got 500: upstream exploded"},
        before=answers(PLAIN_500, "", when=has("mock_response")),
    ),
    gateway_fault(
        "mock-failure-staged",
        "a failure that the request asks for happens",
        {"API-EXPO-009": "mock_testing_fallbacks: .*got 500: upstream exploded"},
        before=answers(PLAIN_500, "", when=has("mock_testing_fallbacks")),
    ),
    gateway_fault(
        "trace-echoed",
        "TRACE is answered with the request",
        {"API-EXPO-010": "TRACE is answered with 200"},
        before=traced,
    ),
    gateway_fault(
        "server-tells-version",
        "the server header tells the version",
        {"API-EXPO-011": r"gateway/1\.2\.3"},
        after=with_version,
    ),
    gateway_fault(
        "cors-reflects-origin",
        "whatever origin asks may read, with credentials",
        {
            "API-EXPO-012": "GET allows https://stranger.example",
            "API-EXPO-013": "GET from https://stranger.example is allowed, with credentials",
        },
        after=of_foreign_origin,
    ),
    gateway_fault(
        "cors-declared-origin-refused",
        "the declared application's browser is refused",
        {"API-EXPO-014": "https://chat.example: expected it allowed"},
        after=without_cors,
    ),
    gateway_fault(
        "declared-header-missing",
        "a declared security header is absent",
        {"API-EXPO-015": "expected x-content-type-options: nosniff, got None"},
        after=lambda _, reply: reply.with_header("x-content-type-options", None),
    ),
    gateway_fault(
        "backend-reachable",
        "the backends answer others than the gateway",
        {"BACKEND-BYPASS-001": "answers past the gateway"},
    ),
)
