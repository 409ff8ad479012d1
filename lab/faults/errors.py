"""Defects of error handling: bad input is served, crashes, or is refused in the wrong words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from lab.faults.model import Before, Fault, gateway_fault
from lab.faults.mutators import CHAT, CRASH, EMBEDDINGS, answers
from lab.message import Reply, Request, envelope, json_reply

When = Callable[[Request], bool]

COMPLETION = json_reply(
    200,
    {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "HX-OK"}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    },
)
ERROR_EVENT = Reply(
    200,
    (("content-type", "text/event-stream"),),
    (b'data: {"error": {"message": "no such model"}}\n\n', b"data: [DONE]\n\n"),
)
PAGE = (("content-type", "text/html"),)
TRACE = 'json: Traceback (most recent call last): File "gateway.py", line 7, in chat'
LONG = 50_000  # bytes: no other request of the checks is as long
LARGE = 1_000_000


def malformed(request: Request) -> bool:
    """Whether the body is UTF-8 that looks like JSON, and is none."""
    text = request.body.decode("utf-8", "ignore")
    if not text.startswith("{") or not_utf8(request):
        return False
    try:
        json.loads(text)
    except ValueError:
        return True
    except RecursionError:
        return False
    return False


def not_utf8(request: Request) -> bool:
    """Whether the body is no UTF-8."""
    try:
        request.body.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def is_array(request: Request) -> bool:
    """Whether the body is a JSON array."""
    return request.body.startswith(b"[")


def typed(name: str) -> When:
    """Whether the client gave the body this media type."""
    return lambda request: any(
        key.lower() == "content-type" and value == name for key, value in request.headers
    )


def field(name: str, holds: Callable[[Any], bool]) -> When:
    """Whether a field is there and its value is such."""
    return lambda request: name in request.json and holds(request.json[name])


def lacks(name: str, beside: str) -> When:
    """Whether a field is missing beside another one."""
    return lambda request: beside in request.json and name not in request.json


def message(holds: Callable[[Any], bool]) -> When:
    """Whether any message is such."""
    return field("messages", lambda found: isinstance(found, list) and any(map(holds, found)))


def a_string(value: object) -> bool:
    """Whether a value is a string."""
    return isinstance(value, str)


def served(name: str, description: str, check: str, when: When, route: str = CHAT) -> Fault:
    """Bad input that is answered as if it were good."""
    return gateway_fault(
        name, description, {check: "it was served"}, before=answers(COMPLETION, route, when=when)
    )


def crash(name: str, description: str, check: str, when: When, route: str = CHAT) -> Fault:
    """Bad input that is called an internal error."""
    return gateway_fault(name, description, {check: "got 500"}, before=answers(CRASH, route, when=when))


def refused(
    name: str, description: str, detected_by: dict[str, str], words: Callable[[Request], str]
) -> Fault:
    """Malformed JSON that is refused in these words."""

    def before(request: Request) -> Request | Reply:
        if malformed(request):
            return envelope(400, words(request), "invalid_request_error")
        return request

    return gateway_fault(name, description, detected_by, before=before)


def closed_after_bad_input() -> Before:
    """Chats are refused from the first malformed request on."""
    seen: list[Request] = []

    def before(request: Request) -> Request | Reply:
        if malformed(request):
            seen.append(request)
        closed = seen and request.at(CHAT)
        return envelope(503, "no deployment is left", "unavailable") if closed else request

    return before


def key_hash(request: Request) -> str:
    """SHA-256 of the client's key."""
    return hashlib.sha256((request.key or "").encode()).hexdigest()


