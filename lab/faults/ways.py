"""Defects of who gets in that open one route, one spelling or one method alone, or compare a key badly."""

from __future__ import annotations

from dataclasses import replace

from lab.faults.access import without_key
from lab.faults.exposure import Learned, header, lets_in, takes_for_the_owner
from lab.faults.model import Fault, gateway_fault
from lab.faults.mutators import CHAT, EMBEDDINGS, answers
from lab.message import Reply, Request, json_reply

SERVED_CHAT = json_reply(200, {"id": "chatcmpl-1", "object": "chat.completion", "choices": []})
SERVED_VECTORS = json_reply(200, {"object": "list", "data": []})
JUDGED = json_reply(422, {"detail": [{"loc": ["body", "duration"], "msg": "Input should be a valid string"}]})
AZURE = "/openai/deployments/"


def own_console(request: Request) -> bool:
    """Somebody without a key who says that the console sent them."""
    return without_key(request) and "/ui" in header(request, "referer")


def slashes(request: Request) -> Request | Reply:
    """Embeddings under a path with two slashes are routed, and not guarded."""
    path = request.path.split("?")[0]
    if path.startswith("//") and path.endswith(EMBEDDINGS) and not request.authorised:
        return SERVED_VECTORS
    return request


def overridden(request: Request) -> Request | Reply:
    """The method that a header names is guarded, the one of the request line is served."""
    meant = header(request, "x-http-method-override")
    return lets_in(lambda one: without_key(one) and meant == "OPTIONS")(request)


def azure(request: Request) -> Request | Reply:
    """Azure's names of the routes are handed on to whoever asks."""
    if request.path.startswith(AZURE) and request.at(CHAT) and not request.authorised:
        return SERVED_CHAT
    return request


def of_a_prefix(request: Request) -> Request | Reply:
    """Everything whose path begins as the console's is public, wherever it leads."""
    if request.path.startswith("/ui/..") and "models" in request.path:
        return lets_in(without_key)(replace(request, path="/v1/models"))
    return request


WAY_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "chat-for-users-of-proxies",
        "chat is served to whom a header calls a user, whoever wrote it",
        {"API-ACCESS-009": "POST /v1/chat/completions is served: .*by x-auth-request-user"},
        before=answers(
            SERVED_CHAT, CHAT, when=lambda one: without_key(one) and bool(header(one, "x-auth-request-user"))
        ),
    ),
    gateway_fault(
        "cookie-opens-embeddings",
        "embeddings are served to whoever has a cookie",
        {"API-ACCESS-009": "POST /v1/embeddings is served: .*by made-up cookies"},
        before=answers(
            SERVED_VECTORS, EMBEDDINGS, when=lambda one: without_key(one) and bool(header(one, "cookie"))
        ),
    ),
    gateway_fault(
        "keys-made-from-localhost",
        "who says that a proxy forwarded it for 127.0.0.1 may make keys",
        {"API-ACCESS-010": "POST /key/generate is served: .*by true-client-ip: 127.0.0.1"},
        before=answers(
            JUDGED, "/key/generate", when=lambda one: header(one, "true-client-ip") == "127.0.0.1"
        ),
    ),
    gateway_fault(
        "double-slash-opens-embeddings",
        "embeddings under a path with two slashes are not guarded",
        {"API-ACCESS-010": "POST /v1/embeddings is served: the target //v1/models"},
        before=slashes,
    ),
    gateway_fault(
        "console-prefix-open",
        "what begins as the console's path is public, wherever it leads",
        {"API-ACCESS-005": r"is served: the target /ui/\.\./v1/models"},
        before=of_a_prefix,
    ),
    gateway_fault(
        "overridden-method-guarded",
        "the method that a header names is guarded instead of the one that is served",
        {"API-ACCESS-011": "GET /v1/models is served: GET and x-http-method-override: OPTIONS"},
        before=overridden,
    ),
    gateway_fault(
        "azure-names-open",
        "Azure's names of the routes are not guarded",
        {"API-ACCESS-012": "POST /openai/deployments/.* is served without a key"},
        before=azure,
    ),
    gateway_fault(
        "console-referer-trusted",
        "who says that the console sent them is let in",
        {"API-ACCESS-004": "referer: http"},
        before=lets_in(own_console),
    ),
    gateway_fault(
        "unsigned-token-believed",
        "a JWT is read, and its signature is not looked at",
        {"API-ACCESS-006": "a JWT without a signature"},
        before=takes_for_the_owner(lambda one: (one.key or "").startswith("eyJ")),
    ),
    gateway_fault(
        "undefined-is-a-key",
        "what a client sends whose variable is unset is taken for nobody's request to guard",
        {"API-ACCESS-006": "Bearer undefined"},
        before=takes_for_the_owner(lambda one: one.key == "undefined"),
    ),
    gateway_fault(
        "host-of-the-inside-trusted",
        "names that only the inside knows are taken for requests from there",
        {"API-ACCESS-003": "Host with a name of the inside"},
        before=takes_for_the_owner(lambda one: header(one, "host").endswith(".internal")),
    ),
    gateway_fault(
        "key-in-any-case",
        "keys are compared without regard to case, as some databases do",
        {"API-AUTH-022": "a key that is capitals for small letters"},
        before=Learned().lets_in(lambda sent, key: sent.lower() == key.lower()),
    ),
    gateway_fault(
        "key-by-its-last-characters",
        "keys are found by the last four characters, which the console shows",
        {"API-AUTH-022": "a key that is its last 4 characters after others"},
        before=Learned().lets_in(lambda sent, key: sent[-4:] == key[-4:] and len(sent) == len(key)),
    ),
)
