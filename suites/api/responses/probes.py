"""The answers and event streams of /v1/responses, read without ever raising."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.rule import media_type, quoted
from gateway_acceptance.wire.sender import tokens_needed
from gateway_acceptance.wire.sse import parse_sse
from gateway_acceptance.wire.strict_json import parse_json_text
from suites.api.endpoints import need
from suites.api.observations import ECHO_PROMPT, balanced_or_first, room

RESPONSES = "/v1/responses"
DONE = "[DONE]"
LEAST_TOKENS = 16
"""OpenAI refuses a smaller max_output_tokens."""

ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})


def ask(target: Target, text: str, **more: Any) -> Exchange:
    """``POST /v1/responses`` at temperature 0."""
    body = {
        "model": balanced_or_first(target.environment),
        "input": text,
        "max_output_tokens": LEAST_TOKENS,
        "temperature": 0,
        **more,
    }
    tokens = tokens_needed(text, int(body["max_output_tokens"]))
    return target.gateway.request("POST", RESPONSES, json_body=body, tokens=tokens)


def response_answer(target: Target) -> Exchange:
    """The validation prompt, once per worker."""
    need(target.environment, RESPONSES)
    return target.once(
        ("responses", "whole"), lambda: ask(target, ECHO_PROMPT, max_output_tokens=_room(target))
    )


def _room(target: Target) -> int:
    """The limit for the validation prompt: a model that is declared to think spends others first."""
    return room(target.environment, balanced_or_first(target.environment), LEAST_TOKENS)


def output_text(body: dict[str, Any]) -> str:
    """All text of a response's messages, as the SDK's ``output_text`` joins it."""
    output = body.get("output")
    items = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    parts = [part for item in items for part in item.get("content") or [] if isinstance(part, dict)]
    return "".join(str(part.get("text", "")) for part in parts if part.get("type") == "output_text")


@dataclass(frozen=True, slots=True)
class ResponseStream:
    """A streamed response as it was read. text: its joined deltas; final: the response of the last event."""

    text: str
    final: dict[str, Any]
    problems: list[Problem]


def response_stream(target: Target) -> ResponseStream:
    """The validation prompt as a stream, once per worker."""
    need(target.environment, RESPONSES)

    def observe() -> ResponseStream:
        answer = ask(target, ECHO_PROMPT, stream=True, max_output_tokens=_room(target))
        return read_response_stream(answer.status or 0, answer.headers, answer.chunks)

    return target.once(("responses", "stream"), observe)


def read_response_stream(
    status: int, headers: Sequence[tuple[str, str]], chunks: Sequence[tuple[float, bytes]]
) -> ResponseStream:
    """Read a streamed answer of ``/v1/responses``. Never raises.

    Every event is an object with a type; ``response.created`` is the first and one of the ends the last, with
    the whole response; an item is added before its text. ``[DONE]``, which OpenAI does not send here, is
    allowed after it.
    """
    if status != 200 or media_type(headers) != "text/event-stream":
        seen = f"got {status} {media_type(headers)}"
        return ResponseStream("", {}, [Problem("", f"expected 200 text/event-stream, {seen}")])
    stream = parse_sse(chunks)
    problems, types, deltas = list(stream.problems), [], []
    final: dict[str, Any] = {}
    for event in stream.events:
        if event.data == DONE:
            continue
        body, unreadable = parse_json_text(event.data)
        kind = body.get("type") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(kind, str):
            where = f"event {event.index}"
            problems += unreadable or [Problem("", f"expected an event with a type: {quoted(body)}", where)]
            continue
        types.append(kind)
        if kind == "response.output_text.delta":
            deltas.append(str(body.get("delta", "")))
        if kind in ENDS and isinstance(body.get("response"), dict):
            final = body["response"]
    problems += _of_order(types)
    return ResponseStream("".join(deltas), final, problems)


def _of_order(types: list[str]) -> list[Problem]:
    problems = []
    if not types or types[0] != "response.created":
        seen = types[0] if types else "nothing"
        problems.append(Problem("", f"expected response.created as the first event, got {seen}"))
    if not types or types[-1] not in ENDS:
        seen = types[-1] if types else "nothing"
        problems.append(Problem("", f"expected response.completed as the last event, got {seen}"))
    added, delta = "response.output_item.added", "response.output_text.delta"
    if delta in types and added not in types[: types.index(delta)]:
        problems.append(Problem("", f"text comes before its item: no {added} before the first {delta}"))
    return problems
