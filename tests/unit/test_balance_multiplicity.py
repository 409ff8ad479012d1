"""One alpha for several groups."""

from __future__ import annotations

import random

import pytest

from gateway_acceptance.balance.multiplicity import alpha_of_each, e_bh, holm


def test_each_apart() -> None:
    assert alpha_of_each(0.01, 4) == 0.0025
    with pytest.raises(ValueError, match="at least one"):
        alpha_of_each(0.01, 0)


def test_holm_by_hand() -> None:
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert adjusted == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert list(adjusted) == ["a", "b", "c", "d"]
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}


def test_holm_rejects_whatever_bonferroni_rejects_and_more() -> None:
    p_values = {"a": 0.003, "b": 0.005, "c": 0.2}
    assert {name for name, p in p_values.items() if p <= alpha_of_each(0.01, 3)} == {"a"}
    assert {name for name, p in holm(p_values).items() if p <= 0.01} == {"a", "b"}


def test_e_bh_by_hand() -> None:
    assert e_bh({"a": 60, "b": 25, "c": 1}, 0.05) == {"a"}
    assert e_bh({"a": 35, "b": 35, "c": 1}, 0.05) == {"a", "b"}
    assert e_bh({"a": 59, "b": 29, "c": 19}, 0.05) == set()
    assert e_bh({"a": 20, "b": 20, "c": 20}, 0.05) == {"a", "b", "c"}
    assert e_bh({}, 0.05) == set()


def test_holm_holds_alpha_over_ten_thousand_families() -> None:
    chance = random.Random(3)
    families = ({str(one): chance.random() for one in range(5)} for _ in range(10_000))
    alarms = sum(min(holm(family).values()) <= 0.05 for family in families)
    assert alarms <= 0.05 * 10_000 + 3 * 22  # three standard errors
    assert alarms >= 0.03 * 10_000
