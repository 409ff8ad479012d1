"""Faults again and again on one lab: how surely each is found, and how often the healthy control alarms.

A check that draws by chance may miss its fault. One that is found once in a mutation matrix says little
of that; twenty runs say it is found nearly always.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_acceptance.environment import Environment
from lab.mutation_matrix import GREEN, Cell, Matrix, chosen, judge, run_checks, standing

LEAST_FOUND = 0.95
"""Of the runs of a cell: 19 of 20."""


@dataclass(frozen=True)
class Rounds:
    """The matrices of all runs; each control was judged by the checks that the faults name."""

    matrices: Sequence[Matrix]

    @property
    def cells(self) -> dict[tuple[str, str], list[Cell]]:
        """(fault, check) -> its cell in each run."""
        found: dict[tuple[str, str], list[Cell]] = {}
        for matrix in self.matrices:
            for cell in matrix.cells:
                found.setdefault((cell.fault, cell.check), []).append(cell)
        return found

    @property
    def unsure(self) -> list[tuple[str, str]]:
        """The cells that were found in too few runs."""
        return [
            place
            for place, cells in self.cells.items()
            if sum(cell.detected for cell in cells) < LEAST_FOUND * len(self.matrices)
        ]

    @property
    def control(self) -> dict[str, Counter[str]]:
        """Check -> how often the healthy control got each verdict."""
        found: dict[str, Counter[str]] = {}
        for matrix in self.matrices:
            for check, verdict in matrix.control.items():
                found.setdefault(check, Counter())[verdict] += 1
        return found

    @property
    def alarms(self) -> int:
        """How often a check was not green on the healthy control."""
        return sum(len(matrix.alarms) for matrix in self.matrices)

    @property
    def sure(self) -> bool:
        """Every cell is found in 95 of 100 runs or more, and the control was run and never alarmed."""
        return bool(self.control) and not self.unsure and not self.alarms

    def text(self) -> str:
        """A line per cell, and per check of the control."""
        lines = []
        for (fault, check), cells in self.cells.items():
            killed = sum(cell.detected for cell in cells)
            mark = "NOT SURELY" if (fault, check) in self.unsure else ""
            missed = next((cell for cell in cells if not cell.detected), None)
            # a check that passed says nothing: then there is no first line
            reason = "".join(missed.reason.splitlines()[:1])[:70] if missed else ""
            why = f"e.g. {missed.verdict}: {reason}" if missed else ""
            lines.append(f"{fault:<28} {check:<18} found {killed} of {len(cells)} {mark} {why}".rstrip())
        for check, verdicts in self.control.items():
            mark = "" if set(verdicts) <= set(GREEN) else "FALSE ALARM"
            seen = ", ".join(f"{verdict} {times}" for verdict, times in verdicts.items())
            lines.append(f"{'healthy control':<28} {check:<18} {seen} {mark}".rstrip())
        surely = len(self.cells) - len(self.unsure)
        lines.append(
            f"{surely} of {len(self.cells)} found in {LEAST_FOUND:.0%} or more of {len(self.matrices)} runs; "
            f"false alarms: {self.alarms}"
        )
        return "\n".join(lines)

    def document(self) -> Mapping[str, Any]:
        """The same for machines."""
        return {
            "runs": len(self.matrices),
            "sure": self.sure,
            "cells": [
                {
                    "fault": fault,
                    "check": check,
                    "found": sum(cell.detected for cell in cells),
                    "missed": [f"{cell.verdict}: {cell.reason}" for cell in cells if not cell.detected],
                }
                for (fault, check), cells in self.cells.items()
            ],
            "control": {check: dict(verdicts) for check, verdicts in self.control.items()},
        }


def progress(matrix: Matrix, number: int, times: int) -> str:
    """A line for the run with this number, from 0."""
    found = sum(cell.detected for cell in matrix.cells)
    return f"run {number + 1} of {times}: {found} of {len(matrix.cells)} found"


def run_repeated(
    root: Path,
    only: Sequence[str],
    litellm: str,
    times: int,
    say: Callable[[str], None],
    rewritten: Callable[[Environment], Environment] = lambda environment: environment,
    workers: int = 2,
    seconds: float = math.inf,
    suite: str = "suites",
) -> Rounds:
    """Run faults so many times on one lab. rewritten: changes each environment's file; workers: cells at a
    time; seconds: after which no further run begins; suite: where the checks are. Raises UsageProblem,
    NotStarted, RuntimeError."""
    faults = chosen(only)
    named = {check for fault in faults for check in fault.detected_by}
    matrices: list[Matrix] = []
    begun = time.monotonic()
    with standing(root, faults, litellm, say, rewritten) as lab:
        for number in range(times):
            if time.monotonic() - begun > seconds:
                break
            folder = lab.folder / f"run-{number}"
            folder.mkdir()
            records = run_checks(root, folder, lab.environments, faults, lab.variables, suite, named, workers)
            matrices.append(judge(faults, records, complete=False))
            say(progress(matrices[-1], number, times))
    return Rounds(matrices)
