"""Defects of time, load and HTTP, and of the endpoints beside chat and embeddings."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lab.faults.model import Before, Fault, gateway_fault
from lab.faults.mutators import CHAT, MODELS, answers
from lab.proxy.message import Json, Reply, Request, edit_events, edit_json, envelope, events_of, json_reply

COMPLETIONS = "/v1/completions"
RESPONSES = "/v1/responses"
LIVENESS = "/liveliness"
READINESS = "/readiness"

SLOW_HEALTH_S, SLOW_TOKEN_S, SLOW_ANSWER_S = 2.5, 4.5, 8.5
"""Each a little more than the bound that ``local`` declares."""
AT_ONCE_S = 1.0
"""Requests that arrive within this time count as sent at once."""

ALIVE = replace(json_reply(200, "alive"), delay_s=SLOW_HEALTH_S)
READY = replace(json_reply(200, {"status": "healthy"}), delay_s=SLOW_HEALTH_S)

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
DECLARES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "completions-crash": {"gateway": {"endpoints": []}},
    **dict.fromkeys(
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
    ),
}
"""What the environment of a fault declares otherwise than ``local`` does: fault -> table -> keys."""


def crowd_refused(most: int) -> Before:
    """A before-hook that refuses chat beyond so many requests at once."""
    recent: deque[float] = deque()

    def before(request: Request) -> Request | Reply:
        if not request.at(CHAT):
            return request
        now = time.monotonic()
        while recent and now - recent[0] > AT_ONCE_S:
            recent.popleft()
        recent.append(now)
        return envelope(429, "too many requests", "rate_limit") if len(recent) > most else request

    return before


def busy_means_dead() -> Before:
    """A before-hook that makes liveness wait while chat is under way."""
    last = [float("-inf")]

    def before(request: Request) -> Request | Reply:
        if request.at(CHAT):
            last[0] = time.monotonic()
        busy = time.monotonic() - last[0] < AT_ONCE_S
        return ALIVE if request.at(LIVENESS) and busy else request

    return before


def delayed(seconds: float, when: Callable[[Request], bool]) -> Callable[[Request, Reply], Reply]:
    """An after-hook that keeps chat completions back."""
    return lambda request, reply: (
        replace(reply, delay_s=seconds) if request.at(CHAT) and when(request) else reply
    )


def of_phi3(request: Request) -> bool:
    """Whether one model is asked: a slow one is enough."""
    return request.json.get("model") == "llm02-phi3"


def text(change: Callable[[str], str]) -> Callable[[Request, Reply], Reply]:
    """Change the text of whole text completions."""

    def changed(body: Json) -> Json:
        return {**body, "choices": [{**c, "text": change(c["text"])} for c in body["choices"]]}

    return edit_json(COMPLETIONS, change=changed)


def text_stream(change: Callable[[list[Json]], list[Json]]) -> Callable[[Request, Reply], Reply]:
    """Change the chunks of streamed text completions."""
    edit = edit_events(change)
    return lambda request, reply: edit(request, reply) if request.at(COMPLETIONS) else reply


def second_id(chunks: list[Json]) -> list[Json]:
    """One id in all chunks but the last, whatever the gateway gave them: newer LiteLLM gives each its own."""
    return [{**chunk, "id": f"cmpl-{int(chunk is chunks[-1])}"} for chunk in chunks]


def without_end(request: Request, reply: Reply) -> Reply:
    """A text stream that just stops."""
    if not (request.streams and request.at(COMPLETIONS)):
        return reply
    kept = [event for event in events_of(reply) if event != "[DONE]"]
    return replace(reply, chunks=tuple(f"data: {event}\n\n".encode() for event in kept))


def without_limit(request: Request) -> Request | Reply:
    """max_tokens of text completions is dropped."""
    if not request.at(COMPLETIONS):
        return request
    return request.with_json({**request.json, "max_tokens": 64})


def swapped(request: Request) -> Request | Reply:
    """A list of prompts is answered in the wrong order."""
    if not request.at(COMPLETIONS) or not isinstance(request.json.get("prompt"), list):
        return request
    choices = [
        {"index": number, "text": said, "finish_reason": "stop"}
        for number, said in enumerate(("HX-TWO", "HX-ONE"))
    ]
    return json_reply(200, {"object": "text_completion", "choices": choices})


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


CRASH = Reply(500, (("content-type", "text/plain"),), (b"Internal Server Error",))

OPERATION_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "liveness-slow",
        "liveness calls every model, and takes its time",
        {"API-OPS-003": "within 2 s, it took"},
        before=answers(ALIVE, LIVENESS),
    ),
    gateway_fault(
        "readiness-slow",
        "readiness takes its time",
        {"API-OPS-004": "within 2 s, it took"},
        before=answers(READY, READINESS),
    ),
    gateway_fault(
        "readiness-untrue",
        "readiness says healthy while no chat is served",
        {"API-OPS-005": "says ready, and a chat completion gets 503"},
        before=answers(envelope(503, "no deployment", "unavailable"), CHAT),
    ),
    gateway_fault(
        "busy-means-dead",
        "liveness waits for the requests that are under way",
        {"API-OPS-006": "within 2 s, it took"},
        before=busy_means_dead(),
    ),
    gateway_fault(
        "first-token-late",
        "streams of one model begin late",
        {"API-OPS-007": "first token of llm02-phi3 within 4 s, it took"},
        after=delayed(SLOW_TOKEN_S, lambda request: request.streams and of_phi3(request)),
    ),
    gateway_fault(
        "answer-late",
        "answers of one model are late",
        {"API-OPS-008": "llm02-phi3 to answer within 8 s, it took"},
        after=delayed(SLOW_ANSWER_S, of_phi3),
    ),
    gateway_fault(
        "crowd-refused",
        "more than four requests at once are too many",
        {"API-OPS-009": "were not answered: .*429"},
        before=crowd_refused(4),
    ),
    gateway_fault(
        "connection-closed",
        "every answer closes its connection",
        {"API-OPS-010": "the gateway closed it"},
        after=lambda _, reply: reply.with_header("connection", "close"),
    ),
    gateway_fault(
        "connection-ends-untold",
        "refusals close their connection and do not say so",
        {"API-OPS-016": r"answer to an unknown route \(404\) the connection was closed, and nothing"},
        after=lambda _, reply: replace(reply, hung_up=reply.status >= 400),
    ),
    gateway_fault(
        "head-crashes",
        "HEAD is an internal error",
        {"API-OPS-011": "HEAD .*got 500"},
        before=answers(replace(CRASH, chunks=()), "", when=lambda request: request.method == "HEAD"),
    ),
    gateway_fault(
        "options-serves",
        "OPTIONS is routed as POST",
        {"API-OPS-012": "answered with a completion"},
        before=answers(
            json_reply(200, {"choices": []}), CHAT, when=lambda request: request.method == "OPTIONS"
        ),
    ),
    gateway_fault(
        "json-as-text",
        "JSON is sent as text",
        {"API-OPS-013": "GET /v1/models: expected application/json, got text/plain"},
        after=lambda request, reply: (
            reply.with_header("content-type", "text/plain") if request.at(MODELS) else reply
        ),
    ),
    gateway_fault(
        "request-id-missing",
        "no header tells a request's id",
        {"API-OPS-014": "there is none"},
        after=lambda _, reply: reply.with_header("x-litellm-call-id", None),
    ),
    gateway_fault(
        "request-id-constant",
        "every request has the same id",
        {"API-OPS-014": "two have"},
        after=lambda _, reply: reply.with_header("x-litellm-call-id", "1"),
    ),
    gateway_fault(
        "clock-wrong",
        "the gateway's clock stands still",
        {"API-OPS-015": "the gateway's is .* s away"},
        after=lambda _, reply: reply.with_header("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ),
    gateway_fault(
        "completion-of-chat",
        "a text completion calls itself a chat completion",
        {"API-COMP-001": "object"},
        after=edit_json(COMPLETIONS, change=lambda body: {**body, "object": "chat.completion"}),
    ),
    gateway_fault(
        "completion-decorated",
        "the gateway adds words to text completions",
        {"API-COMP-002": "expected exactly 'HX-OK'"},
        after=text(lambda said: f"Sure! {said}"),
    ),
    gateway_fault(
        "completion-usage",
        "the usage of text completions is zero",
        {"API-COMP-003": "tokens that add up"},
        after=edit_json(COMPLETIONS, change=lambda body: {**body, "usage": dict.fromkeys(body["usage"], 0)}),
    ),
    gateway_fault(
        "completion-unlimited",
        "max_tokens of text completions has no effect",
        {"API-COMP-004": "expected at most 3 tokens"},
        before=without_limit,
    ),
    gateway_fault(
        "completion-batch-swapped",
        "a list of prompts is answered in the wrong order",
        {"API-COMP-005": r"got \['HX-TWO', 'HX-ONE'\]"},
        before=swapped,
    ),
    gateway_fault(
        "completion-stream-endless",
        "a streamed text completion ends without [DONE]",
        {"API-COMP-006": r"does not end with \[DONE\]"},
        after=without_end,
    ),
    gateway_fault(
        "completion-stream-loses-text",
        "a streamed text completion loses its first piece",
        {"API-COMP-007": "expected the stream to spell"},
        after=text_stream(lambda chunks: chunks[1:]),
    ),
    gateway_fault(
        "completion-stream-ids",
        "the last chunk of a text stream has another id",
        {"API-COMP-008": r"expected one id in all chunks, got 2 in ([3-9]|\d{2,}) chunks"},
        after=text_stream(second_id),
    ),
    gateway_fault(
        "completion-stream-without-ids",
        "the chunks of a text stream have no id",
        {"API-COMP-008": "got chunks without id"},
        after=text_stream(lambda chunks: [{**chunk, "id": None} for chunk in chunks]),
    ),
    gateway_fault(
        "completion-of-unknown-model",
        "a text completion of a model that does not exist is answered",
        {"API-COMP-009": "of an unknown model: .*got 200"},
        before=answers(
            json_reply(200, {"object": "text_completion", "choices": []}),
            COMPLETIONS,
            when=lambda request: request.json.get("model") == "no-such-model",
        ),
    ),
    gateway_fault(
        "completions-crash",
        "the endpoint that nobody promised is an internal error",
        {"API-COMP-010": "expected an answer or a refusal, got 500"},
        before=answers(CRASH, COMPLETIONS),
    ),
    gateway_fault(
        "responses-crash",
        "the endpoint that nobody promised is an internal error",
        {"API-RESP-001": "expected an answer or a refusal, got 500"},
        before=answers(CRASH, RESPONSES),
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
