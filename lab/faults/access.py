"""Defects of who gets in: something else than the dispatched route and the defined credential decides."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from lab.faults.exposure import Learned, header, lets_in, unguarded
from lab.faults.model import Before, Fault, gateway_fault
from lab.faults.mutators import CHAT, EMPTY_LIST, MODELS
from lab.message import Reply, Request, envelope, json_reply


def without_key(request: Request) -> bool:
    """No Authorization header at all."""
    return request.key is None


def password(request: Request) -> str:
    """The password of Basic credentials; empty where there are none."""
    scheme, _, given = header(request, "authorization").partition(" ")
    if scheme != "Basic":
        return ""
    try:
        return base64.b64decode(given).decode().partition(":")[2]
    except ValueError:
        return ""


def in_query(request: Request) -> str:
    """The key that the URL holds; empty where it holds none."""
    return (parse_qs(urlsplit(request.path).query).get("api_key") or [""])[0]


def in_cookie(request: Request) -> str:
    """The key that a cookie holds; empty where none does."""
    _, _, value = header(request, "cookie").partition("api_key=")
    return value.partition(";")[0]


def learned(place: Callable[[Request], str]) -> Before:
    """A before-hook that serves the list of models to whom has the right key at another place."""

    def hook(request: Request, key: str) -> Request | Reply:
        right = bool(key) and not request.authorised and place(request) == key
        return EMPTY_LIST if right and request.at(MODELS) else request

    return Learned().watching(hook)


def judged_in_query(request: Request) -> Request | Reply:
    """A key in the URL is judged: a wrong one is told that it is wrong."""
    if request.authorised or not request.at(MODELS):
        return request
    given = request.key or in_query(request)
    return envelope(401, "Incorrect API key" if given else "No API key", "auth_error")


ACCESS_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "host-hides-path",
        "the route is judged by a URL that is put together from Host",
        {"API-ACCESS-001": "is served where Host holds a query"},
        before=lets_in(lambda request: without_key(request) and "/?" in header(request, "host")),
    ),
    gateway_fault(
        "other-header-believed",
        "whatever stands in x-api-key or api-key is taken for a key that was checked before",
        {"API-ACCESS-002": "a made-up value in x-api-key"},
        before=lets_in(
            lambda request: (
                without_key(request) and bool(header(request, "x-api-key") or header(request, "api-key"))
            )
        ),
    ),
    gateway_fault(
        "query-key-judged",
        "a key in the URL is read: a wrong one is called wrong",
        {"API-AUTH-009": "api_key=: the made-up value is refused as a wrong key"},
        before=judged_in_query,
    ),
    gateway_fault(
        "basic-password-is-the-key",
        "the right key opens the door as Basic password too",
        {"API-AUTH-019": "Basic: the right key is served there"},
        before=learned(password),
    ),
    gateway_fault(
        "right-query-key-accepted",
        "the right key opens the door in the URL too",
        {"API-AUTH-020": "api_key=: the right key is served there"},
        before=learned(in_query),
    ),
    gateway_fault(
        "right-cookie-key-accepted",
        "the right key opens the door in a cookie too",
        {"API-AUTH-021": "a cookie: the right key is served there"},
        before=learned(in_cookie),
    ),
    gateway_fault(
        "localhost-trusted",
        "a Host of localhost is taken for a colleague on the same machine",
        {"API-ACCESS-003": "is served: Host with localhost"},
        before=lets_in(lambda request: without_key(request) and header(request, "host") == "localhost"),
    ),
    gateway_fault(
        "forwarded-for-trusted",
        "who says that a proxy forwarded it for 127.0.0.1 is let in",
        {"API-ACCESS-004": "x-forwarded-for: 127.0.0.1"},
        before=lets_in(
            lambda request: without_key(request) and header(request, "x-forwarded-for") == "127.0.0.1"
        ),
    ),
    gateway_fault(
        "double-slash-open",
        "a path with two slashes is routed, and not guarded",
        {"API-ACCESS-005": "the target //v1/models"},
        before=lets_in(lambda request: without_key(request) and request.path.startswith("//")),
    ),
    gateway_fault(
        "cookie-believed",
        "a cookie with a token is taken for a session",
        {"API-ACCESS-006": "a cookie with a made-up key"},
        before=lets_in(lambda request: without_key(request) and "token=sk-" in header(request, "cookie")),
    ),
    gateway_fault(
        "management-opened-by-host",
        "management is guarded by a URL that is put together from Host",
        {"API-ACCESS-007": "GET /key/list is served without a key where Host is"},
        before=unguarded(
            json_reply(200, {"keys": []}),
            "/key/list",
            when=lambda request: header(request, "host").endswith("?"),
        ),
    ),
    gateway_fault(
        "stream-without-key",
        "a stream of chat is served without a key",
        {"API-ACCESS-008": "a stream of chat is served without a key"},
        before=unguarded(
            Reply(200, (("content-type", "text/event-stream"),), (b"data: {}\n\n", b"data: [DONE]\n\n")),
            CHAT,
            when=lambda request: request.streams,
        ),
    ),
)
