"""Hooks that the defects of chat are made of: what becomes of a request's parts, and of an answer's."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lab.faults.model import After, Before
from lab.faults.mutators import CHAT
from lab.message import Json, Reply, Request

When = Callable[[Request], bool]

OWN_TEXT = re.compile(r"HX-[a-z]+-\d\d")
"""What the requests of one moment are told apart by."""


def asks(change: Callable[[Json], Json], when: When = lambda _: True) -> Before:
    """A before-hook that changes the body of chat requests."""

    def before(request: Request) -> Request | Reply:
        if not request.at(CHAT) or not request.json or not when(request):
            return request
        return request.with_json(change(request.json))

    return before


def without(name: str, when: Callable[[Any], bool] = lambda _: True) -> Before:
    """Lose a parameter, where its value is such."""
    return asks(
        lambda body: {key: value for key, value in body.items() if key != name},
        lambda request: name in request.json and when(request.json[name]),
    )


def messages(change: Callable[[list[Json]], list[Json]]) -> Before:
    """Change the messages."""
    return asks(lambda body: {**body, "messages": change(body["messages"])})


def without_role(role: str) -> Before:
    """Lose the messages of a role."""
    return messages(lambda given: [message for message in given if message["role"] != role])


def texts(change: Callable[[str], str]) -> Before:
    """Change the contents that are strings."""

    def changed(given: list[Json]) -> list[Json]:
        return [
            {**message, "content": change(message["content"])}
            if isinstance(message.get("content"), str)
            else message
            for message in given
        ]

    return messages(changed)


def of_rules(given: list[Json]) -> list[Json]:
    """The system messages of a conversation."""
    return [message for message in given if message["role"] == "system"]


def of_earlier_turns(given: list[Json]) -> list[Json]:
    """What was said before the last message."""
    return [message for message in given[:-1] if message["role"] in ("user", "assistant")]


def backwards(which: Callable[[list[Json]], list[Json]]) -> Before:
    """Of some messages the words turned round, which cost the same."""

    def changed(given: list[Json]) -> list[Json]:
        turned = which(given)
        return [
            {**message, "content": " ".join(reversed(message["content"].split()))}
            if message in turned and isinstance(message.get("content"), str)
            else message
            for message in given
        ]

    return messages(changed)


def counting_without(which: Callable[[list[Json]], list[Json]]) -> After:
    """The words of some messages are not in the usage, which still adds up."""

    def after(request: Request, reply: Reply) -> Reply:
        if reply.status != 200 or not request.at(CHAT) or request.streams:
            return reply
        words = sum(len(str(message.get("content")).split()) for message in which(request.json["messages"]))
        left = max(1, reply.json["usage"]["prompt_tokens"] - words)
        return counting(prompt_tokens=left)(request, reply)

    return after


def only_last_part(given: list[Json]) -> list[Json]:
    """Of content parts the last is the content."""
    return [
        {**message, "content": message["content"][-1]["text"]}
        if isinstance(message.get("content"), list)
        else message
        for message in given
    ]


def last_words(most: int) -> Callable[[str], str]:
    """Of a long text its last words."""
    return lambda text: " ".join(text.split()[-most:]) if len(text.split()) > most else text


def other_seeds(when: When) -> Before:
    """Another seed each time, and a temperature."""
    seeds = itertools.count(1000)
    return asks(lambda body: {**body, "temperature": 1, "seed": next(seeds)}, when)


def surrogates_apart(request: Request) -> Request | Reply:
    """Read the two escapes of one character as two characters that are none."""
    body = re.sub(rb"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}", rb"\\ufffd\\ufffd", request.body)
    return replace(request, body=body)


def says(text: str) -> When:
    """Whether a request's messages hold this text."""
    return lambda request: text in json.dumps(request.json.get("messages"), ensure_ascii=False)


def has(name: str, value: object = ...) -> When:
    """Whether a parameter is there, or has this value."""
    return lambda request: name in request.json and value in (..., request.json[name])


def limited(request: Request) -> bool:
    """Whether an answer was limited to a few tokens."""
    return (request.json.get("max_tokens") or 99) < 10


def unstreamed(change: Callable[[Json], Json], when: When = lambda _: True) -> After:
    """Change chat completions that are not streamed, where the request is such."""

    def after(request: Request, reply: Reply) -> Reply:
        if reply.status != 200 or not request.at(CHAT) or request.streams or not when(request):
            return reply
        return reply.with_json(change(reply.json))

    return after


def choice(change: Callable[[Json], None], when: When = lambda _: True) -> After:
    """Change the first choice in place."""

    def changed(body: Json) -> Json:
        change(body["choices"][0])
        return body

    return unstreamed(changed, when)


def finishing(reason: str | None, when: When) -> After:
    """Another finish_reason."""
    return choice(lambda item: item.update(finish_reason=reason), when)


def said(change: Callable[[str], str], when: When = lambda _: True) -> After:
    """Change the text."""

    def changed(item: Json) -> None:
        item["message"]["content"] = change(item["message"]["content"])

    return choice(changed, when)


def ended_by_its_stop() -> After:
    """The stop string, the first of a list, stands at the end of the text."""

    def after(request: Request, reply: Reply) -> Reply:
        stop = request.json.get("stop") if request.at(CHAT) else None
        first = stop[0] if isinstance(stop, list) and stop else stop
        return said(lambda text: f"{text.rstrip()} {first}")(request, reply) if first else reply

    return after


def counting(**counts: int) -> After:
    """Other counts in the usage, which still add up."""

    def changed(body: Json) -> Json:
        usage = {**body["usage"], **counts}
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
        return {**body, "usage": usage}

    return unstreamed(changed)


def counting_uncached() -> After:
    """Of messages that came before, one token is counted."""
    came: set[str] = set()
    as_cached = counting(prompt_tokens=1)

    def after(request: Request, reply: Reply) -> Reply:
        given = json.dumps(request.json.get("messages"))
        known = given in came
        came.add(given)
        return as_cached(request, reply) if known else reply

    return after


def of_the_one_before(*, streams: bool) -> After:
    """Each request for a text of its own gets the answer of the one before; the first gets its own."""
    last: list[Reply] = []

    def after(request: Request, reply: Reply) -> Reply:
        own = OWN_TEXT.search(request.body.decode("utf-8", "replace"))
        if reply.status != 200 or request.streams is not streams or own is None:
            return reply
        last.append(reply)
        return last[-2] if len(last) > 1 else reply

    return after
