"""The matrix of fixes: what is pasted, what is decided, and what counts as proved."""

from __future__ import annotations

from typing import Any

import pytest

from lab.fix_matrix import FixProof, FixProofs, fixes_of, red_of, text
from lab.hosts.trace import PROGRAM, changed


def record(*cases: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "checks": [
            {"id": check, "cases": [{"verdict": verdict, "message": message}]}
            for check, verdict, message in cases
        ]
    }


def test_commands_are_pasted_and_sentences_are_decided() -> None:
    found = record(
        (
            "HOST-A-001",
            "failed",
            "a: has 1; fix: sudo one\nb: has 1; fix: sudo two",
        ),
        ("HOST-A-002", "failed", "c: has 1, expected 2; fix: sudo one\nd: fix: set it in the file"),
        ("HOST-A-003", "passed", "fix: sudo never"),
        ("HOST-A-004", "failed", "fix: sudo another's"),
    )
    commands, sentences = fixes_of(found, ["HOST-A-001", "HOST-A-002", "HOST-A-003"])
    assert commands == ["sudo one", "sudo two"]
    assert sentences == ["set it in the file"]
    assert len(red_of(found)) == 3


def test_what_is_cut_off_is_not_pasted_and_a_comment_makes_no_other_command() -> None:
    same = "a: fix: sudo one; sudo two  # or declare it\nb: fix: sudo one; sudo two"
    said = f"{same}\nc: fix: sudo rm /a/b-… (cut)"
    assert fixes_of(record(("HOST-A-001", "failed", said)), ["HOST-A-001"]) == (["sudo one; sudo two"], [])


def test_a_finding_without_a_fix_is_its_own_sentence() -> None:
    assert fixes_of(record(("HOST-A-001", "untestable", "no look\nmore")), ["HOST-A-001"]) == (
        [],
        ["no look"],
    )


@pytest.mark.parametrize(
    ("one", "proved"),
    [
        (FixProof("f", ["sudo a"], []), True),
        (FixProof("f", ["sudo a"], [], failed=["sudo a (1)"]), False),
        (FixProof("f", ["sudo a"], [], findings=["HOST-A-001: still"]), False),
        (FixProof("f", ["sudo a"], [], others=["HOST-A-002: new"]), False),
        (FixProof("f", ["sudo a"], [], left=["unit CPUQuota: was -, is 5%"]), False),
        (FixProof("f", [], ["set it"]), True),
        (FixProof("f", [], []), False),
    ],
)
def test_proved_is_a_fix_that_leaves_neither_finding_nor_defect(one: FixProof, *, proved: bool) -> None:
    assert one.proved is proved
    assert FixProofs([one]).complete is proved
    assert ("NOT FIXED" in text(FixProofs([one]))) is (bool(one.commands) and not proved)


def test_an_alarm_on_the_control_or_nothing_at_all_is_not_complete() -> None:
    assert not FixProofs().complete
    assert not FixProofs([FixProof("f", ["sudo a"], [])], alarms=["HOST-A-001: red"]).complete


def test_a_trace_tells_what_came_went_and_changed() -> None:
    before, after = {"a": "1", "b": "2", "same": "0"}, {"b": "3", "c": "4", "same": "0"}
    assert changed(before, after) == {"a": ("1", "-"), "b": ("2", "3"), "c": ("-", "4")}


def test_the_program_of_the_trace_is_python() -> None:
    compile(PROGRAM, "trace", "exec")
