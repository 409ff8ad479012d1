"""Dependence: patterns whose proportions are right are found and told apart; independent draws are not."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from gateway_acceptance.balance.dependence import ROUND_ROBIN, STICKY, Dependence, keyed
from gateway_acceptance.balance.null import Null

SHARES = {"a": 1 / 3, "b": 2 / 3}
NULL = Null("g", SHARES, "")
ALPHA = 0.001
CONTENT, CONNECTION = keyed("content"), keyed("connection")
Route = Callable[[int, int, int, random.Random, Sequence[str]], str]
"""(number, content, connection, chance, who served before) -> who serves."""


def by_chance(chance: random.Random) -> str:
    return chance.choices("ab", weights=(1, 2))[0]


def draws(route: Route, seed: int, most: int = 60) -> tuple[str | None, int]:
    """The pattern found, and the draws it took."""
    chance = random.Random(seed)
    test = Dependence(NULL, ALPHA, ("content", "connection"))
    for number in range(most):
        content, connection = chance.randrange(6), chance.randrange(4)
        identity = route(number, content, connection, chance, test.history)
        found = test.observe(identity, {"content": content, "connection": connection})
        if found is not None:
            return found, number + 1
    return None, most


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


ROUTES: dict[str, tuple[Route, str]] = {
    "round-robin of three deployments on two backends": (in_turns("abb"), ROUND_ROBIN),
    "round-robin of weights 2:4": (in_turns("abbabb"), ROUND_ROBIN),
    "the same again in three of four": (mostly_again, STICKY),
    "hash of the content": (by_content, CONTENT),
    "sticky per connection": (by_connection, CONNECTION),
}


@pytest.mark.parametrize("name", list(ROUTES))
def test_patterns_are_found_and_told_apart(name: str) -> None:
    route, pattern = ROUTES[name]
    found = [draws(route, seed, most=120)[0] for seed in range(60)]
    assert found.count(pattern) >= 57


def test_blocks_are_found() -> None:
    """Both sticky and turning; whichever is named first, they are not independent."""
    pattern, taken = draws(in_turns("aaaabbbbbbbb"), 0)
    assert pattern in (STICKY, ROUND_ROBIN)
    assert taken < 40


def test_round_robin_is_found_within_productions_draws() -> None:
    route, pattern = ROUTES["round-robin of three deployments on two backends"]
    found, taken = draws(route, 0)
    assert found == pattern
    assert taken <= 60


def test_independent_draws_raise_false_alarms_at_most_as_declared() -> None:
    chance, alarms = random.Random(9), 0
    null = Null("g", {"a": 0.5, "b": 0.3, "c": 0.2}, "")
    for _ in range(10_000):
        test = Dependence(null, 0.05, ("content",))
        for identity in chance.choices("abc", weights=(5, 3, 2), k=25):
            if test.observe(identity, {"content": chance.randrange(5)}):
                alarms += 1
                break
    assert 50 < alarms <= 500


def test_the_capital_of_a_fair_game_is_one_on_average() -> None:
    """Over every sequence of six draws, weighted by its probability."""
    total = 0.0
    for number in range(2**6):
        drawn = ["ab"[number >> bit & 1] for bit in range(6)]
        test = Dependence(NULL, ALPHA, ("content",))
        for place, identity in enumerate(drawn):
            test.observe(identity, {"content": place % 2})
        probability = SHARES["a"] ** drawn.count("a") * SHARES["b"] ** drawn.count("b")
        total += probability * test.e_value
    assert total == pytest.approx(1)


def test_in_words() -> None:
    test = Dependence(NULL, ALPHA)
    assert test.observe("a") is None
    assert test.sentence() == "1 draws show no dependence (largest e-value 1)"
    for number in range(60):
        test.observe("bba"[number % 3])
    assert test.sentence().startswith("draws are not independent but round-robin")


def test_keys_must_be_the_announced_ones() -> None:
    with pytest.raises(ValueError, match="each draw needs the keys"):
        Dependence(NULL, ALPHA, ("content",)).observe("a")


def test_who_has_no_share_is_left_to_the_other_test() -> None:
    test = Dependence(Null("g", {"a": 1.0, "b": 0.0}, ""), ALPHA)
    assert [test.observe(identity) for identity in ("a", "b", "ghost", "a", "a")] == [None] * 5
    assert test.history == ["a", "a", "a"]
    assert test.e_value == pytest.approx(1)


def test_capital_has_an_end() -> None:
    null = Null("g", {f"d{number}": 0.01 for number in range(100)}, "")
    test = Dependence(null, ALPHA)
    for _ in range(400):
        test.observe("d1")
    assert test.pattern == STICKY
    assert test.largest < float("inf")
