"""Defects of /v1/completions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lab.faults.model import Fault, gateway_fault
from lab.faults.mutators import BARE_CRASH, answers
from lab.message import Json, Reply, Request, edit_events, edit_json, events_of, json_reply

COMPLETIONS = "/v1/completions"
EXACTLY = "Return exactly the text: "
DECLARES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "completions-crash": {"gateway": {"endpoints": []}}
}
"""What the environment of a fault declares otherwise than ``local`` does: fault -> table -> keys."""


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
    """A list of prompts is answered in the wrong order; the gateway knows what is said to each of them."""
    if not request.at(COMPLETIONS) or request.streams:
        return request
    prompts = request.json.get("prompt")
    asked = [prompts] if isinstance(prompts, str) else list(reversed(prompts or []))
    if not asked or not all(str(prompt).startswith(EXACTLY) for prompt in asked):
        return request
    choices = [
        {"index": number, "text": prompt.removeprefix(EXACTLY), "finish_reason": "stop"}
        for number, prompt in enumerate(asked)
    ]
    return json_reply(200, {"object": "text_completion", "choices": choices})


TEXT_COMPLETION_FAULTS: tuple[Fault, ...] = (
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
        before=answers(BARE_CRASH, COMPLETIONS),
    ),
)
