"""Load that is held for a while, and what gateway and machines are like before it and after it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.environment.soak import KINDS_OF_FAILING, ONE_BY_ONE
from gateway_acceptance.host.facts import NoFacts
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NoAnswer, NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.meter import Chance
from suites.api.errors.probes import CHAT, NO_MODEL
from suites.api.extract import answered_by_a_model
from suites.api.observations import balanced_or_first

PROMPT = "Say yes."
NO_JSON = b'{"model": '
JSON = (("content-type", "application/json"),)
TOO_MANY = 429
SHOWN = 2
"""Exchanges of each kind that are kept."""
MOST_AT_ONCE = 8
"""Machines that are looked at beside each other."""
IDLE_S = 2.0
"""Between two snapshots of a machine that has nothing to do: what it uses meanwhile is its own affair."""
BEFORE, BEFORE_IDLE, MIDDLE, AFTER, AFTER_IDLE = range(5)
"""The snapshots of each machine, in order; MIDDLE is between two equal halves of the load."""


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """What became of a request. status: None where no answer came; seconds: until its end; said: its first
    words, or why there is no answer; kind: of a request that cannot be served; empty: a success without a
    model's answer in it."""

    status: int | None
    seconds: float
    said: str
    kind: str = ""
    empty: bool = False

    @property
    def served(self) -> bool:
        """Whether a model answered."""
        return self.status == 200 and not self.empty


Snapshots = tuple[Mapping[str, Any] | None, ...]
"""The section ``process`` of a machine at ``BEFORE`` and so on; None where it could not be had."""


@dataclass(frozen=True, slots=True)
class Soaked:
    """before, after: one by one; held: as they were begun; refused_first, refused: of the requests that
    cannot be served, before the load and afterwards; snapshots: by machine; seconds: how long it was held;
    shown: the last exchanges of each kind, evidence of whoever judges it."""

    before: tuple[HeldAnswer, ...]
    held: tuple[HeldAnswer, ...]
    refused_first: tuple[HeldAnswer, ...]
    refused: tuple[HeldAnswer, ...]
    after: tuple[HeldAnswer, ...]
    snapshots: Mapping[str, Snapshots]
    seconds: float
    shown: tuple[Exchange, ...] = ()


def soaked(target: Target) -> Soaked:
    """Made once per run. Raises NotApplicable where no chat model is declared."""
    if not target.environment.aliases_of(ModelKind.CHAT):
        raise NotApplicable("the environment declares no chat model", declared="models")
    exchanges = target.notebook.exchanges
    begun = len(exchanges)
    seen = target.once_per_run("soak", lambda: _soaked(target))
    if len(exchanges) == begun:  # another case of the run held it
        exchanges.extend(seen.shown)
    return seen


def _soaked(target: Target) -> Soaked:
    soak, places = target.environment.soak, at_once(target.environment)
    gateway, alias = target.gateway, balanced_or_first(target.environment)

    def chat() -> HeldAnswer:
        return held_answer(lambda: gateway.chat(alias, PROMPT, temperature=0, max_tokens=1))

    def of_no_model() -> HeldAnswer:
        return held_answer(
            lambda: gateway.chat(NO_MODEL, PROMPT, max_tokens=1), "a model that does not exist"
        )

    def of_no_json() -> HeldAnswer:
        return held_answer(lambda: gateway.request("POST", CHAT, body=NO_JSON, headers=JSON), "no JSON")

    failing = (of_no_model, of_no_json)
    load: list[HeldAnswer] = []
    refused: list[HeldAnswer] = []
    seconds = 0.0
    with ThreadPoolExecutor(places) as pool:
        held(pool, places, (chat,), places)  # what is made at first use is no growth
        refused_first = held(pool, places, failing, KINDS_OF_FAILING * places)
        before = tuple(chat() for _ in range(ONE_BY_ONE))
        snapshots = [snapshot_of(target, BEFORE), *idled(target, BEFORE_IDLE)]
        for most, fail in zip(halves(soak.requests), halves(soak.failing), strict=True):
            begun = time.monotonic()
            with target.notebook.meter.chance(Chance.SOAK):
                load += held(pool, places, (chat,), most, begun + soak.seconds / 2)
            seconds += time.monotonic() - begun
            refused += held(pool, places, failing, fail)
            snapshots += [snapshot_of(target, MIDDLE)] if len(snapshots) == MIDDLE else []
    after = tuple(chat() for _ in range(ONE_BY_ONE))
    snapshots += [snapshot_of(target, AFTER), *idled(target, AFTER_IDLE)]
    by_machine = {name: tuple(one[name] for one in snapshots) for name in snapshots[0]}
    return Soaked(
        before,
        tuple(load),
        refused_first,
        tuple(refused),
        after,
        by_machine,
        seconds,
        shown(target.notebook.exchanges),
    )


