"""What there was before a run: the last record, the history, the last accepted release."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gateway_acceptance.record_model import Record
from gateway_acceptance.report.accepted import Accepted, Known, newest_accepted
from gateway_acceptance.report.history import History, read_history
from gateway_acceptance.run_directory import previous_record

SIGNOFFS = "signoffs"
"""Beside the folder of runs: ``reports/runs`` and ``reports/signoffs``."""


@dataclass(frozen=True, slots=True)
class Past:
    """previous: the record of this environment's last run, or None; passed_over: sign-offs that cannot be
    read, a sentence each."""

    previous: Record | None = None
    history: History = field(default_factory=History)
    accepted: Accepted | None = None
    passed_over: tuple[str, ...] = ()


def read_past(runs: Path, environment: str, known: Known | None = None) -> Past:
    """The past of a run that begins now. known: as of ``newest_accepted``."""
    accepted, passed_over = newest_accepted(runs.parent / SIGNOFFS, environment, known)
    return Past(
        previous_record(runs, environment),
        read_history(runs, environment),
        accepted,
        tuple(passed_over),
    )
