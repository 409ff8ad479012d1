"""Defects of /v1/responses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from lab.faults.model import Before, Fault, gateway_fault
from lab.faults.mutators import BARE_CRASH, answers
from lab.message import Json, Reply, Request, envelope, json_reply

RESPONSES = "/v1/responses"
MESSAGE: Json = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "HX-OK", "annotations": []}],
}
RESPONSE: Json = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1795391286,
    "model": "hx-chat",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "output": [MESSAGE],
    "usage": {"input_tokens": 12, "output_tokens": 3, "total_tokens": 15},
}
"""A healthy response: LiteLLM 1.74.15 has none, so its defects are made of this."""

EVENTS: tuple[Json, ...] = (
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress"}},
    {"type": "response.output_item.added", "output_index": 0, "item": {**MESSAGE, "content": []}},
    *(
        {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "delta": piece}
        for piece in ("HX", "-OK")
    ),
    {"type": "response.completed", "response": RESPONSE},
)

PROMISED = {"gateway": {"endpoints": ["completions", "responses"]}}
DECLARES: Mapping[str, Mapping[str, Mapping[str, Any]]] = dict.fromkeys(
    (
        "response-of-chat",
        "response-without-text",
        "response-usage",
        "response-cut-in-silence",
        "response-stream-headless",
        "response-stream-loses-text",
        "response-refusals-500",
        "response-instructions-ignored",
    ),
    PROMISED,
)
"""What the environment of a fault declares otherwise than ``local`` does: fault -> table -> keys."""


def responding(
    change: Callable[[Json], Json] = lambda body: body,
    events: Callable[[list[Json]], list[Json]] = lambda all_events: all_events,
) -> Before:
    """A before-hook that answers /v1/responses by itself, well but for these changes."""

    def before(request: Request) -> Request | Reply:
        if not request.at(RESPONSES):
            return request
        if request.streams:
            chunks = [f"data: {json.dumps(event)}\n\n".encode() for event in events(list(EVENTS))]
            return Reply(200, (("content-type", "text/event-stream"),), tuple(chunks))
        return json_reply(200, change(RESPONSE))

    return before


def with_deltas(events: list[Json]) -> list[Json]:
    """Other deltas than the response at the end."""
    return [{**event, "delta": "HX"} if "delta" in event else event for event in events]


RESPONSE_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "responses-crash",
        "the endpoint that nobody promised is an internal error",
        {"API-RESP-001": "expected an answer or a refusal, got 500"},
        before=answers(BARE_CRASH, RESPONSES),
    ),
    gateway_fault(
        "response-of-chat",
        "a response calls itself a chat completion",
        {"API-RESP-002": 'expected "response", got "chat.completion"'},
        before=responding(lambda body: {**body, "object": "chat.completion"}),
    ),
    gateway_fault(
        "response-without-text",
        "a response has no text",
        {"API-RESP-003": "expected exactly 'HX-OK'"},
        before=responding(lambda body: {**body, "output": []}),
    ),
    gateway_fault(
        "response-usage",
        "the usage of a response has the names of chat",
        {"API-RESP-004": "tokens that add up, got None"},
        before=responding(lambda body: {**body, "usage": {"prompt_tokens": 12, "total_tokens": 15}}),
    ),
    gateway_fault(
        "response-cut-in-silence",
        "a response that was cut calls itself completed",
        {"API-RESP-005": "expected status incomplete .* got completed"},
        before=responding(),
    ),
    gateway_fault(
        "response-stream-headless",
        "a streamed response begins with its text",
        {"API-RESP-006": "expected response.created as the first event"},
        before=responding(events=lambda events: events[2:]),
    ),
    gateway_fault(
        "response-stream-loses-text",
        "the deltas of a stream are not the text that it ends with",
        {"API-RESP-007": "in deltas and at the end, got 'HXHX'"},
        before=responding(events=with_deltas),
    ),
    gateway_fault(
        "response-refusals-500",
        "a response without input is an internal error",
        {"API-RESP-008": "without input: .*got 500"},
        before=answers(envelope(500, "'input'", "internal"), RESPONSES),
    ),
    gateway_fault(
        "response-instructions-ignored",
        "the instructions of a response have no effect",
        {"API-RESP-009": "expected the instructions to change the answer"},
        before=responding(),
    ),
)