def shown(exchanges: Sequence[Exchange]) -> tuple[Exchange, ...]:
    """The last exchanges that were refused as too many, those that were refused otherwise, and the last."""
    refusals = [one for one in exchanges[:-SHOWN] if one.status not in (None, 200)]
    limited = [one for one in refusals if one.status == TOO_MANY]
    others = [one for one in refusals if one.status != TOO_MANY]
    return (*limited[-SHOWN:], *others[-SHOWN:], *exchanges[-SHOWN:])


def halves(number: int) -> tuple[int, int]:
    """Of the load: what grows in the second as well does not come to an end."""
    return number - number // 2, number // 2


def at_once(environment: Environment) -> int:
    """How many requests are under way."""
    return environment.soak.concurrency or environment.bounds.concurrency


def held(
    pool: ThreadPoolExecutor,
    places: int,
    asks: Sequence[Callable[[], HeldAnswer]],
    most: int,
    until: float = float("inf"),
) -> tuple[HeldAnswer, ...]:
    """So many requests at the most, of each kind in turn, one after the other in every place, and none begun
    after ``until`` (of the monotonic clock). As they were begun. Raises what a request raises that is no
    answer of the target (NotPermitted)."""
    numbers = itertools.count()

    def place(_: int) -> list[tuple[int, HeldAnswer]]:
        found = []
        while time.monotonic() < until and (number := next(numbers)) < most:
            found.append((number, asks[number % len(asks)]()))
        return found

    answers = [one for of_place in pool.map(place, range(places)) for one in of_place]
    return tuple(answer for _, answer in sorted(answers, key=lambda one: one[0]))


def held_answer(ask: Callable[[], Exchange], kind: str = "") -> HeldAnswer:
    """Ask, and keep little of it."""
    begun = time.monotonic()
    try:
        answer = ask()
    except NoAnswer as none:
        return HeldAnswer(None, time.monotonic() - begun, str(none)[:200], kind)
    empty = answer.status == 200 and not answered_by_a_model(answer)
    said = "" if answer.status == 200 and not empty else answer.text[:200]
    return HeldAnswer(answer.status, answer.elapsed_s, said, kind, empty)


def idled(target: Target, turn: int) -> Iterator[dict[str, Mapping[str, Any] | None]]:
    """A look after a while without a request. Nobody waits where there is no machine."""
    if target.environment.machines:
        time.sleep(IDLE_S)
    yield snapshot_of(target, turn)


def snapshot_of(target: Target, turn: int) -> dict[str, Mapping[str, Any] | None]:
    """The process of every declared machine's service, now; None where it could not be had."""

    def one(name: str) -> Mapping[str, Any] | None:
        try:
            section = target.machines.refresh(name, ("process",), turn).get("process", {})
        except NoFacts:
            return None
        value: Mapping[str, Any] | None = section.get("value")
        return value

    names = list(target.environment.machines)
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        return dict(zip(names, pool.map(one, names), strict=True))
