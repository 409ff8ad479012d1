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
    assert detected([found], WANTED) is expected
    assert detected([case("API-T-003", "failed", ""), found], WANTED) is expected


def test_nothing_tells_nothing() -> None:
    assert detected([], WANTED) is False
