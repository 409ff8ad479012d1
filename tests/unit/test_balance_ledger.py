"""One account of alpha for all statistical tests of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_acceptance.balance.expected_shares import null_of
from gateway_acceptance.balance.ledger import (
    SAME_SHORT_ID,
    SURVIVORS,
    alpha_of_each,
    equal_part,
    ledger,
    total,
)
from gateway_acceptance.balance.plan import design_in
from gateway_acceptance.balance.sequential import tail
from gateway_acceptance.environment import load_environment
from suites.every_exchange import ids
from tests.unit.declared import environment

ROOT = Path(__file__).parents[2]
OUTAGES = {"effects": ["read", "spend", "disrupt"], "requests": 10, "tokens": 10, "seconds": 10}


@pytest.mark.parametrize("name", ["local", "lab", "production", "staging", "balance"])
def test_all_tests_together_keep_to_what_is_declared(name: str) -> None:
    declared = load_environment(name, ROOT, {})
    entries = ledger(declared)
    beside = {"a second backend", "a backend that is back", "ids of answers"}
    others = [one.alpha for one in entries if one.test in beside]
    assert sum(others) < 5e-5 * len(declared.groups)
    assert total(entries) - sum(others) <= declared.balance.alpha + declared.outage.alpha + 1e-12


def test_the_shares_in_an_outage_have_a_part_of_their_own() -> None:
    """Not all of ``balance.alpha`` again."""
    declared = environment(policy=OUTAGES, balance={"alpha": 0.003})
    assert alpha_of_each(declared) == pytest.approx(0.001)
    parts = [one.alpha for one in ledger(declared) if one.test == SURVIVORS]
    assert parts == [pytest.approx(0.001)]
    null = null_of(declared.group("both"), declared.gateway, None)
    assert design_in(declared, null).alpha == pytest.approx(0.001)


def test_without_outages_the_groups_have_it_all() -> None:
    assert alpha_of_each(environment(balance={"alpha": 0.003})) == pytest.approx(0.0015)
    assert equal_part(0.006, 3, outages=False) == pytest.approx(0.001)
    with pytest.raises(ValueError, match="at least one group"):
        equal_part(0.1, 0, outages=False)


def test_what_is_not_of_balance_stands_in_the_account_too() -> None:
    """A backend that is back and was just not drawn; ids from a thousand that are the same by chance."""
    parts = {one.test: one.alpha for one in ledger(environment(policy=OUTAGES))}
    assert parts["a backend that is back"] == pytest.approx(2e-6)
    assert parts["ids of answers"] == pytest.approx(10 * SAME_SHORT_ID)
    litellm = {"url": "http://127.0.0.1:4000", "key_variable": "K", "product": "litellm"}
    assert "ids of answers" not in {one.test for one in ledger(environment(gateway=litellm))}


def test_the_same_short_ids_are_as_seldom_as_the_account_says() -> None:
    """Four in a row, or four more among the fifteen before (exact binomial), of ids from a thousand."""
    in_a_row = (1 / 1000) ** (ids.IN_A_ROW - 1)
    among = tail(ids.TIMES - 1, ids.WINDOW - 1, 1 / 1000)
    assert in_a_row + among <= SAME_SHORT_ID < 1.1 * (in_a_row + among)
