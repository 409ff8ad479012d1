"""Timeouts scale with the machine; a matrix that is stopped says what it had reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.matrix_progress import NAMED, note, stopped
from lab.patience import LEAST, MOST, factor


@pytest.mark.parametrize(
    ("load", "cores", "expected"),
    [(0.0, 2, LEAST), (1.0, 2, LEAST), (8.0, 2, 9.0), (8.0, 16, LEAST), (500.0, 2, MOST)],
)
def test_a_busy_machine_has_more_time(load: float, cores: int, expected: float) -> None:
    assert factor(load, cores) == expected


WANTED = {"cut-off": ["API-A-001", "API-A-002"], "late": ["API-B-001"]}


def test_what_was_reached_is_told(tmp_path: Path) -> None:
    path = tmp_path / "progress.tsv"
    for environment, check in (("cut-off", "API-A-001"), ("control", "API-C-001"), ("cut-off", "API-A-001")):
        note(path, environment, check)
    assert stopped(path, WANTED, "after 5 s") == (
        "the matrix was stopped after 5 s: 1 of 3 cells and 1 checks of the control were reached; "
        "not reached: cut-off x API-A-002, late x API-B-001"
    )


def test_nothing_and_everything(tmp_path: Path) -> None:
    path = tmp_path / "progress.tsv"
    many = {f"fault-{number}": ["API-A-001"] for number in range(NAMED + 5)}
    assert stopped(path, many, "from outside").endswith(" and 5 more")
    note(path, "late", "API-B-001")
    assert stopped(path, {"late": ["API-B-001"]}, "from outside").endswith("not reached: none")
