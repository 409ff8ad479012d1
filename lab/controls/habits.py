"""Right gateways with habits of other servers, and of what stands in front: vLLM, a CDN, RFC 9457."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from lab.controls.answers import CHAT, SHAPED, SHAPES
from lab.controls.model import Control
from lab.controls.refusals import ERRORS, REFUSED, refusals
from lab.controls.streams import CALLS, CHUNKS, FRAMING, STREAMS, framed
from lab.faults.model import After
from lab.message import Json, Reply, Request, edit_events, edit_json, envelope

CALL_ID = 9
"""Characters of a call's id, as Mistral's servers make them."""
OPTIONAL = ("logprobs", "top_logprobs", "response_format", "logit_bias")
"""Parameters that a server may honestly say it does not have."""
CDN = (
    ("server", "cloudflare"),
    ("cf-ray", "8f2b61c0dd0a3e21-FRA"),
    ("cf-cache-status", "DYNAMIC"),
    ("alt-svc", 'h3=":443"; ma=86400'),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("vary", "Accept-Encoding"),
)
"""What a content delivery network adds to every answer."""


def choices_of(document: Json) -> list[Json]:
    """Those that are objects."""
    return [choice for choice in document.get("choices") or [] if isinstance(choice, dict)]


def _of_vllm(document: Json) -> Json:
    document |= {"prompt_logprobs": None, "kv_transfer_params": None, "service_tier": None}
    document["system_fingerprint"] = None
    for choice in choices_of(document):
        choice |= {"stop_reason": None, "logprobs": choice.get("logprobs")}
        message = choice.get("message")
        if isinstance(message, dict):
            message |= {"refusal": None, "annotations": None, "audio": None, "function_call": None}
            message |= {"tool_calls": message.get("tool_calls") or [], "reasoning_content": None}
    usage = document.get("usage")
    if isinstance(usage, dict):
        usage["prompt_tokens_details"] = None
    return document


def _vllm(request: Request, reply: Reply) -> Reply:
    if not request.streams:
        return edit_json(CHAT, change=_of_vllm)(request, reply)

    def chunks(given: list[Json]) -> list[Json]:
        for chunk in given:
            for choice in choices_of(chunk):
                choice |= {"stop_reason": None, "logprobs": choice.get("logprobs")}
        return given

    return edit_events(chunks)(request, reply)


def _written_otherwise(request: Request, reply: Reply) -> Reply:
    """Whole JSON over many lines, characters as they are, a line feed at the end."""
    document = reply.json
    if request.streams or reply.status != 200 or not isinstance(document, (dict, list)):
        return reply  # refusals of the real gateway are held against its deviations, by their words
    text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True)
    return replace(reply, chunks=(f"{text}\n".encode(),))


def _farewell(request: Request, reply: Reply) -> Reply:
    if not request.streams or reply.status != 200:
        return reply
    return replace(reply, chunks=(*reply.chunks, b": bye\n\n"))


def _problem(request: Request, reply: Reply) -> Reply:
    """RFC 9457's members beside the envelope, and its media type."""
    refusal = refusals(lambda error: error)(request, reply)
    document = refusal.json
    if refusal.status < 400 or not isinstance(document, dict) or not isinstance(document.get("error"), dict):
        return refusal
    members = {"type": "about:blank", "title": "Request refused", "status": refusal.status}
    return refusal.with_json({**members, **document}).with_header("content-type", "application/problem+json")


def _method_unknown(request: Request, reply: Reply) -> Reply:
    if reply.status != 405:
        return reply
    refused = envelope(404, "there is no such route for this method", "invalid_request_error")
    return refused if request.method != "HEAD" else replace(refused, chunks=())


def _without_options(request: Request) -> Request | Reply:
    document = request.json
    asked = [name for name in OPTIONAL if document.get(name) not in (None, False)]
    asked += ["n"] if isinstance(document.get("n"), int) and document["n"] > 1 else []
    plain = document.get("response_format") == {"type": "text"}
    if (
        not request.authorised
        or not request.at(CHAT)
        or not asked
        or (plain and asked == ["response_format"])
    ):
        return request
    refused = envelope(400, f"{asked[0]} is not supported by this deployment", "invalid_request_error")
    error = {**refused.json["error"], "param": asked[0], "code": "unsupported_parameter"}
    return refused.with_json({"error": error})


def _with_length(request: Request, reply: Reply) -> Reply:
    return reply if request.streams else reply.with_header("content-length", str(len(reply.body)))


def _not_found(request: Request, reply: Reply) -> Reply:
    """OpenAI's own words for a model that is not there; where none is named it says 400, as LiteLLM does."""
    name = request.json.get("model")
    unknown = "nvalid model name" in reply.body.decode("utf-8", "replace")
    if reply.status not in (400, 404) or not unknown or not isinstance(name, str):
        return reply
    error = {
        "message": f"The model `{name}` does not exist or you do not have access to it.",
        "type": "invalid_request_error",
        "param": None,
        "code": "model_not_found",
    }
    return replace(reply, status=404).with_json({"error": error})


