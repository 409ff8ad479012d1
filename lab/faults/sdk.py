"""Defects that an application meets in the official SDK."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

from lab.faults.model import After, Before, Fault, gateway_fault
from lab.faults.mutators import CHAT, EMBEDDINGS, MODELS, answers, listing, unstreamed_chat
from lab.message import Json, Reply, Request, edit_events, envelope, json_reply

MODEL_OF_ITS_OWN = {"id": "default", "object": "model", "created": 0, "owned_by": "gateway"}
UNKNOWN = "no-such-model"


def _retrieves(request: Request) -> bool:
    return "/models/" in request.path


def _asks_unknown(request: Request) -> bool:
    return str(request.json.get("model", "")).startswith(UNKNOWN)


def _of(reply: Reply, when: Callable[[Request], bool]) -> Before:
    """A before-hook that answers what fits itself, on any route."""
    return lambda request: reply if when(request) else request


def _events(*documents: Json) -> Reply:
    data = [json.dumps(document) for document in documents]
    return Reply(
        200,
        (("content-type", "text/event-stream"),),
        tuple(f"data: {line}\n\n".encode() for line in [*data, "[DONE]"]),
    )


def _as_text(request: Request, reply: Reply) -> Reply:
    return reply.with_header("content-type", "text/plain") if request.at(CHAT) else reply


def _without_finish(chunks: list[Json]) -> list[Json]:
    for chunk in chunks:
        for choice in chunk["choices"]:
            choice["finish_reason"] = None
    return chunks


def _drifting_index(chunks: list[Json]) -> list[Json]:
    for number, chunk in enumerate(chunks):
        for choice in chunk["choices"]:
            choice["index"] = min(number, 1)
    return chunks


def _without_usage(chunks: list[Json]) -> list[Json]:
    kept = []
    for chunk in chunks:
        had = chunk.pop("usage", None)
        if chunk["choices"] or not had:
            kept.append(chunk)
    return kept


def _last_stream_again() -> Before:
    """The question of the last stream is answered once more, to whoever asks next."""
    left: list[Any] = []

    def before(request: Request) -> Request | Reply:
        if not request.at(CHAT):
            return request
        if request.streams:
            left.append(request.json["messages"])
        elif left:
            return request.with_json({**request.json, "messages": left.pop()})
        return request

    return before


def _question_before() -> Before:
    """Everyone gets the answer to the question that came before."""
    asked: list[Any] = []

    def before(request: Request) -> Request | Reply:
        if not request.at(CHAT):
            return request
        asked.append(request.json["messages"])
        return request.with_json({**request.json, "messages": asked[max(0, len(asked) - 2)]})

    return before


def _has_turn(role: str) -> Callable[[Request], bool]:
    def mentions(request: Request) -> bool:
        messages = request.json.get("messages")
        return isinstance(messages, list) and any(
            isinstance(message, dict) and message.get("role") == role for message in messages
        )

    return mentions


def _without_schema(request: Request) -> Request | Reply:
    if "response_format" not in request.json:
        return request
    return request.with_json({key: value for key, value in request.json.items() if key != "response_format"})


def _parsed_arguments(body: Json) -> Json:
    for choice in body["choices"]:
        for call in choice["message"].get("tool_calls") or []:
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return body


def _base64(pack: str) -> After:
    """Where base64 was asked for, vectors in it: ``pack`` is the byte order and type of a number."""

    def after(request: Request, reply: Reply) -> Reply:
        body = reply.json
        if (
            reply.status != 200
            or not request.at(EMBEDDINGS)
            or request.json.get("encoding_format") != "base64"
        ):
            return reply
        for entry in body["data"]:
            numbers = entry["embedding"]
            packed = struct.pack(f"{pack[0]}{len(numbers)}{pack[1]}", *numbers)
            entry["embedding"] = base64.b64encode(packed).decode()
        return reply.with_json(body)

    return after


def _string_as_message(request: Request) -> Request | Reply:
    text = request.json.get("messages")
    if not isinstance(text, str):
        return request
    return request.with_json({**request.json, "messages": [{"role": "user", "content": text}]})


def _late_alarm() -> Reply:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    call = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "SetAlarm", "arguments": '{"hour": 8}'},
    }
    first = {"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": None}
    last = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    return _events({**chunk, "choices": [first]}, {**chunk, "choices": [last]})


SDK_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "sdk-list-short",
        "the last model is missing from the list",
        {
            "API-SDK-002": "expected the SDK to list hx-chat",
            "API-SDK-023": "expected AsyncOpenAI to list hx-chat",
            "API-MODELS-001": "missing: hx-chat",
        },
        after=listing(lambda entries: [entry for entry in entries if entry["id"] != "hx-chat"]),
    ),
    gateway_fault(
        "sdk-retrieves-default",
        "whichever model is asked for, a default one is retrieved",
        {
            "API-SDK-003": "expected the model 'hx-chat', the SDK got 'default'",
            "API-SDK-004": "expected NotFoundError, the SDK got a model",
        },
        before=_of(json_reply(200, MODEL_OF_ITS_OWN), _retrieves),
    ),
    gateway_fault(
        "sdk-chat-as-text",
        "completions are declared to be plain text",
        {
            "API-SDK-005": "expected 200 and application/json, got 200 and 'text/plain'",
            "API-OPS-013": "a chat completion: expected application/json, got text/plain",
        },
        after=_as_text,
    ),
    gateway_fault(
        "sdk-stream-without-finish",
        "no chunk of a stream has a finish_reason",
        {
            "API-SDK-006": r"expected the stream to end with finish_reason stop, got \[\]",
            "API-STREAM-052": r"stream\.finish\.missing",
        },
        after=edit_events(_without_finish),
    ),
    gateway_fault(
        "sdk-stream-index-drifts",
        "the choice's index changes in mid-stream",
        {
            "API-SDK-007": "expected the final completion to give 'HX-OK'",
            "API-SDK-025": "expected the final completion to give 'HX-OK'",
            "API-STREAM-037": r"stream\.choice\.",
        },
        after=edit_events(_drifting_index),
    ),
    gateway_fault(
        "sdk-stream-without-usage",
        "a stream has no usage, although it was asked for",
        {
            "API-SDK-008": "expected the final completion to have its usage",
            "API-STREAM-070": r"stream\.usage\.missing",
        },
        after=edit_events(_without_usage),
    ),
    gateway_fault(
        "sdk-stream-lives-on",
        "the question of a stream that was left is answered to whoever asks next",
        {"API-SDK-009": "expected the request after a stream that was left to give 'HX-OK'"},
        before=_last_stream_again(),
    ),
    gateway_fault(
        "sdk-own-turn-refused",
        "a conversation in which the assistant spoke is refused",
        {"API-SDK-010": "BadRequestError", "API-CHAT-026": "expected 200 from .*, got 400"},
        before=answers(
            envelope(400, "extra inputs", "invalid_request_error"), CHAT, when=_has_turn("assistant")
        ),
    ),
    gateway_fault(
        "sdk-schema-dropped",
        "response_format never reaches the model",
        {
            "API-SDK-011": "the SDK could not read the answer as JSON",
            "API-SDK-027": "the SDK could not read the answers as JSON",
        },
        before=_without_schema,
    ),
    gateway_fault(
        "sdk-arguments-object",
        "the arguments of a tool call are an object, as Ollama has them",
        {"API-SDK-012": "Validation|could not read the arguments", "API-CHAT-001": "arguments"},
        after=unstreamed_chat(_parsed_arguments),
    ),
    gateway_fault(
        "sdk-stream-other-arguments",
        "a streamed tool call has other arguments than the model gave",
        {"API-SDK-013": r"expected one call of SetAlarm with hour 7, the SDK read .*hour=8"},
        before=answers(_late_alarm(), CHAT, when=lambda r: r.streams and "tools" in r.json),
    ),
    gateway_fault(
        "sdk-tool-result-refused",
        "a tool's result is refused",
        {"API-SDK-014": "BadRequestError"},
        before=answers(envelope(400, "unknown role", "invalid_request_error"), CHAT, when=_has_turn("tool")),
    ),
    gateway_fault(
        "sdk-base64-doubles",
        "base64 vectors are made of 64-bit numbers",
        {
            "API-SDK-015": r"expected 2 vectors of \d+ numbers, the SDK got",
            "API-SDK-028": r"expected a vector of \d+ numbers, AsyncOpenAI got",
            "API-EMB-011": "the same 32-bit floats",
        },
        after=_base64("<d"),
    ),
    gateway_fault(
        "sdk-base64-big-endian",
        "base64 vectors are in network byte order",
        {"API-SDK-016": "expected the same vector twice", "API-EMB-011": "the same 32-bit floats"},
        after=_base64(">f"),
    ),
    gateway_fault(
        "sdk-wrong-key-403",
        "a wrong key is forbidden rather than unauthorised",
        {
            "API-SDK-017": r"expected AuthenticationError, got PermissionDeniedError \(403\)",
            "API-SDK-029": r"expected AuthenticationError, got PermissionDeniedError \(403\)",
            "API-AUTH-003": "expected 401 .*got 403",
        },
        before=answers(envelope(403, "forbidden", "auth_error"), MODELS, when=lambda r: not r.authorised),
    ),
    gateway_fault(
        "sdk-unknown-model-500",
        "an unknown model is an internal error",
        {
            "API-SDK-018": "expected NotFoundError or BadRequestError, got InternalServerError",
            "API-ERR-001": "got 500",
        },
        before=answers(envelope(500, "KeyError", "internal"), CHAT, when=_asks_unknown),
    ),
    gateway_fault(
        "sdk-error-detail",
        "errors have a detail instead of OpenAI's envelope",
        {"API-SDK-019": "expected a message in the error's body", "API-ERR-001": r"schema\.error-envelope"},
        before=answers(json_reply(404, {"detail": "no such model"}), CHAT, when=_asks_unknown),
    ),
    gateway_fault(
        "sdk-error-in-stream",
        "a streamed request is refused with status 200 and an error in the stream",
        {"API-SDK-020": "expected NotFoundError or BadRequestError, got an answer"},
        before=answers(
            _events({"error": {"message": "no such model", "code": "404"}}),
            CHAT,
            when=lambda r: r.streams and _asks_unknown(r),
        ),
    ),
    gateway_fault(
        "sdk-string-as-message",
        "a text is served where a list of messages belongs",
        {"API-SDK-021": "expected BadRequestError or UnprocessableEntityError, got an answer"},
        before=_string_as_message,
    ),
    gateway_fault(
        "sdk-any-route-200",
        "a route that does not exist is answered with 200",
        {"API-SDK-022": "expected NotFoundError, got an answer"},
        before=_of(json_reply(200, {}), lambda request: "no-such-route" in request.path),
    ),
    gateway_fault(
        "sdk-created-as-text",
        "created is a date in words",
        {"API-SDK-024": "Validation", "API-CHAT-001": "created"},
        after=unstreamed_chat(lambda body: {**body, "created": "2026-04-01T10:00:00Z"}),
    ),
    gateway_fault(
        "sdk-answers-mixed-up",
        "everyone gets the answer to the question that came before",
        {"API-SDK-026": "expected each request to get its own answer"},
        before=_question_before(),
    ),
)
