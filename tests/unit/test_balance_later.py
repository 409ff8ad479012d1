"""A second backend that is not seen at once: alone, or out for a cooldown?"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from gateway_acceptance.balance.second_look import parts_of
from gateway_acceptance.verdict import Inconclusive
from suites.backends.balance import later
from suites.backends.balance.later import later_looks
from tests.unit.declared import environment
from tests.unit.test_balance_cooldown import RightRouter

FIRST = 29
"""Requests of production's first look for a second backend."""
BACKEND = {"one": "llm-01", "two": "llm-02", "three": "llm-02"}


class Clock:
    """A request takes a hundredth of a second; waiting takes what it takes."""

    def __init__(self) -> None:
        self.now = 50.0

    def monotonic(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += max(0.0, seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(later, "pause", made.pause)
    monkeypatch.setattr(later, "time", made)
    return made


def several(seen: Counter[str]) -> bool:
    return len(seen) > 1


def target(cooldown_s: float = 5.0) -> Any:
    return SimpleNamespace(environment=environment(outage={"cooldown_s": cooldown_s}))


def test_a_backend_that_cools_down_is_seen_later(clock: Clock) -> None:
    """The first look alone shows one backend in a third of all runs, while another client fails every 5 s."""
    alone = both = 0
    for seed in range(300):
        clock.now = 50.0
        router = RightRouter(seed, 5.0)

        def ask(router: RightRouter = router) -> str:
            clock.now += 0.01
            return BACKEND[router(clock.now)]

        seen = Counter(ask() for _ in range(FIRST))
        if len(seen) < 2:
            alone += 1
            later_looks(target(), seen, ask, partial(several, seen))
            both += len(seen) < 2
    assert alone > 60
    assert both == 0


def test_who_is_alone_is_alone_at_every_moment(clock: Clock) -> None:
    seen = Counter({"llm-02": FIRST})
    took = later_looks(target(), seen, lambda: "llm-02", lambda: len(seen) > 1)
    assert seen == {"llm-02": FIRST + 12 * parts_of(FIRST)}
    assert parts_of(FIRST) == 5
    assert took == pytest.approx(72)


def test_the_first_other_one_ends_it(clock: Clock) -> None:
    seen, answers = Counter({"a": FIRST}), itertools.chain("aab", itertools.repeat("c"))
    later_looks(target(), seen, lambda: next(answers), lambda: len(seen) > 1)
    assert seen == {"a": FIRST + 2, "b": 1}


def test_a_cooldown_that_is_too_long_accuses_nobody(clock: Clock) -> None:
    with pytest.raises(Inconclusive, match="may have been cooling down: a cooldown of 60 s is declared"):
        later_looks(target(60), Counter(a=FIRST), lambda: "a", lambda: random.random() > 1)
