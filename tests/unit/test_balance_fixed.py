"""Tests of fixed size: against SciPy, and against counting every possibility."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest

from gateway_acceptance.balance.fixed import (
    chi2_critical,
    chi2_sf,
    exact_p,
    fixed_draws,
    fixed_test,
    g_statistic,
    noncentral_chi2_sf,
    repeats_distribution,
    runs_test,
)
from tests.unit.balance_reference import SCIPY


def test_the_chi_square_is_scipys() -> None:
    for value, freedom, expected in SCIPY["chi2_sf"]:
        assert chi2_sf(value, freedom) == pytest.approx(expected, rel=1e-9)
    for value, freedom, noncentrality, expected in SCIPY["noncentral_chi2_sf"]:
        assert noncentral_chi2_sf(value, freedom, noncentrality) == pytest.approx(expected, rel=1e-7)
    assert chi2_sf(0, 3) == noncentral_chi2_sf(0, 3, 0) == 1
    assert chi2_sf(chi2_critical(0.003, 5), 5) == pytest.approx(0.003)


def test_the_exact_test_of_two_is_scipys_binomial_test() -> None:
    for count, draws, share, expected in SCIPY["binomial_p"]:
        assert exact_p([count, draws - count], [share, 1 - share]) == pytest.approx(expected, rel=1e-7)


def test_the_g_test_is_scipys() -> None:
    for counts, shares, statistic, p in SCIPY["g_test"]:
        assert g_statistic(counts, shares) == pytest.approx(statistic, rel=1e-9)
        assert chi2_sf(statistic, len(counts) - 1) == pytest.approx(p, rel=1e-6, abs=1e-300)


def test_the_exact_test_of_three_counts_every_sequence() -> None:
    shares, seen = (0.5, 0.3, 0.2), (1, 1, 5)

    def probability(counts: tuple[int, ...]) -> float:
        return math.prod(share**count for share, count in zip(shares, counts, strict=True))

    outcomes: Counter[tuple[int, ...]] = Counter(
        tuple(drawn.count(place) for place in range(3)) for drawn in itertools.product(range(3), repeat=7)
    )
    exact = {counts: ways * probability(counts) for counts, ways in outcomes.items()}
    expected = sum(one for one in exact.values() if one <= exact[seen] * (1 + 1e-9))
    assert exact_p(seen, shares) == pytest.approx(expected)
    assert sum(exact.values()) == pytest.approx(1)


def test_which_test_is_taken() -> None:
    assert fixed_test([20, 22, 18], [1 / 3] * 3).method == "exact multinomial"
    assert fixed_test([200, 220, 180], [1 / 3] * 3).method == "G-test"
    exact, approximate = fixed_test([130, 100, 70], [1 / 3] * 3), g_statistic([130, 100, 70], [1 / 3] * 3)
    assert exact.method == "exact multinomial"
    assert exact.p == pytest.approx(chi2_sf(approximate, 2), rel=0.1)


def test_a_share_of_zero_that_served() -> None:
    assert fixed_test([59, 1], [1.0, 0.0]).p == 0
    assert fixed_test([30, 30, 0], [0.5, 0.5, 0.0]).p == pytest.approx(1)


def test_the_planned_size_is_the_known_one() -> None:
    """40/30/30 against three alike, alpha 0.01, power 0.9: about 870 draws."""
    assert fixed_draws([1 / 3] * 3, [0.4, 0.3, 0.3], 0.01, 0.9) == 872
    with pytest.raises(ValueError, match="no difference"):
        fixed_draws([0.5, 0.5], [0.5, 0.5], 0.01, 0.9)


@pytest.mark.parametrize("counts", [(3, 4), (1, 6), (2, 2, 3), (5,), (1, 1, 1, 4), (0, 3, 2)])
def test_the_number_of_repeats_counts_every_order(counts: tuple[int, ...]) -> None:
    kinds = [place for place, count in enumerate(counts) for _ in range(count)]
    orders = set(itertools.permutations(kinds))
    seen = Counter(sum(one == other for one, other in itertools.pairwise(order)) for order in orders)
    expected = [seen[repeats] / len(orders) for repeats in range(len(kinds))]
    assert repeats_distribution(counts) == pytest.approx(expected)


def test_the_number_of_repeats_of_many_draws_has_the_known_mean() -> None:
    counts = (70, 60, 70)
    mean = sum(repeats * p for repeats, p in enumerate(repeats_distribution(counts)))
    assert mean == pytest.approx(sum(count * (count - 1) for count in counts) / sum(counts))


def test_turns_and_sticking_are_told_apart() -> None:
    few, many = runs_test(["a", "b", "b"] * 10)
    assert few < 0.01
    assert many > 0.99
    few, many = runs_test(["a"] * 10 + ["b"] * 20)
    assert few > 0.99
    assert many < 1e-5
    few, many = runs_test(list("abbabaabbbab"))
    assert min(few, many) > 0.2
