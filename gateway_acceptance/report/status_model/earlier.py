"""What was before a run, and what has changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_acceptance.record_model import Record
from gateway_acceptance.report.accepted import Accepted
from gateway_acceptance.report.changes import Changes, changes
from gateway_acceptance.report.history import History
from gateway_acceptance.report.past import Past


@dataclass(frozen=True, slots=True)
class Earlier:
    """previous: the last run of the same environment, with changes since; accepted: the last accepted
    release, the same; passed_over: sign-offs that do not count, a sentence each."""

    previous: Record | None
    changes: Changes | None
    accepted: Accepted | None
    accepted_changes: Changes | None
    passed_over: Sequence[str]
    history: History


def earlier_of(record: Record, past: Past) -> Earlier:
    """A last run of another environment counts as none."""
    previous = past.previous
    if previous is not None and previous.run.environment != record.run.environment:
        previous = None
    return Earlier(
        previous,
        changes(record, previous) if previous else None,
        past.accepted,
        changes(record, past.accepted.record) if past.accepted else None,
        past.passed_over,
        past.history,
    )