BODIES: tuple[Fault, ...] = (
    served("malformed-served", "malformed JSON is repaired in secret", "API-ERR-002", malformed),
    served("array-served", "a body that is an array is served", "API-ERR-003", is_array),
    served(
        "empty-body-served",
        "a request without a body is served",
        "API-ERR-004",
        lambda r: r.method == "POST" and not r.body,
    ),
    served("no-utf8-served", "bytes that are no UTF-8 are replaced in secret", "API-ERR-005", not_utf8),
    gateway_fault(
        "deep-json-crash",
        "deeply nested JSON exhausts the stack",
        {"API-ERR-006": "deeply nested JSON at chat: .*got 500"},
        before=answers(CRASH, CHAT, when=lambda r: b"[" * 500 in r.body),
    ),
    served(
        "form-served",
        "a form is read as a request",
        "API-ERR-007",
        typed("application/x-www-form-urlencoded"),
    ),
    crash(
        "text-plain-crash", "another content type is an internal error", "API-ERR-008", typed("text/plain")
    ),
    crash(
        "large-body-crash", "a large body is an internal error", "API-ERR-009", lambda r: len(r.body) > LARGE
    ),
    crash(
        "long-prompt-crash", "a long prompt is an internal error", "API-ERR-010", lambda r: len(r.body) > LONG
    ),
)

FIELDS: tuple[Fault, ...] = (
    served(
        "messages-missing-served", "no messages are needed", "API-ERR-011", lacks("messages", "max_tokens")
    ),
    served("messages-string-served", "a string is taken", "API-ERR-012", field("messages", a_string)),
    served(
        "messages-null-served", "null is taken", "API-ERR-013", field("messages", lambda found: found is None)
    ),
    crash(
        "messages-empty-crash",
        "an empty list of messages is an internal error",
        "API-ERR-014",
        field("messages", lambda found: found == []),
    ),
    served("message-string-served", "a message may be a string", "API-ERR-015", message(a_string)),
    crash(
        "role-unknown-crash",
        "an unknown role is an internal error",
        "API-ERR-016",
        message(lambda found: isinstance(found, dict) and found.get("role") == "wizard"),
    ),
    crash(
        "role-missing-crash",
        "a missing role is an internal error",
        "API-ERR-017",
        message(lambda found: isinstance(found, dict) and "role" not in found),
    ),
    served(
        "content-number-served",
        "content may be a number",
        "API-ERR-018",
        message(lambda found: isinstance(found, dict) and isinstance(found.get("content"), int)),
    ),
    served(
        "part-unknown-served",
        "a content part of unknown type is dropped in secret",
        "API-ERR-019",
        message(lambda found: isinstance(found, dict) and "hologram" in str(found.get("content"))),
    ),
    served(
        "model-missing-served",
        "a model is chosen where none is named",
        "API-ERR-020",
        lacks("model", "messages"),
    ),
    served(
        "model-number-served",
        "a number is a model",
        "API-ERR-021",
        field("model", lambda found: isinstance(found, int)),
    ),
    served(
        "temperature-string-served", "words are a temperature", "API-ERR-022", field("temperature", a_string)
    ),
    crash(
        "temperature-range-crash",
        "a temperature out of range is an internal error",
        "API-ERR-023",
        field("temperature", lambda found: isinstance(found, int) and not 0 <= found <= 2),
    ),
    crash(
        "max-tokens-negative-crash",
        "negative max_tokens are an internal error",
        "API-ERR-024",
        field("max_tokens", lambda found: isinstance(found, int) and found < 0),
    ),
    served("max-tokens-string-served", "words are a number", "API-ERR-025", field("max_tokens", a_string)),
    served("stream-string-served", "words are a truth", "API-ERR-026", field("stream", a_string)),
    crash(
        "tools-string-crash",
        "tools of the wrong type are an internal error",
        "API-ERR-027",
        field("tools", a_string),
    ),
    served(
        "response-format-string-served",
        "a response_format of the wrong type is dropped in secret",
        "API-ERR-028",
        field("response_format", a_string),
    ),
    served(
        "input-missing-served",
        "nothing is embedded",
        "API-ERR-029",
        lambda r: set(r.json) == {"model"},
        EMBEDDINGS,
    ),
    served(
        "input-type-served",
        "a number is embedded",
        "API-ERR-030",
        field("input", lambda found: isinstance(found, int)),
        EMBEDDINGS,
    ),
)

