"""How surely a fault is found over several runs, and what the healthy control said meanwhile."""

from __future__ import annotations

import pytest

from gateway_acceptance.cli.main import main
from lab.flakiness import Rounds
from lab.mutation_matrix import Cell, Matrix


def rounds(found: int, of: int, *, control: str = "passed", alarms: int = 0) -> Rounds:
    """Runs of one cell, found in so many of them; the control's verdict differs in so many."""
    return Rounds(
        [
            Matrix(
                [Cell("some-fault", "SOME-001", number < found, "failed", f"reason {number}")],
                {"SOME-001": control if number < alarms else "passed"},
            )
            for number in range(of)
        ]
    )


@pytest.mark.parametrize(("found", "sure"), [(20, True), (19, True), (18, False)])
def test_nineteen_of_twenty_are_enough(found: int, sure: bool) -> None:
    assert rounds(found, 20).sure is sure


def test_what_was_missed_is_told_with_its_reason() -> None:
    text = rounds(18, 20).text()
    assert "some-fault" in text
    assert "found 18 of 20 NOT SURELY e.g. failed: reason 18" in text
    assert "0 of 1 found in 95% or more of 20 runs; false alarms: 0" in text
    assert rounds(18, 20).document()["cells"] == [
        {
            "fault": "some-fault",
            "check": "SOME-001",
            "found": 18,
            "missed": [f"failed: reason {n}" for n in (18, 19)],
        }
    ]


def test_a_check_that_passed_without_a_word_was_missed_too() -> None:
    silent = Rounds([Matrix([Cell("f", "C", False, "passed", "")], {"C": "passed"})])
    assert "found 0 of 1 NOT SURELY e.g. passed:" in silent.text()


def test_one_false_alarm_is_one_too_many() -> None:
    seen = rounds(20, 20, control="inconclusive", alarms=1)
    assert not seen.sure
    assert "inconclusive 1, passed 19 FALSE ALARM" in seen.text()
    assert seen.document()["control"] == {"SOME-001": {"inconclusive": 1, "passed": 19}}


def test_a_control_that_was_not_run_proves_nothing() -> None:
    assert not Rounds([Matrix([Cell("f", "C", True, "failed", "")])]).sure


@pytest.mark.parametrize(
    "options",
    [
        ["--repeat", "20"],
        ["--repeat", "0", "--only", "gateway-down"],
        ["--repeat", "-1", "--outages"],
        ["--repeat", "20", "--hosts", "--only", "unit-restarts-never"],
    ],
)
def test_what_cannot_be_repeated(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["mutation-matrix", *options])
    assert ended.value.code == 4
    assert "--repeat N is for N > 0 runs of the faults of --only" in capsys.readouterr().err
