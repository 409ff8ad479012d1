"""Tests of a number of draws that is fixed in advance, looked at once: how many a chi-square or G-test of the
shares would plan (what the sequential test is measured against), and the exact test of neighbours alike."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence


def chi2_sf(value: float, freedom: int) -> float:
    """Probability that a chi-square of ``freedom`` degrees (at least 1) exceeds the value; closed form."""
    if value <= 0:
        return 1.0
    half = value / 2
    if freedom % 2:
        tail = math.erfc(math.sqrt(half))
        powers = [step + 0.5 for step in range(freedom // 2)]
    else:
        tail = 0.0
        powers = [float(step) for step in range(freedom // 2)]
    return min(1.0, tail + sum(math.exp(p * math.log(half) - half - math.lgamma(p + 1)) for p in powers))


def noncentral_chi2_sf(value: float, freedom: int, noncentrality: float) -> float:
    """The same for a noncentral chi-square: a Poisson mixture of central ones."""
    half = noncentrality / 2
    if half == 0:
        return chi2_sf(value, freedom)
    last = int(half + 12 * math.sqrt(half) + 30)
    return math.fsum(
        math.exp(step * math.log(half) - half - math.lgamma(step + 1)) * chi2_sf(value, freedom + 2 * step)
        for step in range(last)
    )


def chi2_critical(alpha: float, freedom: int) -> float:
    """The value that a chi-square exceeds with probability alpha."""
    return _solved(lambda value: chi2_sf(value, freedom) <= alpha)


def fixed_draws(shares: Sequence[float], actual: Sequence[float], alpha: float, power: float) -> int:
    """Draws that a fixed chi-square or G-test plans to find ``actual`` with this power (Cohen's w).

    Raises ValueError where both are the same.
    """
    effect = sum((a - s) ** 2 / s for a, s in zip(actual, shares, strict=True) if s > 0)
    if effect <= 0:
        raise ValueError("no difference takes no number of draws to find")
    freedom = sum(1 for share in shares if share > 0) - 1
    critical = chi2_critical(alpha, freedom)
    noncentrality = _solved(lambda value: noncentral_chi2_sf(critical, freedom, value) >= power)
    return math.ceil(noncentrality / effect)


def repeats_distribution(counts: Sequence[int]) -> list[float]:
    """Probability of r neighbours alike (r = 0 ... n-1) in a random order of these counts, exact.

    The runs test of Wald and Wolfowitz for any number of kinds: ``sum(arrangements * C(repeats, marked))`` is
    counted by gluing marked neighbours together, then inverted. Integers throughout.
    """
    present = [count for count in counts if count]
    drawn = sum(present)
    glued = [1]  # blocks -> ways to cut the kinds so far into that many ordered blocks
    for count in present:
        longer = [0] * (len(glued) + count)
        for blocks, ways in enumerate(glued):
            for own in range(1, count + 1):
                cuts = math.comb(count - 1, own - 1)
                longer[blocks + own] += ways * cuts * math.comb(blocks + own, own)
        glued = longer
    marked = [glued[drawn - bonds] for bonds in range(drawn)]
    exactly = [
        sum(
            (-1) ** (bonds - repeats) * math.comb(bonds, repeats) * marked[bonds]
            for bonds in range(repeats, drawn)
        )
        for repeats in range(drawn)
    ]
    total = sum(exactly)
    return [ways / total for ways in exactly]


def runs_test(sequence: Sequence[str]) -> tuple[float, float]:
    """(p of so few repeats or fewer, p of so many or more), given the counts: takes turns, or sticks."""
    return runs_test_of_blocks([sequence])


def runs_test_of_blocks(blocks: Sequence[Sequence[str]]) -> tuple[float, float]:
    """The same of several sequences together, given the counts of each: shares may change between them."""
    repeats, distribution = 0, [1.0]
    for block in blocks:
        if not block:
            continue
        repeats += sum(one == other for one, other in itertools.pairwise(block))
        own = repeats_distribution([block.count(identity) for identity in dict.fromkeys(block)])
        both = [0.0] * (len(distribution) + len(own) - 1)
        for before, one in enumerate(distribution):
            for more, other in enumerate(own):
                both[before + more] += one * other
        distribution = both
    few, many = math.fsum(distribution[: repeats + 1]), math.fsum(distribution[repeats:])
    return min(1.0, few), min(1.0, many)


def _solved(reached: Callable[[float], bool]) -> float:
    """The least value from which on ``reached(value)`` holds, to 1e-9 of it."""
    low, high = 0.0, 1.0
    while not reached(high):
        low, high = high, high * 2
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
