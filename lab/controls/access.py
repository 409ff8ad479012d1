"""Gateways that let in by the right key alone, and refuse, route or hold it otherwise than LiteLLM."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace

from lab.controls.model import Control
from lab.faults.limited import DECLARED, NO_MANAGEMENT, KeyManagement, judged_types
from lab.message import Headers, Reply, Request, envelope, json_reply

ENTRANCES = ("API-ACCESS-003", "API-ACCESS-005", "API-AUTH-015", "API-AUTH-017")
"""What asks for ways in, a few of each kind."""
CHECKS = ("API-AUTH-0", "API-ACCESS-0")
OWN_HEADER = "x-api-key"
INTERFACE = (
    "/v1",
    "/health",
    "/chat",
    "/completions",
    "/embeddings",
    "/models",
    "/openapi.json",
    "/responses",
)
SLASHED = ("/metrics", "/key/list", "/user/list", "/spend/logs", "/credentials", "/v1/model/info")
PLACE = re.compile(r"127\.\d+\.\d+\.\d+:\d+")


def misdirected(request: Request) -> Request | Reply:
    """421 to whoever names another place than this one (RFC 9110 section 15.5.20)."""
    hosts = [value for name, value in request.headers if name.lower() == "host"]
    if len(hosts) == 1 and PLACE.fullmatch(hosts[0]):
        return request
    return envelope(421, "this server does not answer for that host", "invalid_request_error")


def canonical(request: Request) -> Request | Reply:
    """A path that is not in its normal form is redirected there."""
    path, mark, query = request.path.partition("?")
    normal = re.sub(r"//+", "/", path)
    if normal == path:
        return request
    return Reply(308, (("location", normal + mark + query),), ())


def slashed(request: Request) -> Request | Reply:
    """Management lies at paths that end with a slash, and who leaves it out is led there before any key is
    looked at, as Starlette does it."""
    path, mark, query = request.path.partition("?")
    if path in SLASHED:
        return Reply(307, (("location", f"{path}/{mark}{query}"),), ())
    return replace(request, path=path[:-1] + mark + query) if path[:-1] in SLASHED else request


def judged_first(request: Request) -> Request | Reply:
    """Every POST has to name a model, whatever route it is meant for."""
    if request.method != "POST" or "model" in request.json:
        return request
    return envelope(400, "the body names no model", "invalid_request_error")


def lost(request: Request, reply: Reply) -> Reply:
    """Any path that nothing else answers tells that the gateway lives, what was asked, and a fresh id."""
    if request.method != "GET" or reply.status != 404 or request.path.startswith(INTERFACE):
        return reply
    return json_reply(200, {"status": "ok", "asked": request.path, "request": secrets.token_hex(8)})


def own_header(request: Request) -> Request:
    """The key is taken from its own header alone; Authorization is nobody's business here."""
    kept: Headers = tuple(pair for pair in request.headers if pair[0].lower() != "authorization")
    key = request.header(OWN_HEADER)
    bearer: Headers = (("authorization", f"Bearer {key}"),) if key else ()
    return replace(request, headers=(*kept, *bearer))


def own_refusal(request: Request, reply: Reply) -> Reply:
    """401 to whoever sends no key in its own header; LiteLLM without a database driver answers 500 to those
    without any (BerriAI/litellm issue 35457)."""
    failed = reply.status == 500 and not request.header(OWN_HEADER)
    return envelope(401, "no key in x-api-key", "authentication_error") if failed else reply


def validates_first(request: Request) -> Reply:
    """What a limited key is told by management that holds a body against its schema before it asks for
    rights, as FastAPI does where a handler asks for them; and that looks a model up to know whose it is."""
    judged = judged_types(request)
    if judged is None and request.at("/model/delete"):
        return envelope(404, "no model of that id", "invalid_request_error")
    return judged or NO_MANAGEMENT


LIMITED_BEFORE, LIMITED_AFTER = KeyManagement().hooks()
VALIDATED_BEFORE, VALIDATED_AFTER = KeyManagement(manages=validates_first).hooks()

ACCESS_CONTROLS = (
    Control(
        "right-421-for-other-hosts",
        "a Host that is not the gateway's own is refused with 421",
        before=misdirected,
        checks=CHECKS,
        concerns=ENTRANCES,
    ),
    Control(
        "right-redirects-to-normal-paths",
        "a path with two slashes is redirected to the one that is meant",
        before=canonical,
        checks=CHECKS,
        concerns=ENTRANCES,
    ),
    Control(
        "right-redirects-to-a-slash",
        "management lies behind a slash and a key; without the slash one is led there, no key asked",
        before=slashed,
        checks=CHECKS,
        concerns=(*ENTRANCES, "API-AUTH-016"),
    ),
    Control(
        "right-judges-bodies-first",
        "a POST without a model is refused before its route is looked for, as Claude Code Router has it",
        before=judged_first,
        checks=("API-AUTH-015", "API-AUTH-016", "API-AUTH-017"),
        concerns=("API-AUTH-016", "API-AUTH-017"),
    ),
    Control(
        "right-json-catch-all",
        "any path that is no interface answers, no key asked, with JSON: alive, the path, and a fresh id",
        after=lost,
        checks=(*CHECKS, "API-EXPO-0"),
        concerns=(*ENTRANCES, "API-EXPO-001", "API-EXPO-002"),
    ),
    Control(
        "right-key-in-its-own-header",
        "the key stands in x-api-key, as is declared, and Authorization counts for nothing",
        before=own_header,
        after=own_refusal,
        checks=CHECKS,
        concerns=(*ENTRANCES, "API-AUTH-008"),
        declares={"gateway": {"key_header": OWN_HEADER}},
    ),
    Control(
        "right-limited-keys",
        "a second key may use two models and nothing else, and is told of nothing else",
        before=LIMITED_BEFORE,
        after=LIMITED_AFTER,
        checks=("API-LIMIT-0",),
        concerns=("API-LIMIT-001", "API-LIMIT-002", "API-LIMIT-003", "API-LIMIT-004"),
        declares=DECLARED,
    ),
    Control(
        "right-limited-validates-first",
        "management holds a body against its schema before it asks what a limited key may do",
        before=VALIDATED_BEFORE,
        after=VALIDATED_AFTER,
        checks=("API-LIMIT-0",),
        concerns=("API-LIMIT-005", "API-LIMIT-006"),
        declares=DECLARED,
    ),
)
