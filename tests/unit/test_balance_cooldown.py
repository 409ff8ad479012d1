"""A deployment that cools down is not a gateway that balances wrongly; what both samples show is."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from gateway_acceptance.balance.dependence import Dependence
from gateway_acceptance.balance.expected_shares import Null
from gateway_acceptance.balance.plan import design_of
from gateway_acceptance.balance.sequential import Outcome, Trial
from gateway_acceptance.environment import Balance
from suites.backends.balance.cooldown import BLOCKS, BLOCKS_OF_SILENCE, SLACK, Second, constant, explained
from suites.backends.balance.evaluation import Judged
from suites.backends.balance.sample import Draw, Sample

COOLDOWN_S, DRAW_S, DRAWS = 5.0, 0.008, 64
MEMBERS = ("one", "two", "three")
NULL = Null("g", dict.fromkeys(MEMBERS, 1 / 3), "thirds")
DESIGN = design_of(NULL, Balance(), 1)
Router = Callable[[float], str]
"""From the moment of a draw, in seconds, to who serves it."""


class RightRouter:
    """Draws alike among what is not cooling down; another client's request fails every so many seconds
    and takes whom it drew out."""

    def __init__(self, seed: int, every_s: float) -> None:
        self._chance, self._every_s, self._next = random.Random(seed), every_s, 0.0
        self._until: dict[str, float] = {}

    def __call__(self, at: float) -> str:
        while self._next <= at:
            self._until[self._drawn(self._next)] = self._next + COOLDOWN_S
            self._next += self._every_s
        return self._drawn(at)

    def _drawn(self, at: float) -> str:
        left = [name for name in MEMBERS if self._until.get(name, 0.0) <= at]
        return self._chance.choice(left or MEMBERS)


def first(router: Router, begins: float = 0.0) -> Judged:
    draws = [Draw({}, router(begins + DRAW_S * place)) for place in range(DRAWS)]
    trial = Trial(NULL, DESIGN)
    for draw in draws:
        trial.observe(draw.served)
    return Judged(Sample(draws), trial, Dependence(NULL, DESIGN.alpha))


def second(router: Router, found: Judged) -> Second:
    """At the moments at which the suite draws it."""
    silent = any(not count for count in found.trial.counts.values())
    number = BLOCKS_OF_SILENCE if silent else BLOCKS
    length, begins = COOLDOWN_S * SLACK, DRAWS * DRAW_S
    blocks = []
    for block in range(number):
        wanted = DRAWS * (block + 1) // number - DRAWS * block // number  # production has no more draws
        starts = begins + length * (block + 1)
        blocks.append([router(starts + length * place / wanted) for place in range(wanted)])
    return Second(blocks, seconds=length * (number + 1))


@pytest.mark.parametrize("every_s", [5.0, 5.3, 3.0])
def test_another_client_that_fails_makes_no_right_gateway_fail(every_s: float) -> None:
    """Two hundred runs: the first sample alone calls most of them unbalanced, both together call none so."""
    alone = both = 0
    for seed in range(200):
        router = RightRouter(seed, every_s)
        found = first(router)
        if found.trial.outcome is Outcome.FAILED:
            alone += 1
            both += not explained(found, second(router, found))
    assert alone > 150
    assert both == 0


@pytest.mark.parametrize(
    ("weights", "least"),
    [((0, 1, 1), 200), ((1, 0, 0), 200), ((85, 10, 5), 190)],
    ids=["starved", "one", "85"],
)
def test_a_gateway_that_balances_wrongly_fails_in_both(weights: tuple[int, ...], least: int) -> None:
    failed = 0
    for seed in range(200):
        chance = random.Random(seed)
        drawn = lambda _, chance=chance: chance.choices(MEMBERS, weights)[0]  # noqa: E731
        found = first(drawn)
        failed += found.trial.outcome is Outcome.FAILED and not explained(found, second(drawn, found))
    assert failed >= least


def test_who_is_not_declared_is_explained_by_no_cooldown() -> None:
    found = first(lambda at: "ghost" if at > 0.4 else random.Random(int(at * 1e6)).choice(MEMBERS))
    assert found.trial.unexpected
    assert explained(found, Second(unknown="no second sample is needed")) == ""


def test_what_cannot_be_told_accuses_nobody() -> None:
    found = first(lambda _: "one")
    assert explained(found, Second(unknown="draws had no answer: got 503")) == "draws had no answer: got 503"
    words = explained(found, Second([["one", "two", "three"] * 5] * 4, seconds=30))
    assert words == "a second sample, drawn later over 30 s, does not show it: one 20, three 20, two 20"


def test_only_the_same_direction_in_every_block_is_constant() -> None:
    found = first(lambda _: "one")
    more, alike = ["one"] * 8 + ["two"] * 8, ["one", "two", "three"] * 4
    assert constant(found, [more, more, more, more])
    assert not constant(found, [more, more, more, alike])
    assert not constant(found, [])
