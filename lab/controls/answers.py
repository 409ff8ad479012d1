"""Whole answers and headers that are right in another form."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from lab.controls.model import Control
from lab.faults.model import After
from lab.message import Headers, Json, Reply, Request, edit_json

CHAT, EMBEDDINGS, MODELS = "/chat/completions", "/embeddings", "/models"
SHAPES = ("API-CHAT-00", "API-CHAT-01", "API-MODELS-00", "API-EMB-00", "API-SDK-00", "API-SDK-01")

SHAPED = (
    *("API-CHAT-005", "API-MODELS-003", "API-MODELS-004", "API-EMB-012"),
    *("API-SDK-002", "API-SDK-005", "API-SDK-015"),
)
"""What looks at the form of whole answers."""


def _all(*changes: After) -> After:
    def after(request: Request, reply: Reply) -> Reply:
        for change in changes:
            reply = change(request, reply)
        return reply

    return after


def _extra(document: Json) -> Json:
    document["x_provider"] = {"region": "north", "hops": [1, 2]}
    for entry in (*document.get("choices", ()), *document.get("data", ())):
        if isinstance(entry, dict):
            entry["x_extra"] = None
    return document


def _bare(document: Json) -> Json:
    for name in ("system_fingerprint", "service_tier"):
        document.pop(name, None)
    for choice in document.get("choices", ()):
        for name in ("logprobs", "provider_specific_fields"):
            choice.pop(name, None)
        message = choice.get("message", {})
        for name in ("annotations", "refusal", "function_call", "audio"):
            if not message.get(name):
                message.pop(name, None)
        if not message.get("tool_calls"):
            message.pop("tool_calls", None)
    usage = document.get("usage")
    if isinstance(usage, dict):
        document["usage"] = {name: value for name, value in usage.items() if not name.endswith("_details")}
    return document


def _details(cached: int) -> Callable[[Json], Json]:
    def change(document: Json) -> Json:
        usage = document.get("usage")
        if isinstance(usage, dict) and usage.get("completion_tokens"):
            held = min(cached, usage["prompt_tokens"])
            usage["prompt_tokens_details"] = {"cached_tokens": held, "audio_tokens": 0}
            usage["completion_tokens_details"] = {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            }
        return document

    return change


def _other_ids(document: Json) -> Json:
    return {**document, "id": str(uuid.uuid4())} if "id" in document else document


def _title(headers: Headers) -> Headers:
    return tuple((name.title(), value) for name, value in headers)


ANSWER_CONTROLS = (
    Control(
        "right-extra-fields",
        "answers, choices and entries carry fields that no description names",
        after=edit_json(CHAT, EMBEDDINGS, MODELS, change=_extra),
        checks=SHAPES,
        concerns=SHAPED,
    ),
    Control(
        "right-bare-answers",
        "everything that is optional is left out: fingerprint, log probabilities, details, empty lists",
        after=edit_json(CHAT, change=_bare),
        checks=SHAPES,
        concerns=SHAPED,
    ),
    Control(
        "right-usage-details",
        "usage tells its details, all zero",
        after=edit_json(CHAT, change=_details(0)),
        checks=SHAPES,
        concerns=("API-CHAT-012", "API-CHAT-013", "API-SDK-005"),
    ),
    Control(
        "right-prompt-caching",
        "prompts are cached, and usage says so; they are counted whole",
        after=edit_json(CHAT, change=_details(1_000_000)),
        checks=SHAPES,
        concerns=("API-CHAT-012", "API-CHAT-013", "API-SDK-005"),
    ),
    Control(
        "right-other-ids",
        "ids of answers are UUIDs",
        after=edit_json(CHAT, change=_other_ids),
        checks=("API-CHAT-00", "API-CHAT-04", "API-SDK-00"),
        concerns=("API-CHAT-003", "API-SDK-005"),
    ),
    Control(
        "right-header-case",
        "names of headers are written with capitals",
        after=lambda _, reply: Reply(reply.status, _title(reply.headers), reply.chunks),
        checks=("API-STREAM-00", "API-OPS-0", "BACKEND-ROUTE-00", "API-EXPO-01"),
        concerns=("API-STREAM-003", "BACKEND-ROUTE-005", "API-EXPO-011"),
    ),
    Control(
        "right-connection-close",
        "every answer ends its connection",
        after=lambda _, reply: reply.with_header("connection", "close"),
        checks=("API-STREAM-00", "API-OPS-0", "API-SDK-00"),
        concerns=(
            "API-STREAM-004",
            "API-OPS-009",
            "API-OPS-010",
            "API-OPS-016",
            "API-SDK-006",
            "API-SDK-009",
        ),
    ),
    Control(
        "right-media-type-parameters",
        "media types name their character set",
        after=lambda _, reply: reply.with_header("content-type", _with_charset(reply)),
        checks=("API-STREAM-00", "API-CHAT-00", "API-ERR-00", "API-MODELS-00"),
        concerns=("API-STREAM-003", "API-ERR-002", "API-MODELS-003"),
    ),
)


def _with_charset(reply: Reply) -> str:
    kind = next((value for name, value in reply.headers if name.lower() == "content-type"), "")
    bare = kind.split(";")[0]
    return f"{bare}; charset=utf-8" if bare in ("application/json", "text/event-stream") else kind