def _behind_cdn(_: Request, reply: Reply) -> Reply:
    for name, value in CDN:
        reply = reply.with_header(name, value)
    cookie = "__cf_bm=x1; path=/; HttpOnly; Secure; SameSite=None"
    return replace(reply, headers=(*reply.headers, ("set-cookie", cookie)))


def _empty_beside_calls(document: Json) -> Json:
    for choice in choices_of(document):
        if choice["message"].get("tool_calls"):
            choice["message"]["content"] = ""
    return document


def _short(name: object) -> str:
    return "".join(letter for letter in str(name) if letter.isalnum())[-CALL_ID:]


def _short_ids(part: str) -> Callable[[Json], Json]:
    def change(document: Json) -> Json:
        for choice in choices_of(document):
            for call in (choice.get(part) or {}).get("tool_calls") or []:
                if call.get("id"):
                    call["id"] = _short(call["id"])
        return document

    return change


def _call_ids() -> After:
    unstreamed, piece = edit_json(CHAT, change=_short_ids("message")), _short_ids("delta")

    def after(request: Request, reply: Reply) -> Reply:
        if request.streams:
            return edit_events(lambda chunks: [piece(chunk) for chunk in chunks])(request, reply)
        return unstreamed(request, reply)

    return after


HABIT_CONTROLS = (
    Control(
        "right-nulls-of-vllm",
        "answers tell what is not there, as vLLM's do: null fields, and no calls as an empty list",
        after=_vllm,
        checks=(*SHAPES, *STREAMS, "API-TOOLS-0"),
        concerns=(*SHAPED, *CHUNKS, "API-TOOLS-001", "API-TOOLS-008"),
    ),
    Control(
        "right-json-over-lines",
        "JSON is written over many lines, its keys in order, with a line feed at the end",
        after=_written_otherwise,
        checks=SHAPES,
        concerns=(*SHAPED, "API-EXPO-005"),
    ),
    Control(
        "right-sse-event-message",
        "events are called message, which is what nameless ones are",
        after=framed(lambda _, data: f"event: message\ndata: {data}\n\n".encode()),
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-sse-comment-after-done",
        "a comment follows [DONE]",
        after=_farewell,
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-errors-problem-json",
        "refusals are problem details of RFC 9457 with the envelope in them",
        after=_problem,
        checks=(*ERRORS, "API-SDK-01", "API-SDK-02", "API-AUTH-0"),
        concerns=(*REFUSED, "API-AUTH-010"),
    ),
    Control(
        "right-wrong-method-404",
        "a route that has no such method is not found",
        after=_method_unknown,
        checks=(*ERRORS, "API-OPS-0", "API-EXPO-0"),
        concerns=("API-ERR-037", "API-ERR-036", "API-OPS-011", "API-OPS-012", "API-ACCESS-011"),
    ),
    Control(
        "right-refuses-optional",
        "several choices, log probabilities and formats are honestly refused",
        before=_without_options,
        checks=("API-CHAT-0", "API-SDK-0", "API-STREAM-0"),
        concerns=(
            *("API-CHAT-018", "API-CHAT-022", "API-CHAT-038", "API-CHAT-039", "API-CHAT-067"),
            *("API-CHAT-041", "API-CHAT-042", "API-STREAM-057", "API-PROP-004"),
            *("API-SDK-011", "API-SDK-012", "API-SDK-027"),
        ),
    ),
    Control(
        "right-answers-with-length",
        "whole answers tell their length",
        after=_with_length,
        checks=("API-CHAT-00", "API-OPS-0", "API-ERR-00"),
        concerns=("API-OPS-009", "API-OPS-010", "API-ERR-002", "API-CHAT-030"),
    ),
    Control(
        "right-unknown-model-404",
        "an unknown model is 404 with the code model_not_found, as OpenAI says it",
        after=_not_found,
        checks=(*ERRORS, "API-SDK-01", "API-SDK-02"),
        concerns=(
            *("API-ERR-001", "API-ERR-020", "API-ERR-031", "API-ERR-032"),
            *("API-SDK-019", "API-MODELS-006"),
        ),
    ),
    Control(
        "right-behind-a-cdn",
        "a content delivery network stands in front: its headers and its cookie in every answer",
        after=_behind_cdn,
        checks=("API-EXPO-0", "API-ACCESS-0", "API-AUTH-0", "API-OPS-0"),
        concerns=("API-EXPO-011", "API-EXPO-012", "API-AUTH-013", "API-ACCESS-006", "API-OPS-014"),
    ),
    Control(
        "right-tools-content-empty",
        "an answer that calls tools has an empty text, not null",
        after=edit_json(CHAT, change=_empty_beside_calls),
        checks=("API-TOOLS-0", "API-SDK-01"),
        concerns=("API-TOOLS-001", "API-TOOLS-002", "API-TOOLS-003", "API-TOOLS-005", "API-SDK-012"),
    ),
    Control(
        "right-call-ids-short",
        "ids of calls are nine letters and digits, as Mistral's servers make them",
        after=_call_ids(),
        checks=("API-TOOLS-0", *STREAMS, "API-SDK-01"),
        concerns=("API-TOOLS-003", "API-TOOLS-009", *CALLS),
    ),
)
