"""Tests of fixed size: against SciPy, and against counting every possibility."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from gateway_acceptance.balance.fixed import (
    chi2_critical,
    chi2_sf,
    fixed_draws,
    noncentral_chi2_sf,
    repeats_distribution,
    runs_test,
    runs_test_of_blocks,
)
from tests.unit.balance_reference import SCIPY


def test_the_chi_square_is_scipys() -> None:
    for value, freedom, expected in SCIPY["chi2_sf"]:
        assert chi2_sf(value, freedom) == pytest.approx(expected, rel=1e-9)
    for value, freedom, noncentrality, expected in SCIPY["noncentral_chi2_sf"]:
        assert noncentral_chi2_sf(value, freedom, noncentrality) == pytest.approx(expected, rel=1e-7)
    assert chi2_sf(0, 3) == noncentral_chi2_sf(0, 3, 0) == 1
    assert chi2_sf(chi2_critical(0.003, 5), 5) == pytest.approx(0.003)


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


def test_blocks_are_looked_at_each_by_itself() -> None:
    """Other shares in each block are no dependence; turns within every one are."""
    assert runs_test_of_blocks([list("abbab")]) == pytest.approx(runs_test(list("abbab")))
    few, many = runs_test_of_blocks([["a"] * 10, ["b"] * 10, []])
    assert (few, many) == (1, 1)
    assert runs_test(["a"] * 10 + ["b"] * 10)[1] < 1e-4
    few, many = runs_test_of_blocks([["a", "b"] * 5, ["b", "c"] * 5])
    assert few < 1e-3
    assert many > 0.999


def test_two_blocks_count_every_order_of_both() -> None:
    one, other = "aab", "abbb"
    seen = Counter(
        sum(left == right for order in pair for left, right in itertools.pairwise(order))
        for pair in itertools.product(itertools.permutations(one), itertools.permutations(other))
    )
    repeats = 1 + 1
    few, many = runs_test_of_blocks(["aab", "babb"])
    assert few == pytest.approx(sum(n for k, n in seen.items() if k <= repeats) / seen.total())
    assert many == pytest.approx(sum(n for k, n in seen.items() if k >= repeats) / seen.total())
