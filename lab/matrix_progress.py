"""Which cells of a matrix were reached, noted while it runs, so that one that is stopped can tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

PROGRESS_VARIABLE = "MUTATION_MATRIX_PROGRESS"
NAMED = 40
"""Cells that a sentence names; the rest is counted."""


def note(path: Path, environment: str, check: str) -> None:
    """A case of that check has ended in that environment."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{environment}\t{check}\n")


def stopped(path: Path, wanted: Mapping[str, Collection[str]], why: str) -> str:
    """What a stopped matrix says. wanted: environment of a fault -> the checks that must detect it."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    reached = {(environment, check) for environment, _, check in (line.partition("\t") for line in lines)}
    cells = [(fault, check) for fault, checks in wanted.items() for check in checks]
    left = [f"{fault} x {check}" for fault, check in cells if (fault, check) not in reached]
    others = len(reached - set(cells))
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    return (
        f"the matrix was stopped {why}: {len(cells) - len(left)} of {len(cells)} cells and {others} checks "
        f"of the control were reached; not reached: {', '.join(left[:NAMED]) or 'none'}{more}"
    )
