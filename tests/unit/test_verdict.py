"""The lattice of verdicts."""

from __future__ import annotations

import itertools

import pytest

from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, NoAnswer, Untestable, Verdict, require, worst

ORDER = [
    "passed",
    "deviation",
    "waived",
    "not applicable",
    "not permitted",
    "inconclusive",
    "untestable",
    "failed",
    "harness error",
]


def test_worst_last() -> None:
    assert [verdict.value for verdict in sorted(Verdict, key=lambda verdict: verdict.rank)] == ORDER


def test_the_worst_of_two_is_the_one_that_comes_later() -> None:
    for better, worse in itertools.combinations([v for v in ORDER if v != "not applicable"], 2):
        assert worst([Verdict(worse), Verdict(better)]) is Verdict(worse)
        assert worst([Verdict(better), Verdict(worse)]) is Verdict(worse)


@pytest.mark.parametrize("other", [verdict for verdict in Verdict if verdict.value != "not applicable"])
def test_not_applicable_counts_only_where_there_is_nothing_else(other: Verdict) -> None:
    assert worst([Verdict.NOT_APPLICABLE, other]) is other
    assert worst([Verdict.NOT_APPLICABLE] * 2) is Verdict.NOT_APPLICABLE


def test_the_worst_of_nothing_is_no_verdict() -> None:
    assert worst([]) is None


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_is_red_and_what_was_executed(verdict: Verdict) -> None:
    assert verdict.red is (verdict.value in ORDER[5:])
    assert verdict.executed is (verdict.value in ("passed", "deviation", "waived", "inconclusive", "failed"))


def test_all_problems_are_told() -> None:
    problems = [Problem("a.b", "broken", "/x", source="spec"), Problem("c", "too")]
    with pytest.raises(CheckFailed, match=r"a.b: broken at /x \[spec\]\nc: too") as failure:
        require(problems, blame="backend")
    assert (failure.value.problems, failure.value.blame) == (problems, "backend")
    require([])


def test_no_answer_is_a_failure_of_the_target_and_untestable_is_not() -> None:
    assert isinstance(NoAnswer("silent"), CheckFailed)
    assert not isinstance(Untestable("a", "b"), AssertionError)
    assert str(Untestable("no key", "set one")) == "Untestable: no key; set one"
