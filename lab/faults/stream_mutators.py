"""Hooks that the defects of streams are made of. Each changes streams that the gateway answered with 200."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lab.faults.model import After, Before
from lab.faults.mutators import CHAT
from lab.message import (
    Json,
    Reply,
    Request,
    edit_events,
    envelope,
    events_of,
    json_reply,
    with_events,
)

REMOVED = object()
"""As a value: take the key away."""


def raw(change: Callable[[bytes], bytes], when: Callable[[Request], bool] = lambda _: True) -> After:
    """Change the bytes of a stream."""

    def after(request: Request, reply: Reply) -> Reply:
        if not request.streams or reply.status != 200 or not when(request):
            return reply
        return replace(reply, chunks=(change(reply.body),))

    return after


def prefixed(prefix: bytes, when: Callable[[Request], bool] = lambda _: True) -> After:
    """Bytes before the stream begins."""
    return raw(lambda body: prefix + body, when)


def every(**changes: object) -> After:
    """Set keys of each chunk."""
    return edit_events(lambda chunks: [_set(chunk, changes) for chunk in chunks])


def one(number: int, **changes: object) -> After:
    """Set keys of one chunk of each stream."""
    return edit_events(
        lambda chunks: [_set(chunk, changes) if at == number else chunk for at, chunk in enumerate(chunks)]
    )


def choice(change: Callable[[Json, int], None]) -> After:
    """Change the only choice of each chunk in place; the number of the chunk is given."""

    def changed(chunks: list[Json]) -> list[Json]:
        for at, chunk in enumerate(chunks):
            for item in chunk["choices"]:
                change(item, at)
        return chunks

    return edit_events(changed)


def deltas(*changes: Mapping[str, object]) -> After:
    """Set keys of the deltas of the first chunks, one mapping for each of them."""

    def change(item: Json, at: int) -> None:
        if at < len(changes):
            item["delta"] = _set(item["delta"], changes[at])

    return choice(change)


def _set(item: Json, changes: Mapping[str, object]) -> Json:
    return {key: value for key, value in {**item, **changes}.items() if value is not REMOVED}


def finishing(reason: object) -> After:
    """Another finish_reason where there is one."""

    def change(item: Json, _at: int) -> None:
        if item.get("finish_reason"):
            item["finish_reason"] = reason

    return choice(change)


def wrong_reasons(item: Json, _at: int) -> None:
    """Empty before the end, and a word that nobody knows there."""
    item["finish_reason"] = "eos" if item.get("finish_reason") else ""


def absent_reasons(item: Json, _at: int) -> None:
    """No finish_reason before the end."""
    if not item.get("finish_reason"):
        item.pop("finish_reason", None)


def shapeless(chunks: list[Json]) -> list[Json]:
    """Four chunks, each with another wrong shape of its choices."""
    wrong: list[Any] = [{}, ["a"], [{**_choice({}), "index": "0"}], [{**_choice({}), "delta": "a"}]]
    return [{**chunk, "choices": wrong[at]} if at < len(wrong) else chunk for at, chunk in enumerate(chunks)]


def text_after_finish(chunks: list[Json]) -> list[Json]:
    """The first text once more after the end."""
    return [*chunks, copy.deepcopy(chunks[0])]


def role_late(chunks: list[Json]) -> list[Json]:
    """The second delta says the role, the first does not."""
    for at, chunk in enumerate(chunks[:2]):
        for item in chunk["choices"]:
            item["delta"].pop("role", None)
            if at == 1:
                item["delta"]["role"] = "assistant"
    return chunks


def usage_chunks(change: Callable[[Json], list[Json]]) -> After:
    """Replace the chunk that brings usage."""
    return edit_events(
        lambda chunks: [new for chunk in chunks for new in (change(chunk) if chunk.get("usage") else [chunk])]
    )


def counted(**changes: int) -> After:
    """Add to the counts of usage."""

    def change(chunk: Json) -> list[Json]:
        usage = {name: count + changes.get(name, 0) for name, count in _counts(chunk).items()}
        return [{**chunk, "usage": usage}]

    return usage_chunks(change)


def _counts(chunk: Json) -> dict[str, int]:
    return {name: chunk["usage"][name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}


def usage_early(chunks: list[Json]) -> list[Json]:
    """The usage chunk comes one too early."""
    if chunks[-1].get("usage"):
        chunks[-2:] = [chunks[-1], chunks[-2]]
    return chunks


def usage_always(request: Request, reply: Reply) -> Reply:
    """Usage in the last chunk though nobody asked for it."""
    if (request.json.get("stream_options") or {}).get("include_usage"):
        return reply
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return edit_events(lambda chunks: [*chunks[:-1], {**chunks[-1], "usage": usage}])(request, reply)


def _choice(delta: Json, reason: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "finish_reason": reason}


CALL: Json = {
    "index": 0,
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
}


def calling(*calls: object, reason: str = "tool_calls") -> After:
    """Streams with tools call these, one ``tool_calls`` of a delta each, whatever the real gateway makes of
    tools: with LiteLLM 1.74.15 they come as text."""
    return speaking(*({"tool_calls": item} for item in calls), reason=reason)


def speaking(*said: Json, reason: str) -> After:
    """Streams with tools consist of these deltas, after one with the role."""

    def after(request: Request, reply: Reply) -> Reply:
        if not request.streams or not request.json.get("tools") or reply.status != 200:
            return reply
        head = json.loads(events_of(reply)[0])
        choices = [_choice({"role": "assistant"}), *map(_choice, said), _choice({}, reason)]
        events = [json.dumps({**head, "choices": [item]}) for item in choices]
        return with_events(reply, [*events, "[DONE]"])

    return after


def cut_after(events: int, *more: Json) -> After:
    """Only so many events, then more, and no [DONE]."""

    def after(request: Request, reply: Reply) -> Reply:
        if not request.streams or reply.status != 200:
            return reply
        return with_events(reply, [*events_of(reply)[:events], *map(json.dumps, more)])

    return after


def typed(value: str) -> After:
    """Another content type of streams."""
    return lambda request, reply: reply.with_header("content-type", value) if request.streams else reply


def buffered(_request: Request, reply: Reply) -> Reply:
    """Everything at once: a reply that an after-hook sees is whole already."""
    return reply


def held_back(pause_s: float) -> After:
    """The first event at once, the rest all together later."""

    def after(request: Request, reply: Reply) -> Reply:
        if not request.streams or reply.status != 200:
            return reply
        first, rest = reply.body.split(b"\n\n", 1)
        return replace(reply, chunks=(first + b"\n\n", rest), pause_s=pause_s)

    return after


def slowly(request: Request) -> bool:
    """Whether a long answer was asked for."""
    return b"Speak slowly" in request.body


def busy_after(streams: int) -> Before:
    """After so many streams the gateway has no slot left for requests that are not streamed."""
    begun: list[str] = []

    def before(request: Request) -> Request | Reply:
        if request.streams:
            begun.append(request.path)
        elif request.at(CHAT) and len(begun) >= streams:
            return envelope(503, "all slots are taken", "overloaded")
        return request

    return before


def anonymous(request: Request) -> Request | Reply:
    """The gateway tells no version, so no waiver holds: for defects that the real one has too."""
    if request.at("/readiness", "/readiness/details"):
        return json_reply(200, {"status": "healthy"})
    return request
