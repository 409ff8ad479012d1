"""What drift says of the difference between a lock and what is newest."""

from __future__ import annotations

from pathlib import Path

from lab.drift import STEPS, newer


def test_what_changed_since_the_lock_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "suite.lock"
    lock.write_text(
        "alpha==1.0 \\\n    --hash=sha256:aa\nbeta==2 ; python_version < '3'\ngamma==3 \\\n", "utf-8"
    )
    assert newer({"alpha": "1.1", "beta": "2", "gamma": "4", "pip": "26"}, lock) == [
        "alpha 1.0 -> 1.1",
        "gamma 3 -> 4",
    ]


def test_lint_unit_tests_and_smoke_are_tried() -> None:
    assert [step.name for step in STEPS] == ["ruff", "mypy", "unit tests", "smoke"]
