"""A deployment that cools down is not a gateway that balances wrongly; what both samples show is."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from gateway_acceptance.balance.dependence import DRIFT, ORDER, Dependence
from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.balance.plan import design_of
from gateway_acceptance.balance.second_look import BLOCKS, SLACK, blocks_in, row_draws, second_draws
from gateway_acceptance.balance.sequential import Design, SequentialDecision, Trial
from gateway_acceptance.environment import Balance
from suites.backends.balance.cooldown import Second, alike, constant, explained, explained_change
from suites.backends.balance.evaluation import Evaluation, judged
from suites.backends.balance.later import order_explained, row_of
from suites.backends.balance.probes import rounds
from suites.backends.balance.sample import Draw, Sample
from suites.backends.balance.test_dependence import would_find_silence

MEMBERS = ("one", "two", "three")
NULL = ExpectedShares("g", dict.fromkeys(MEMBERS, 1 / 3), "thirds")
PRODUCTION = design_of(NULL, Balance(), 1)
LOCAL = design_of(NULL, Balance(alpha=1e-4, tolerance=0.15, most_draws=700), 1, outages=True)
LEAST = 120
Router = Callable[[float], str]
"""From the moment of a draw, in seconds, to who serves it."""


class RightRouter:
    """Draws alike among what is not cooling down; another client's request fails every so many seconds
    and takes whom it drew out."""

    def __init__(self, seed: int, every_s: float, cooldown_s: float = 5.0) -> None:
        self._chance, self._every_s, self._cooldown_s = random.Random(seed), every_s, cooldown_s
        self._next = self._chance.random() * every_s
        self._until: dict[str, float] = {}

    def __call__(self, at: float) -> str:
        while self._next <= at:
            self._until[self._drawn(self._next)] = self._next + self._cooldown_s
            self._next += self._every_s
        return self._drawn(at)

    def _drawn(self, at: float) -> str:
        left = [name for name in MEMBERS if self._until.get(name, 0.0) <= at]
        return self._chance.choice(left or MEMBERS)


@dataclass
class Time:
    """draw_s: what a request takes; cooldown_s: as declared."""

    draw_s: float
    cooldown_s: float = 5.0
    now: float = 30.0


def first(router: Router, design: Design, time: Time) -> Evaluation:
    """As the suite draws it; the shares alone are judged."""
    trial, draws = Trial(NULL, design), list[Draw]()
    while len(draws) < design.most_draws and (trial.outcome is None or len(draws) < LEAST):
        draws.append(Draw({}, router(time.now)))
        trial.observe(draws[-1].served)
        time.now += time.draw_s
    return Evaluation(Sample(draws), trial, Dependence(NULL, design.alpha))


def whole(router: Router, design: Design, time: Time, seed: int) -> Evaluation:
    """The same with all that is varied, judged by every test."""
    draws = []
    for asked in itertools.islice(itertools.chain.from_iterable(rounds(seed)), design.most_draws):
        draws.append(Draw(asked.features, router(time.now)))
        time.now += time.draw_s
    return judged(Sample(draws), NULL, design)


def second(router: Router, found: Evaluation, time: Time, *, paced: bool = True) -> Second:
    """At the moments at which the suite draws it."""
    length, begins = time.cooldown_s * SLACK, time.now
    most = found.trial.design.most_draws
    draws = second_draws(len(found.sample.draws), most) if paced else row_draws(len(row_of(found)), most)
    blocks = []
    for block in range(BLOCKS):
        wanted = draws * (block + 1) // BLOCKS - draws * block // BLOCKS
        now, made = begins + length * (block + 1), list[str]()
        starts = now
        for place in range(wanted):
            now = max(now + time.draw_s, starts + (length * place / wanted if paced else 0.0))
            made.append(router(now))
        blocks.append(made)
    return Second(blocks, seconds=length * (BLOCKS + 1))


@pytest.mark.parametrize(
    ("design", "every_s", "time", "runs"),
    [
        (PRODUCTION, 5.0, Time(0.008), 200),
        (PRODUCTION, 5.3, Time(0.05), 200),
        (PRODUCTION, 3.0, Time(0.008), 200),
        (LOCAL, 5.0, Time(0.02), 100),
        (LOCAL, 1.3, Time(0.02, 1.0), 100),
    ],
    ids=["production", "slow draws", "two at a time", "long sample", "short cooldown"],
)
def test_another_client_that_fails_makes_no_right_gateway_fail(
    design: Design, every_s: float, time: Time, runs: int
) -> None:
    """The first sample alone calls most of them unbalanced, both together call none so."""
    alone = both = 0
    for seed in range(runs):
        router, now = RightRouter(seed, every_s, time.cooldown_s), Time(time.draw_s, time.cooldown_s)
        found = first(router, design, now)
        if found.trial.outcome is SequentialDecision.FAILED:
            alone += 1
            both += not explained(found, second(router, found, now))
    assert alone > runs / 2
    assert both == 0


@pytest.mark.parametrize("every_s", [3.0, 5.0])
def test_nor_do_its_shares_change_or_its_neighbours_stick(every_s: float) -> None:
    """Draws of a tenth of a second, so that who cools down changes within the sample: time and order are
    found in many first samples, and in none of both."""
    alone, both = Counter[str](), Counter[str]()
    for seed in range(60):
        router, time = RightRouter(seed, every_s), Time(0.1)
        found = whole(router, PRODUCTION, time, seed)
        alone.update(found.dependent)
        if DRIFT in found.dependent:
            both[DRIFT] += not explained_change(found, second(router, found, Time(0.1, now=time.now)))
        if ORDER in found.dependent:
            row = second(router, found, Time(0.1, now=time.now), paced=False)
            both[ORDER] += not order_explained(found, row)
    assert alone[DRIFT] >= 10
    assert alone.keys() <= {DRIFT, ORDER}
    assert both.total() == 0


@pytest.mark.parametrize(
    ("weights", "design", "least"),
    [
        ((0, 1, 1), PRODUCTION, 58),
        ((1, 0, 0), PRODUCTION, 58),
        ((80, 10, 10), PRODUCTION, 56),
        ((60, 20, 20), LOCAL, 57),
        ((50, 40, 10), LOCAL, 57),
    ],
    ids=["starved", "one", "80", "60", "50/40/10"],
)
def test_a_gateway_that_balances_wrongly_fails_in_both(
    weights: tuple[int, ...], design: Design, least: int
) -> None:
    failed = 0
    for seed in range(60):
        chance, time = random.Random(seed), Time(0.01)
        drawn = lambda _, chance=chance: chance.choices(MEMBERS, weights)[0]  # noqa: E731
        found = first(drawn, design, time)
        failed += found.trial.outcome is SequentialDecision.FAILED and not explained(
            found, second(drawn, found, time)
        )
    assert failed >= least


@pytest.mark.parametrize("after", [10, 20, 30])
def test_who_gets_nothing_any_more_is_found_in_productions_draws(after: int) -> None:
    """By its shares or by its absence, whichever shows it; all were green in most runs when nobody looked at
    the draws after the shares had been decided."""
    found_in = 0
    for seed in range(40):
        chance, calls = random.Random(seed), itertools.count()
        weights = lambda calls=calls: (1, 1, 1) if next(calls) < after else (0, 1, 1)  # noqa: E731
        drawn = lambda _, chance=chance, weights=weights: chance.choices(MEMBERS, weights())[0]  # noqa: E731
        time = Time(0.01)
        found = whole(drawn, PRODUCTION, time, seed)
        later = second(drawn, found, time)
        shares = found.trial.outcome is SequentialDecision.FAILED and not explained(found, later)
        found_in += shares or (DRIFT in found.dependent and not explained_change(found, later))
    assert found_in >= 38


def test_what_is_not_found_says_what_would_have_been() -> None:
    """A bare pass says nothing where a sample has no power."""
    chance = random.Random(3)
    found = whole(lambda _: chance.choice(MEMBERS), PRODUCTION, Time(0.01), 3)
    assert found.dependent == {}
    assert would_find_silence(found) == (
        "64 draws would find that somebody serves no more: one none of the last 34, two none of the last 34, "
        "three none of the last 34"
    )
    short = whole(
        lambda _: chance.choice(MEMBERS), replace(PRODUCTION, most_draws=20, paid=20), Time(0.01), 3
    )
    assert would_find_silence(short) == "20 draws find nobody's absence, however long"


def again(seed: int, part: float) -> Router:
    chance, current = random.Random(seed), ["one"]

    def served(_: float) -> str:
        if chance.random() >= part:
            current[0] = chance.choice(MEMBERS)
        return current[0]

    return served


@pytest.mark.parametrize("way", ["in turns", "0.75", "0.5"])
def test_who_depends_on_the_order_does_so_in_both(way: str) -> None:
    """Of those that the first row shows: half of what is sticky by one half, in production."""
    first_row = failed = 0
    for seed in range(30):
        turns = itertools.cycle(MEMBERS)
        router = (lambda _, turns=turns: next(turns)) if way == "in turns" else again(seed, float(way))
        time = Time(0.01)
        found = whole(router, PRODUCTION, time, seed)
        if ORDER in found.dependent:
            first_row += 1
            failed += not order_explained(found, second(router, found, time, paced=False))
    assert first_row >= (8 if way == "0.5" else 27)
    assert failed >= first_row - 1


def test_who_is_not_declared_is_explained_by_no_cooldown() -> None:
    chance = random.Random(1)
    found = first(lambda at: "ghost" if at > 30.4 else chance.choice(MEMBERS), PRODUCTION, Time(0.01))
    assert found.trial.unexpected
    assert explained(found, Second(unknown="no second sample is needed")) == ""


def test_what_cannot_be_told_accuses_nobody() -> None:
    found = first(lambda _: "one", PRODUCTION, Time(0.01))
    lost = Second(unknown="draws had no answer: got 503")
    assert explained(found, lost) == explained_change(found, lost) == "draws had no answer: got 503"
    assert order_explained(found, lost) == "draws had no answer: got 503"
    words = explained(found, Second([["one", "two", "three"] * 5] * 4, seconds=30))
    assert words == "a second sample, drawn later over 30 s, does not show it: one 20, three 20, two 20"


def test_only_the_same_direction_in_every_block_but_one_is_constant() -> None:
    counts = Counter(one=64)
    more, less = ["one"] * 8 + ["two"] * 8, ["one"] * 5 + ["two"] * 11
    assert constant(NULL, counts, [more] * 12)
    assert constant(NULL, counts, [*[more] * 11, less])
    assert not constant(NULL, counts, [*[more] * 10, *[less] * 2])
    assert not constant(NULL, counts, [])


def test_blocks_that_differ_are_those_of_a_cooldown() -> None:
    assert alike([["one", "two"] * 8] * 12) == 1
    assert alike([["one"] * 16] * 12) == 1
    turns = [["one"] * 12 + ["two"] * 4, ["one"] * 12 + ["three"] * 4] * 10
    assert alike(turns) < 1e-4
    assert not constant(NULL, Counter(one=64), turns)
    # who serves once in a hundred makes no block another one
    assert alike([*[["one"] * 16] * 11, ["one"] * 15 + ["two"]]) == 1


def test_how_long_a_second_sample_is() -> None:
    assert [second_draws(*given) for given in ((64, 64), (120, 700), (500, 700))] == [240, 240, 700]
    assert [blocks_in(cooldown_s) for cooldown_s in (1.2, 6.0, 12.0, 15.0, 60.0)] == [12, 12, 11, 9, 1]
