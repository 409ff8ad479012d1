"""Text completions: how they are asked, and what is read of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.rule import media_type, quoted
from gateway_acceptance.wire.sender import tokens_needed
from gateway_acceptance.wire.sse import parse_sse
from gateway_acceptance.wire.strict_json import parse_json_text
from suites.api.endpoints import need
from suites.api.extract import body_of
from suites.api.observations import ECHO_PROMPT, ECHO_TOKENS, comparable_alias, room

COMPLETIONS = "/v1/completions"
DONE = "[DONE]"


def complete(target: Target, prompt: str | Sequence[str], *, max_tokens: int, **more: Any) -> Exchange:
    """``POST /v1/completions`` at temperature 0."""
    prompts = [prompt] if isinstance(prompt, str) else prompt
    body = {
        "model": comparable_alias(target.environment),
        "prompt": prompt,
        "max_tokens": max_tokens,
        "temperature": 0,
        **more,
    }
    tokens = sum(tokens_needed(text, max_tokens) for text in prompts)
    return target.gateway.request("POST", COMPLETIONS, json_body=body, tokens=tokens)


def completed(target: Target) -> Exchange:
    """The validation prompt as a text completion, once per worker."""
    need(target.environment, COMPLETIONS)
    return target.once(("completions", "whole"), lambda: ask_echo_text(target))


def ask_echo_text(target: Target) -> Exchange:
    """The validation prompt as a text completion."""
    return complete(target, ECHO_PROMPT, max_tokens=_echo_room(target.environment))


def _echo_room(environment: Environment) -> int:
    return room(environment, comparable_alias(environment), ECHO_TOKENS)


def completion_text(answer: Exchange) -> str:
    """The text of the first choice of a text completion. Raises CheckFailed."""
    choices = body_of(answer).get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    text = first.get("text") if isinstance(first, dict) else None
    if not isinstance(text, str):
        raise CheckFailed(f"expected choices[0].text, got {answer.text[:300]}", blame="gateway")
    return text


@dataclass(frozen=True, slots=True)
class TextStream:
    """A streamed text completion as it was read. ids: of each chunk, an empty one where it has none."""

    text: str
    ids: tuple[str, ...]
    problems: list[Problem]


def text_stream(target: Target, prompt: str = ECHO_PROMPT, more: int = 0, **parameters: Any) -> TextStream:
    """The validation prompt, or another one, as a streamed text completion. more: tokens than that takes."""
    need(target.environment, COMPLETIONS)
    limit = _echo_room(target.environment) + more
    answer = complete(target, prompt, max_tokens=limit, stream=True, **parameters)
    return read_text_stream(answer.status or 0, answer.headers, answer.chunks)


def read_text_stream(
    status: int, headers: Sequence[tuple[str, str]], chunks: Sequence[tuple[float, bytes]]
) -> TextStream:
    """Read a streamed answer of ``/v1/completions``. Never raises.

    Every JSON chunk is a ``text_completion``; exactly one finish_reason of the one choice; ``[DONE]`` last.
    Chunks without ``text`` are forgiven where they bring a finish_reason or usage: SDKs read them as empty.
    """
    if status != 200 or media_type(headers) != "text/event-stream":
        seen = f"got {status} {media_type(headers)}"
        return TextStream("", (), [Problem("", f"expected 200 text/event-stream, {seen}")])
    stream = parse_sse(chunks)
    problems, ids, text, reasons = list(stream.problems), [], [], []
    for event in stream.events:
        if event.data == DONE:
            continue
        body, unreadable = parse_json_text(event.data)
        where = f"event {event.index}"
        if not isinstance(body, dict) or "error" in body:
            problems += unreadable or [Problem("", f"expected a chunk, got {quoted(body)}", where)]
            continue
        if body.get("object") != "text_completion":
            seen = quoted(body.get("object"))
            problems.append(Problem("", f"expected the object 'text_completion', got {seen}", where))
        ids.append(body["id"] if isinstance(body.get("id"), str) else "")
        for choice in body.get("choices") or []:
            text.append(str(choice.get("text") or ""))
            if choice.get("finish_reason") is not None:
                reasons.append(choice["finish_reason"])
    if not stream.events or stream.events[-1].data != DONE:
        problems.append(Problem("", "the stream does not end with [DONE]", "end"))
    if len(reasons) != 1:
        problems.append(Problem("", f"expected one finish_reason, got {quoted(reasons)}", "end"))
    return TextStream("".join(text), tuple(ids), problems)
