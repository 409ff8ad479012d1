"""Dependence: patterns are found and told apart whatever the shares are; independent draws raise no alarm."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence

import pytest

from bench.balance_patterns import ALPHA_OF_EACH, BOTH, Routing, draws_until_found
from gateway_acceptance.balance.dependence import (
    DRIFT,
    ORDER,
    ROUND_ROBIN,
    STICKY,
    Dependence,
    _Moments,
    way_of,
)
from gateway_acceptance.balance.dependence_power import silence
from gateway_acceptance.balance.expected_shares import ExpectedShares

SHARES = {"a": 1 / 3, "b": 2 / 3}
NULL = ExpectedShares("g", SHARES, "")
ALPHA = 0.001
CONTENT, CONNECTION = "content", "connection"
Route = Callable[[int, int, int, random.Random, Sequence[str]], str]
"""(number, content, connection, chance, who served before) -> who serves."""


def by_chance(chance: random.Random) -> str:
    return chance.choices("ab", weights=(1, 2))[0]


def draws(route: Route, seed: int, most: int) -> dict[str, int]:
    """The patterns found, and the draws they took."""
    chance = random.Random(seed)
    test = Dependence(NULL, ALPHA, (CONTENT, CONNECTION))
    for number in range(most):
        content, connection = chance.randrange(6), chance.randrange(4)
        identity = route(number, content, connection, chance, test.history)
        test.observe(identity, {CONTENT: content, CONNECTION: connection})
    return test.found


def in_turns(cycle: str) -> Route:
    def route(
        number: int, content: int, connection: int, chance: random.Random, before: Sequence[str]
    ) -> str:
        return cycle[number % len(cycle)]

    return route


def mostly_again(
    number: int, content: int, connection: int, chance: random.Random, before: Sequence[str]
) -> str:
    return before[-1] if before and chance.random() < 0.75 else by_chance(chance)


def by_content(
    number: int, content: int, connection: int, chance: random.Random, before: Sequence[str]
) -> str:
    return "abb"[content % 3]


def by_connection(
    number: int, content: int, connection: int, chance: random.Random, before: Sequence[str]
) -> str:
    return "abbb"[connection]


def after_a_while(
    number: int, content: int, connection: int, chance: random.Random, before: Sequence[str]
) -> str:
    return by_chance(chance) if number < 40 else "a"


def in_bursts(
    number: int, content: int, connection: int, chance: random.Random, before: Sequence[str]
) -> str:
    return before[-1] if number % 5 else by_chance(chance)


ROUTES: dict[str, tuple[Route, str]] = {
    "round-robin of three deployments on two backends": (in_turns("abb"), ORDER),
    "round-robin of weights 2:4": (in_turns("aabbbb"), ORDER),
    "the same again in three of four": (mostly_again, ORDER),
    "bursts of five": (in_bursts, ORDER),
    "hash of the content": (by_content, CONTENT),
    "sticky per connection": (by_connection, CONNECTION),
    "another after forty": (after_a_while, DRIFT),
}


@pytest.mark.parametrize("name", list(ROUTES))
def test_patterns_are_found_and_told_apart(name: str) -> None:
    route, pattern = ROUTES[name]
    found = [draws(route, seed, most=140) for seed in range(60)]
    assert sum(pattern in one for one in found) >= 57
    others = {ORDER, DRIFT} if pattern in (ORDER, DRIFT) else {pattern}  # bursts are both
    assert set().union(*found) <= others


def test_the_two_ways_to_depend_on_the_order() -> None:
    assert way_of("abb" * 10) == ROUND_ROBIN
    assert way_of("aaaabbbbbbbb" * 3) == STICKY
    assert way_of("") == ROUND_ROBIN


def test_round_robin_is_found_within_productions_draws() -> None:
    route, pattern = ROUTES["round-robin of three deployments on two backends"]
    assert draws(route, 0, most=60)[pattern] <= 30


@pytest.mark.parametrize("weights", [(1, 2), (2, 1), (19, 1), (1, 0)])
def test_other_shares_are_no_dependence(weights: tuple[int, int]) -> None:
    """Starved or skewed, as the declaration forbids, and still by chance."""

    def skewed(*given: object) -> str:
        chance = given[3]
        assert isinstance(chance, random.Random)
        return chance.choices("ab", weights=weights)[0]

    assert [draws(skewed, seed, most=150) for seed in range(40)] == [{}] * 40


def test_independent_draws_raise_false_alarms_at_most_as_declared() -> None:
    """Of all patterns together, over every draw. The best fit costs some of alpha, so fewer than that."""
    chance, alarms = random.Random(9), 0
    null = ExpectedShares("g", {"a": 0.5, "b": 0.3, "c": 0.2}, "")
    for _ in range(2_000):
        test = Dependence(null, 0.2, (CONTENT,))
        for identity in chance.choices("abc", weights=(5, 3, 2), k=25):
            test.observe(identity, {CONTENT: chance.randrange(5)})
        alarms += bool(test.found)
    assert 0 < alarms <= 400


@pytest.mark.parametrize("share", [1 / 3, 0.5, 0.9])
def test_no_bet_wins_on_average(share: float) -> None:
    """Over every sequence of eight draws, weighted by its probability, whatever the shares really are."""
    total = dict.fromkeys((ORDER, DRIFT, CONTENT), 0.0)
    for number in range(2**8):
        drawn = ["ab"[number >> bit & 1] for bit in range(8)]
        test = Dependence(NULL, ALPHA, (CONTENT,))
        for place, identity in enumerate(drawn):
            test.observe(identity, {CONTENT: place % 2})
        probability = share ** drawn.count("a") * (1 - share) ** drawn.count("b")
        for pattern in total:
            total[pattern] += probability * math.exp(test.log_e(pattern))
    assert all(0.05 < one <= 1 for one in total.values())


def test_a_draw_without_a_key_says_nothing_of_it() -> None:
    test = Dependence(NULL, ALPHA, (CONTENT,))
    for number in range(30):
        test.observe("ab"[number % 2], {CONTENT: None})
    assert test.log_e(CONTENT) == 0
    assert test.found[ORDER] < 30


def test_what_came_between_breaks_the_row() -> None:
    test = Dependence(NULL, ALPHA)
    for number in range(60):
        test.observe("ab"[number % 2])
        test.interrupt()
    assert test.log_e(ORDER) == pytest.approx(0)
    assert test.draws == 60


def test_alpha_is_shared_by_the_patterns() -> None:
    assert Dependence(NULL, 0.01, (CONTENT, CONNECTION)).threshold == pytest.approx(math.log(1200))
    assert Dependence(NULL, 0.01, (CONTENT,), serial=False).threshold == pytest.approx(math.log(300))


def test_keys_must_be_the_announced_ones() -> None:
    with pytest.raises(ValueError, match="each draw needs the keys"):
        Dependence(NULL, ALPHA, (CONTENT,)).observe("a")


def test_who_has_no_share_is_left_to_the_other_test() -> None:
    test = Dependence(ExpectedShares("g", {"a": 1.0, "b": 0.0}, ""), ALPHA)
    for identity in ("a", "b", "ghost", "a", "a"):
        test.observe(identity)
    assert test.history == ["a", "a", "a"]
    assert test.found == {}
    assert test.log_e(ORDER) == pytest.approx(0)


def test_many_deployments_and_draws_stay_finite() -> None:
    test = Dependence(
        ExpectedShares("g", {f"d{number}": 0.01 for number in range(100)}, ""), ALPHA, (CONTENT,)
    )
    for number in range(400):
        test.observe(f"d{number % 100}", {CONTENT: number % 100})
    assert all(math.isfinite(value) for value in test.largest.values())
    assert CONTENT in test.found


def test_who_serves_no_more_is_found_at_the_end() -> None:
    """Once, by the chance of so many draws without it: (2/3)^n against a ninth of what time may spend."""
    null = ExpectedShares("g", dict.fromkeys("abc", 1 / 3), "")
    gap = silence(1 / 3, 0.001 / 2, 3)
    assert (2 / 3) ** gap <= 0.001 / 2 / 3 / 3 < (2 / 3) ** (gap - 1)
    for absent, found in ((gap, {"a": gap}), (gap - 1, {})):
        test = Dependence(null, 0.001)
        for identity in (*"abccab" * 5, *"bccbcbbc" * 10)[: 30 - 1 + absent]:
            test.observe(identity)
        test.end()
        assert test.silent == found
        assert (DRIFT in test.tied) == bool(found)


def test_the_bet_on_a_moment_wins_nothing_on_average() -> None:
    """Under the declared shares, over every sequence of fourteen draws (one moment is after ten)."""
    total = 0.0
    for number in range(2**14):
        moments = _Moments((1 / 3, 2 / 3))
        places = [number >> bit & 1 for bit in range(14)]
        for place in places:
            moments.observe(place)
        total += math.prod((1 / 3, 2 / 3)[place] for place in places) * math.exp(moments.log_tied)
    assert total == pytest.approx(1)


def test_the_bench_counts_the_draws_that_a_pattern_takes() -> None:
    """In turns takes the same of every run; what is drawn by chance alone is not found."""
    assert draws_until_found("in turns", BOTH["three alike"], 2) == [18, 18]
    assert draws_until_found("in turns", BOTH["1/3 and 2/3"], 2) == [30, 30]
    chance = Routing(BOTH["three alike"], random.Random(1)).again(0.0)
    test = Dependence(ExpectedShares("g", BOTH["three alike"], ""), ALPHA_OF_EACH * 2)
    for identity, _ in itertools.islice(chance, 100):
        test.observe(identity)
    assert test.found == {}
