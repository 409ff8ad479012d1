"""An environment of the profile matrix is judged until its fault is told by its own check, for its reason."""

from __future__ import annotations

import pytest

from lab.profile_plugin import detected

WANTED = {"API-T-001": "expected 200 .*got 5"}


def case(check: str, verdict: str, message: str) -> dict[str, str]:
    return {"check": check, "verdict": verdict, "message": message}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (case("API-T-001", "failed", "expected 200 from x, got 500"), True),
        (case("API-T-001", "failed", "another reason"), False),
        (case("API-T-001", "passed", "expected 200 from x, got 500"), False),
        (case("API-T-002", "failed", "expected 200 from x, got 500"), False),
    ],
)
def test_only_its_own_check_tells_it_and_for_its_reason(found: dict[str, str], expected: bool) -> None:
    assert detected("a-fault", [found], WANTED) is expected
    assert detected("a-fault", [case("API-T-003", "failed", ""), found], WANTED) is expected


def test_nothing_tells_nothing() -> None:
    assert detected("a-fault", [], WANTED) is False


@pytest.mark.parametrize(
    ("fault", "check", "verdict", "expected"),
    [
        ("witness-silent", "BACKEND-BAL-001", "untestable", True),  # it declares so
        ("witness-names-undeclared", "BACKEND-BAL-001", "untestable", False),
        ("asked-twice", "BACKEND-BAL-002", "inconclusive", True),
        ("completion-stream-ids", "API-COMP-008", "deviation", False),  # the release does so by itself
        ("completion-stream-ids", "API-COMP-008", "failed", True),
    ],
)
def test_what_the_fault_declares_tells_it_too(fault: str, check: str, verdict: str, expected: bool) -> None:
    assert detected(fault, [case(check, verdict, "why")], {check: "why"}) is expected
