"""Explorations: what they draw, what they keep, and how they end."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest
from hypothesis import strategies as st

from gateway_acceptance.plugin.counterexample import (
    DEFAULT_SEED,
    SEARCH,
    SEED_VARIABLE,
    ExplorationBudget,
    explore,
)
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, Inconclusive, NoAnswer, NotPermitted, Untestable
from gateway_acceptance.wire.exchange import Exchange, Notebook
from lab.patience import patient

BOUNDS = ExplorationBudget(examples=30, seconds=60, enough=5)
NUMBERS = st.integers(0, 1000)
WRONG = [Problem("number.small", "expected less than 17")]


def asking(
    notebook: Notebook, judge: Callable[[int], Sequence[Problem]]
) -> Callable[[int], Sequence[Problem]]:
    """As a check asks: each request is noted."""

    def broken(number: int) -> Sequence[Problem]:
        notebook.exchanges.append(Exchange("POST", f"http://127.0.0.1/{number}", (), b""))
        return judge(number)

    return broken


def small(number: int) -> Sequence[Problem]:
    return WRONG if number >= 17 else []


def test_the_smallest_counterexample_is_the_evidence() -> None:
    notebook = Notebook([Exchange("GET", "http://127.0.0.1/before", (), b"")])
    with pytest.raises(CheckFailed) as raised:
        explore(notebook, NUMBERS, asking(notebook, small), BOUNDS, blame=lambda: "gateway")
    assert [exchange.url for exchange in notebook.exchanges] == [
        "http://127.0.0.1/before",
        "http://127.0.0.1/17",
    ]
    assert raised.value.blame == "gateway"
    (problem,) = raised.value.problems
    assert str(problem) == (
        f"number.small: expected less than 17 (seed {DEFAULT_SEED}, {SEED_VARIABLE} sets another)"
    )


def test_all_well_keeps_the_last_exchange_only() -> None:
    notebook = Notebook()
    assert explore(notebook, NUMBERS, asking(notebook, lambda _: []), BOUNDS) == BOUNDS.examples
    assert len(notebook.exchanges) == 1


def test_the_budget_ends_it_as_not_permitted() -> None:
    notebook, calls = Notebook(), itertools.count(1)

    def spent(_: int) -> Sequence[Problem]:
        if next(calls) > 3:
            raise NotPermitted("the budget of 3 requests is used up")
        return []

    with pytest.raises(NotPermitted, match="the budget of 3 requests"):
        explore(notebook, NUMBERS, asking(notebook, spent), BOUNDS)
    assert next(calls) == 5, "nothing is asked after the budget's end"


def test_a_counterexample_outweighs_the_budgets_end() -> None:
    notebook, left = Notebook(), [3]

    def judge(number: int) -> Sequence[Problem]:
        if number < 17:
            return []
        if not left[0]:
            raise NotPermitted("the budget is used up")
        left[0] -= 1
        return WRONG

    with pytest.raises(CheckFailed, match="expected less than 17"):
        explore(notebook, NUMBERS, asking(notebook, judge), BOUNDS)


def test_what_is_not_seen_again_has_failed_all_the_same() -> None:
    notebook, once = Notebook(), [WRONG]

    def judge(number: int) -> Sequence[Problem]:
        return once.pop() if number > 100 and once else []

    with pytest.raises(CheckFailed, match="expected less than 17"):
        explore(notebook, NUMBERS, asking(notebook, judge), BOUNDS)
    assert int(notebook.exchanges[-1].url.rsplit("/", 1)[1]) > 100, "the request that failed is shown"


def test_no_answer_is_a_counterexample() -> None:
    notebook = Notebook()

    def silent(_: int) -> Sequence[Problem]:
        raise NoAnswer("connection refused")

    with pytest.raises(CheckFailed, match="connection refused"):
        explore(notebook, NUMBERS, asking(notebook, silent), BOUNDS)


def test_a_bug_of_ours_is_not_called_a_counterexample() -> None:
    def bug(_: int) -> Sequence[Problem]:
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        explore(Notebook(), NUMBERS, bug, BOUNDS)


def test_an_assertion_of_ours_is_not_the_targets_failure() -> None:
    def bug(_: int) -> Sequence[Problem]:
        raise AssertionError("ours")

    with pytest.raises(RuntimeError, match="while requests were drawn: ours"):
        explore(Notebook(), NUMBERS, bug, BOUNDS)


def test_the_search_is_bounded() -> None:
    notebook, calls = Notebook(), itertools.count()

    def judge(number: int) -> Sequence[Problem]:
        next(calls)
        return WRONG if number >= 17 else []

    wide = st.lists(NUMBERS, min_size=40, max_size=40).map(sum)
    with pytest.raises(CheckFailed):
        explore(notebook, wide, asking(notebook, judge), BOUNDS)
    assert next(calls) <= BOUNDS.examples + SEARCH


def test_too_little_time_is_inconclusive() -> None:
    notebook = Notebook()
    with pytest.raises(Inconclusive, match="only 0 requests"):
        explore(
            notebook, NUMBERS, asking(notebook, small), ExplorationBudget(examples=30, seconds=-1, enough=5)
        )


def test_another_seed_draws_other_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn() -> list[int]:
        seen: list[int] = []

        def note(number: int) -> Sequence[Problem]:
            seen.append(number)
            return []

        explore(Notebook(), NUMBERS, note, BOUNDS)
        return seen

    usual = drawn()
    assert drawn() == usual
    monkeypatch.setenv(SEED_VARIABLE, "7")
    assert drawn() != usual
    monkeypatch.setenv(SEED_VARIABLE, "seven")
    with pytest.raises(Untestable, match="is 'seven'"):
        drawn()


DRAWING = """
import sys
if len(sys.argv) > 1:
    # modules whose constants Hypothesis would like to try
    import suites.api.properties.test_properties, lab.faults
from gateway_acceptance.plugin.counterexample import ExplorationBudget, explore
from gateway_acceptance.wire.exchange import Notebook
from suites.api.properties.strategies import valid_chats
seen = []
budget = ExplorationBudget(60, 60, 1)
explore(Notebook(), valid_chats("m"), lambda chat: seen.append(repr(chat)) or [], budget)
import hashlib
sys.stdout.write(hashlib.sha256("".join(seen).encode("utf-8", "surrogatepass")).hexdigest())
"""


def test_the_seed_alone_decides_what_is_drawn() -> None:
    """Whatever modules are loaded, whatever the hash seed: CI must be able to repeat what a person saw."""

    def digest(hash_seed: str, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", DRAWING, *arguments],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=patient(60),
        ).stdout

    assert digest("1") == digest("2", "more")
