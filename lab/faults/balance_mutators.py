"""Hooks of faults of balance: who serves the balanced alias instead of whom the router draws."""

from __future__ import annotations

import itertools
import random
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from lab.faults.model import After, Before
from lab.faults.mutators import CHAT
from lab.message import Json, Reply, Request, edit_json

BALANCED = "hx-chat"
FIRST, SECOND, THIRD = "llm01-llama3.2-3b", "llm02-phi3", "llm02-gemma2-2b"
DEPLOYMENTS = (FIRST, SECOND, THIRD)
"""Aliases of ``local`` with the models and backends of the balanced one: asked for them, the gateway serves
as each of its deployments."""
ONE_BACKEND = "hx-chat is not balanced: all [0-9]+ requests"
"""What BACKEND-BAL-001 says where one backend serves all."""
LISTING = "/model/info"
BASE, NAMED = "x-litellm-model-api-base", "x-litellm-model-id"

Choose = Callable[[Request], str | None]
"""Who serves a request; None: whom the router draws."""


def drawn(request: Request) -> bool:
    """Whether it asks for the balanced alias."""
    return request.at(CHAT) and request.json.get("model") == BALANCED


def routed(choose: Choose) -> Before:
    """A before-hook that decides who serves the balanced alias."""

    def before(request: Request) -> Request | Reply:
        if not drawn(request):
            return request
        wanted = choose(request)
        return request if wanted is None else request.with_json({**request.json, "model": wanted})

    return before


def chained(*hooks: Before) -> Before:
    """Before-hooks one after the other, until one answers by itself."""

    def before(request: Request) -> Request | Reply:
        for hook in hooks:
            found = hook(request)
            if isinstance(found, Reply):
                return found
            request = found
        return request

    return before


def weighted(*weights: float) -> Choose:
    """By chance, with shares of its own."""
    chance = random.Random()  # noqa: S311
    return lambda _: chance.choices(DEPLOYMENTS, weights=weights)[0]


def in_turns(*cycle: str) -> Choose:
    """Always in the same order."""
    turns = itertools.cycle(cycle)
    return lambda _: next(turns)


def in_bursts(length: int) -> Choose:
    """Whoever is drawn serves so many requests in a row."""
    chance, calls = random.Random(), itertools.count()  # noqa: S311
    current = [FIRST]

    def choose(_: Request) -> str:
        if next(calls) % length == 0:
            current[0] = chance.choice(DEPLOYMENTS)
        return current[0]

    return choose


def again(probability: float) -> Choose:
    """The last one serves again, in so many of all requests."""
    chance = random.Random()  # noqa: S311
    current = [FIRST]

    def choose(_: Request) -> str:
        if chance.random() >= probability:
            current[0] = chance.choice(DEPLOYMENTS)
        return current[0]

    return choose


def by_key(key: Callable[[Request], str]) -> Choose:
    """Who first comes with a key gets the next deployment, and keeps it."""
    kept: dict[str, str] = {}
    turns = itertools.cycle(DEPLOYMENTS)

    def choose(request: Request) -> str:
        value = key(request)
        if value not in kept:
            kept[value] = next(turns)
        return kept[value]

    return choose


def hashed(key: Callable[[Request], str]) -> Choose:
    """A hash of something decides."""
    return lambda request: DEPLOYMENTS[zlib.crc32(key(request).encode()) % len(DEPLOYMENTS)]


def where(when: Callable[[Request], bool], wanted: str) -> Choose:
    """Some requests go to one; the others are drawn."""
    return lambda request: wanted if when(request) else None


def after_draws(number: int, later: Choose) -> Choose:
    """Right at first, otherwise later. Each sample, told by the word that all its texts begin with, is
    counted anew: a lab stands for several runs."""
    calls: Counter[str] = Counter()

    def choose(request: Request) -> str | None:
        sample = text_of(request).partition(" ")[0]
        calls[sample] += 1
        return later(request) if calls[sample] > number else None

    return choose


