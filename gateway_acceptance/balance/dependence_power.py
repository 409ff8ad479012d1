"""The smallest dependence that a sample finds, before it is drawn: what "not found" means.

By simulation with a fixed seed, of the tests that find it soonest (``favourites``, and the neighbours
alike at the sample's end); ``dependence`` has one more, so that this is rather too large than too small.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable

from gateway_acceptance.balance.dependence import TESTS_OF_A_PATTERN
from gateway_acceptance.balance.favourites import Favourites
from gateway_acceptance.balance.fixed import runs_test

STEPS = tuple(step / 10 for step in range(1, 11))
"""Parts of the requests that are tied, tried: a tenth to all."""
RUNS, SEED = 100, 20_261_126
"""Of a simulation: a power of 0.9 is then off by about six points."""
VALUES = 4
"""Values of a key, as the sample varies them (users, connections, parameters)."""


@functools.lru_cache(maxsize=256)
def smallest_sticky(shares: tuple[float, ...], alpha: float, power: float, draws: int) -> float | None:
    """The smallest part of the requests that whoever served last serves again, beyond chance, which is
    found with this power; None where not even all are. alpha: of the order alone."""
    return _smallest(lambda part, chance: _finds_sticky(shares, alpha, draws, part, chance), power)


@functools.lru_cache(maxsize=256)
def smallest_tied(shares: tuple[float, ...], alpha: float, power: float, draws: int) -> float | None:
    """The same for a key of four values, each of which has a deployment of its own."""
    return _smallest(lambda part, chance: _finds_tied(shares, alpha, draws, part, chance), power)


def silence(share: float, alpha: float, identities: int) -> int:
    """How many last draws without somebody of this share are found; alpha: of the time alone. Exact."""
    return math.ceil(math.log(alpha / TESTS_OF_A_PATTERN / identities) / math.log(1 - share))


def _smallest(finds: Callable[[float, random.Random], bool], power: float) -> float | None:
    def enough(part: float) -> bool:
        chance = random.Random(SEED)  # noqa: S311 (no secret: the same plan every time)
        return sum(finds(part, chance) for _ in range(RUNS)) >= power * RUNS

    low, high = -1, len(STEPS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(STEPS[middle]) else (middle, high)
    return STEPS[high] if high < len(STEPS) else None


def _finds_sticky(
    shares: tuple[float, ...], alpha: float, draws: int, part: float, chance: random.Random
) -> bool:
    places = range(len(shares))
    bet = Favourites(shares, fixed={place: place for place in places})
    limit, row = math.log(TESTS_OF_A_PATTERN / alpha), [chance.choices(places, shares)[0]]
    for _ in range(draws - 1):
        place = row[-1] if chance.random() < part else chance.choices(places, shares)[0]
        bet.observe(row[-1], place)
        row.append(place)
        if bet.log_e >= limit:
            return True
    if len(set(row)) < 2:
        return False
    few, many = runs_test([str(place) for place in row])
    return 2 * min(few, many) <= alpha / TESTS_OF_A_PATTERN


def _finds_tied(
    shares: tuple[float, ...], alpha: float, draws: int, part: float, chance: random.Random
) -> bool:
    places = range(len(shares))
    bet, limit = Favourites(shares), math.log(TESTS_OF_A_PATTERN / alpha)
    owner = [chance.choices(places, shares)[0] for _ in range(VALUES)]
    for _ in range(draws):
        value = chance.randrange(VALUES)
        place = owner[value] if chance.random() < part else chance.choices(places, shares)[0]
        bet.observe(value, place)
        if bet.log_e >= limit:
            return True
    return False
