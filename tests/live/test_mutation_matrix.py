"""The proof that the checks can fail: every fault is found by its checks, and the control is green."""

from __future__ import annotations

import pytest

from gateway_acceptance.usage import UsageProblem
from lab.faults import FAULTS
from lab.flakiness import run_repeated
from lab.mutation_matrix import Matrix, chosen, judge, run_matrix
from tests.live.conftest import ROOT


def test_every_fault_is_found_and_the_control_is_green() -> None:
    matrix = run_matrix(ROOT, [], "", print)
    assert not [f"{cell.fault} x {cell.check}: {cell.reason}" for cell in matrix.undetected]
    assert not matrix.alarms
    assert not matrix.uncovered
    assert matrix.complete


def test_a_fault_is_run_again_on_the_same_lab() -> None:
    rounds = run_repeated(ROOT, ["balanced-over-one"], "", 2, print)
    assert [len(cells) for cells in rounds.cells.values()] == [2]
    assert rounds.control == {"BACKEND-BAL-001": {"passed": 2}}
    assert rounds.sure


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(UsageProblem, match="there is no such fault"):
        chosen(["no-such-fault"])


@pytest.mark.parametrize(
    ("name", "option"), [("outage-lying-success", "--outages"), ("host-without-ssh", "--hosts")]
)
def test_a_fault_of_another_matrix_is_sent_there(name: str, option: str) -> None:
    with pytest.raises(UsageProblem, match=f"--only {name}: add {option}"):
        chosen([name])


def record(check: str, verdict: str, message: str) -> dict[str, object]:
    """A record with one check of one case."""
    return {
        "checks": [{"id": check, "verdict": verdict, "cases": [{"verdict": verdict, "message": message}]}]
    }


def judged(verdict: str, message: str, control: str = "passed") -> Matrix:
    """The matrix of the one fault ``gateway-down`` with this outcome of its check."""
    runs = {
        "control": record("API-OPS-001", control, ""),
        "gateway-down": record("API-OPS-001", verdict, message),
    }
    return judge([FAULTS["gateway-down"]], runs, complete=True)


def test_a_fault_found_for_the_stated_reason_is_killed() -> None:
    assert judged("failed", "GET http://x: connection refused").complete


@pytest.mark.parametrize(
    ("verdict", "message"),
    [
        ("passed", ""),
        ("waived", "connection refused"),
        ("failed", "the body was empty"),
        ("harness error", "KeyError: connection refused"),
        ("not applicable", "connection refused"),
    ],
)
def test_anything_else_is_a_survivor(verdict: str, message: str) -> None:
    matrix = judged(verdict, message)
    assert [cell.fault for cell in matrix.undetected] == ["gateway-down"]
    assert not matrix.complete


def test_a_control_that_is_not_green_is_a_false_alarm() -> None:
    matrix = judged("failed", "connection refused", control="untestable")
    assert matrix.alarms == ["API-OPS-001: untestable"]
    assert not matrix.complete


def test_a_check_that_no_fault_names_is_uncovered() -> None:
    runs = {
        "control": record("API-NEW-001", "passed", ""),
        "gateway-down": record("API-OPS-001", "failed", "connection refused"),
    }
    assert judge([FAULTS["gateway-down"]], runs, complete=True).uncovered == ["API-NEW-001"]
    assert not judge([FAULTS["gateway-down"]], runs, complete=False).uncovered