def for_draws(number: int, first: Choose) -> Choose:
    """Otherwise at first, right later: what somebody else's failing request does by a cooldown. Each
    sample is counted anew."""
    calls: Counter[str] = Counter()

    def choose(request: Request) -> str | None:
        sample = text_of(request).partition(" ")[0]
        calls[sample] += 1
        return first(request) if calls[sample] <= number else None

    return choose


def in_order(first: Choose, then: Choose) -> Choose:
    """By the first where it chooses, else by the other."""
    return lambda request: first(request) or then(request)


def text_of(request: Request) -> str:
    """All that the conversation says."""
    return "\n".join(str(message.get("content")) for message in request.json.get("messages", []))


def overflow(wanted: str, others: Choose) -> tuple[Before, After]:
    """A request that comes while another is under way goes to one deployment, which else serves nothing."""
    under_way = Counter[str]()

    def choose(request: Request) -> str | None:
        busy = under_way["now"] > 0
        under_way["now"] += 1
        return wanted if busy else others(request)

    def after(request: Request, reply: Reply) -> Reply:
        if request.at(CHAT):
            under_way["now"] -= 1
        return reply

    return routed(choose), after


class Witnesses:
    """Knows the balanced alias's deployments from the gateway's own list, as it passes, and says of answers
    what it likes. says: of the place of who really served the place that the headers name; a place beyond the
    group: leave them."""

    def __init__(self, says: Callable[[int], int]) -> None:
        self._says = says
        self._entries: list[Json] = []
        self._place_of_alias: dict[str, int] = {}

    def after(self, request: Request, reply: Reply) -> Reply:
        """Learn from the list; speak in answers to chat requests. A request that was routed before has the
        alias of who serves it."""
        if request.at(LISTING) and isinstance(reply.json, dict):
            self._entries = [one for one in reply.json["data"] if one["model_name"] == BALANCED]
            return reply
        asked = str(request.json.get("model"))
        if not request.at(CHAT) or reply.status != 200 or asked not in DEPLOYMENTS or not self._entries:
            return reply
        claimed = self._entries[self._says(DEPLOYMENTS.index(asked))]
        base = str(claimed["litellm_params"]["api_base"])
        return reply.with_header(BASE, base).with_header(NAMED, str(claimed["model_info"]["id"]))


def each_in_turn() -> Callable[[int], int]:
    """Says of nobody who it was, and names all alike."""
    turns = itertools.cycle(range(len(DEPLOYMENTS)))
    return lambda _: next(turns)


def half_as_third() -> Callable[[int], int]:
    """Half of what the second serves is said of the third."""
    chance = random.Random()  # noqa: S311
    return lambda place: chance.choice((1, 2)) if place == 1 else place


def with_header(name: str, value: str, when: Callable[[Request], bool]) -> After:
    """Some answers bring one more header."""
    return lambda request, reply: reply.with_header(name, value) if when(request) else reply


def every(number: int) -> Callable[[Request], bool]:
    """Of the requests to the balanced alias each so-and-so-many-th."""
    calls = itertools.count(1)
    return lambda request: drawn(request) and next(calls) % number == 0


def cached(when: Callable[[Request], bool]) -> tuple[Before, After]:
    """The same body is answered from memory."""
    kept: dict[bytes, Reply] = {}

    def before(request: Request) -> Request | Reply:
        return kept.get(request.body, request) if drawn(request) and when(request) else request

    def after(request: Request, reply: Reply) -> Reply:
        if drawn(request) and when(request) and reply.status == 200:
            kept[request.body] = replace(reply)
        return reply

    return before, after


def listed(change: Callable[[list[Json]], Sequence[Json]]) -> After:
    """Change the balanced alias's part of the gateway's own list."""

    def changed(body: Json) -> Json:
        others = [entry for entry in body["data"] if entry["model_name"] != BALANCED]
        own = [entry for entry in body["data"] if entry["model_name"] == BALANCED]
        return {**body, "data": [*others, *change(own)]}

    return edit_json(LISTING, change=changed)
