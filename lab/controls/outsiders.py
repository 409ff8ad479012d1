"""Gateways that treat strangers otherwise than LiteLLM, and let none of them in."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import replace

from lab.controls.model import Control
from lab.message import Headers, Reply, Request, envelope, json_reply

ENTRANCES = ("API-ACCESS-003", "API-ACCESS-005", "API-ACCESS-013", "API-AUTH-015", "API-AUTH-016")
CHECKS = ("API-AUTH-0", "API-ACCESS-0", "API-EXPO-0")
LIST = "/v1/models"
OPEN_PATHS = (
    "/", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/routes", "/test", "/config/yaml",
    "/ui/*", "/fallback/login", "/sso/key/generate", "/get_image", "/get_favicon", "/get/ui_theme_settings",
    "/public/*", "/.well-known/*", "/litellm/.well-known/litellm-ui-config",
    "/health/liveliness", "/health/liveness", "/health/readiness",
    LIST,
)  # fmt: skip
"""What ``environments/local.toml`` declares open, and the list of models; a test holds them together."""
BANNED_AFTER, BANNED_S = 40, 1.0
"""Refusals after which strangers are kept away, and for how long."""
STRANGE = re.compile(r"\.\.|//|[;\\]|%(?!20)", re.ASCII)
"""What a firewall of web applications does not like in a path."""
BLOCKED = Reply(
    403,
    (("content-type", "text/html"),),
    (b"<html><head><title>403 Forbidden</title></head><body>Request blocked.</body></html>",),
)
CLOSED = Reply(400, (), (), aborted=True)
MANAGEMENT = ("/key/", "/user/", "/team/", "/spend/", "/global/", "/config/", "/credentials", "/model/")
PREFLIGHT: Headers = (
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, POST, OPTIONS"),
    ("access-control-allow-headers", "authorization, content-type"),
)


class Bans:
    """Who is refused too often is told to wait, and looked at again after that."""

    def __init__(self) -> None:
        self._refused, self._until, self._lock = 0, 0.0, threading.Lock()

    def after(self, request: Request, reply: Reply) -> Reply:
        """An after-hook."""
        if request.authorised or reply.status not in (400, 401, 403):
            return reply
        with self._lock:
            now = time.monotonic()
            if now >= self._until:
                self._refused += 1
                if self._refused % BANNED_AFTER:
                    return reply
                self._until = now + BANNED_S
        refused = envelope(429, "too many attempts without a valid key", "rate_limit_error")
        return refused.with_header("retry-after", f"{BANNED_S:.0f}")


def listed_for_all(request: Request) -> Request:
    """The list of models is a catalogue, and open, as OpenRouter's is."""
    open_now = request.method == "GET" and request.path.partition("?")[0] == LIST
    return replace(request, as_owner=True) if open_now and not request.authorised else request


def firewall(request: Request) -> Request | Reply:
    """A page with 403 to what looks like an attack, whoever sends it."""
    return BLOCKED if STRANGE.search(request.path.partition("?")[0]) else request


def hangs_up(request: Request) -> Request | Reply:
    """No answer at all to what looks like an attack, as nginx's 444."""
    return CLOSED if STRANGE.search(request.path.partition("?")[0]) else request


def hidden(request: Request) -> Request | Reply:
    """Management is not there for who has no key."""
    if request.authorised or not request.path.startswith(MANAGEMENT):
        return request
    return envelope(404, "no such page", "not_found_error")


def preflight(request: Request) -> Request | Reply:
    """Browsers are told what they may send, whatever the path, with a body that says so."""
    if request.method != "OPTIONS":
        return request
    reply = json_reply(200, {"allowed": ["GET", "POST"], "path": request.path.partition("?")[0]})
    return replace(reply, headers=(*reply.headers, *PREFLIGHT))


def plain_paths(request: Request) -> Request | Reply:
    """Capitals, and a slash at the end, are redirected to the path without."""
    path, mark, query = request.path.partition("?")
    normal = path.lower().rstrip("/") or "/"
    if path == normal or not path.startswith("/"):
        return request
    return Reply(301, (("location", normal + mark + query),), ())


OUTSIDER_CONTROLS = (
    Control(
        "right-bans-strangers",
        "after forty refusals strangers are told to wait a second, and others are served",
        after=Bans().after,
        checks=CHECKS,
        concerns=ENTRANCES,
    ),
    Control(
        "right-public-list-of-models",
        "the list of models is open, and declared so",
        before=listed_for_all,
        checks=CHECKS,
        concerns=(
            *(*ENTRANCES, "API-ACCESS-010", "API-ACCESS-012", "API-AUTH-022"),
            *("API-SDK-017", "API-SDK-029"),
        ),
        declares={"gateway": {"public_paths": list(OPEN_PATHS)}},
    ),
    Control(
        "right-behind-a-firewall",
        "what looks like an attack is answered with a page and 403, whoever sends it",
        before=firewall,
        checks=CHECKS,
        concerns=ENTRANCES,
    ),
    Control(
        "right-hangs-up",
        "what looks like an attack is not answered: the connection is closed",
        before=hangs_up,
        checks=CHECKS,
        concerns=ENTRANCES,
    ),
    Control(
        "right-hides-management",
        "who has no key is told that management is not there",
        before=hidden,
        checks=CHECKS,
        concerns=ENTRANCES,
    ),
    Control(
        "right-preflight-with-a-body",
        "OPTIONS is answered at any path, no key asked, with JSON that says what is allowed",
        before=preflight,
        checks=(*CHECKS, "API-OPS-01"),
        concerns=("API-ACCESS-011", "API-OPS-015", "API-EXPO-010"),
    ),
    Control(
        "right-plain-paths",
        "capitals and a slash at the end are redirected to the path without",
        before=plain_paths,
        checks=CHECKS,
        concerns=ENTRANCES,
    ),
)
