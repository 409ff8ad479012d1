"""Budgets and effects: what is refused, and that nothing is counted for it."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.model import Policy
from gateway_acceptance.policy import Budget, Spent, forbidden
from gateway_acceptance.verdict import NotPermitted

READ_AND_SPEND = (Effect.READ, Effect.SPEND)


def policy(requests: int = 5, tokens: int = 100, seconds: float = 60.0) -> Policy:
    return Policy(effects=READ_AND_SPEND, requests=requests, tokens=tokens, seconds=seconds)


def test_effects() -> None:
    assert forbidden(policy(), Effect.SPEND) is None
    assert "allows the effects read, spend; this check needs 'disrupt'" in str(
        forbidden(policy(), Effect.DISRUPT)
    )


def test_requests_up_to_the_budget(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "b", policy(requests=2), time.time())
    budget.reserve()
    budget.reserve()
    with pytest.raises(NotPermitted, match="2 requests is used up"):
        budget.reserve()
    assert budget.spent == Spent(2, 0)


def test_tokens_are_reserved_and_settled(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "b", policy(), time.time())
    budget.reserve(90)
    with pytest.raises(NotPermitted, match="90 spent, this request may need 20"):
        budget.reserve(20)
    budget.settle(90, 10)
    budget.reserve(90)
    assert budget.spent == Spent(2, 100)


def test_no_token_is_spent_where_that_is_forbidden(tmp_path: Path) -> None:
    careful = Policy(effects=(Effect.READ,), requests=5, tokens=100, seconds=60)
    budget = Budget(tmp_path / "b", careful, time.time())
    with pytest.raises(NotPermitted, match="forbids requests that cost tokens"):
        budget.reserve(1)
    budget.reserve(0)
    assert budget.spent == Spent(1, 0)


def test_seconds(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "b", policy(seconds=10), time.time() - 11)
    with pytest.raises(NotPermitted, match="10 s is used up"):
        budget.reserve()
    assert budget.spent == Spent()


@pytest.mark.parametrize(
    ("allowed", "reserved", "began_s_ago", "share"),
    [
        (policy(requests=4, tokens=1000, seconds=1000), (10,), 0, 0.25),
        (policy(requests=100, tokens=40, seconds=1000), (10, 20), 0, 0.75),
        (policy(requests=100, tokens=1000, seconds=100), (1,), 50, 0.5),
    ],
    ids=["requests", "tokens", "time"],
)
def test_how_much_is_used_is_the_most_of_its_parts(
    tmp_path: Path, allowed: Policy, reserved: tuple[int, ...], began_s_ago: int, share: float
) -> None:
    budget = Budget(tmp_path / "b", allowed, time.time() - began_s_ago)
    for tokens in reserved:
        budget.reserve(tokens)
    assert budget.share() == pytest.approx(share, abs=0.05)


def test_processes_share_it(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        granted = pool.map(_grab, [tmp_path / "b"] * 40)
    assert sum(granted) == 25
    assert Budget(tmp_path / "b", policy(), time.time()).spent == Spent(25, 50)


def _grab(file: Path) -> bool:
    try:
        Budget(file, policy(requests=25), time.time()).reserve(2)
    except NotPermitted:
        return False
    return True