ROUTES: tuple[Fault, ...] = (
    gateway_fault(
        "unknown-model-streamed",
        "an unknown model is refused inside a stream of status 200",
        {"API-ERR-031": "an unknown model, streamed: .*it was served"},
        before=answers(
            ERROR_EVENT, CHAT, when=lambda r: r.streams and str(r.json.get("model")).startswith("no-such")
        ),
    ),
    served(
        "unknown-model-embeds",
        "an unknown model is replaced by another one",
        "API-ERR-032",
        field("model", lambda found: str(found).startswith("no-such")),
        EMBEDDINGS,
    ),
    served(
        "chat-model-embeds",
        "a chat model embeds",
        "API-ERR-033",
        field("model", lambda found: str(found).startswith("llm")),
        EMBEDDINGS,
    ),
    served(
        "embedding-model-chats",
        "an embedding model chats",
        "API-ERR-034",
        field("model", lambda found: str(found).startswith("emb-")),
    ),
    gateway_fault(
        "unknown-route-page",
        "every unknown route shows the page of an application",
        {"API-ERR-035": "an unknown route: expected 404, got 200"},
        before=answers(Reply(200, PAGE, (b"<html>app</html>",)), "/no-such-route"),
    ),
    gateway_fault(
        "wrong-method-served",
        "GET of chat completions is an empty list",
        {"API-ERR-036": "GET at chat: expected 404 or 405, got 200"},
        before=answers(
            json_reply(200, {"object": "list", "data": []}), CHAT, when=lambda r: r.method == "GET"
        ),
    ),
    gateway_fault(
        "unknown-route-html",
        "an unknown route is refused with a page for people",
        {"API-ERR-037": "json.invalid: an unknown route"},
        before=answers(Reply(404, PAGE, (b"<h1>404</h1>",)), "/no-such-route"),
    ),
)

WORDS: tuple[Fault, ...] = (
    refused(
        "error-tells-trace",
        "an error holds the server's stack",
        {"API-ERR-038": "malformed JSON at chat: stack trace"},
        lambda _: TRACE,
    ),
    refused(
        "error-tells-path",
        "an error holds a path of the server",
        {"API-ERR-039": "malformed JSON at chat: file path .*/opt/gateway"},
        lambda _: "json could not be parsed by /opt/gateway/lib/parser.so",
    ),
    refused(
        "error-tells-address",
        "an error holds the address of a backend",
        {"API-ERR-040": "malformed JSON at chat: internal address .*10.11.12.13"},
        lambda _: "json could not be sent to http://10.11.12.13:11434/api/chat",
    ),
    refused(
        "error-tells-key",
        "an error holds the client's key",
        {"API-ERR-041": "malformed JSON at chat: key"},
        lambda request: f"json refused for {request.key}",
    ),
    refused(
        "error-tells-key-hash",
        "an error holds the hash of the client's key",
        {"API-ERR-041": "malformed JSON at chat: key"},
        lambda request: f"json refused for the token {key_hash(request)}",
    ),
    refused(
        "error-unhelpful",
        "an error only repeats its status",
        {"API-ERR-042": "unhelpful: malformed JSON at chat"},
        lambda _: "Bad Request",
    ),
    gateway_fault(
        "error-without-code",
        "an error has a message and nothing else",
        {"API-ERR-043": "malformed JSON at chat: .*(type|code|param)"},
        before=answers(json_reply(400, {"error": {"message": "no JSON"}}), CHAT, when=malformed),
    ),
    gateway_fault(
        "closed-after-bad-input",
        "clients' mistakes take the deployments out of service",
        {"API-ERR-044": r"after \d+ bad requests: expected 200, got 503"},
        before=closed_after_bad_input(),
    ),
)

ERROR_FAULTS: tuple[Fault, ...] = (*BODIES, *FIELDS, *ROUTES, *WORDS)
