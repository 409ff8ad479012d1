"""One cause that shows in many checks is one finding, with the list of them. Pure, over a record's checks.

A cause is the rule that a line of a failure names (``schema.error-envelope./required/error``), or, where it
names none, the line without what changes from run to run. Design: docs/results.md, "One cause, one finding".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway_acceptance.deviations import RULE, general
from gateway_acceptance.record_model import RecordedCheck
from gateway_acceptance.verdict import Verdict

ALIKE = 3
"""So many checks with one cause are one finding."""
STATUS = re.compile(r"\bgot (\d{3})\b")
"""The status that a rule of statuses names: what was served and what ended in an error is not one cause."""
CUT = re.compile(r"… \(cut\)$")
"""Where the record cut a long message: what stands there may be half of a line."""


SHOWN = 240
"""Characters of a line that a reason shows."""


@dataclass(frozen=True, slots=True)
class SharedCause:
    """One cause and the checks that fail for it. line: as the first of them tells it."""

    cause: str
    line: str
    checks: tuple[str, ...]

    def __str__(self) -> str:
        line = self.line if len(self.line) <= SHOWN else f"{self.line[:SHOWN]}…"
        return f"{len(self.checks)} checks fail for one cause: {line} ({', '.join(self.checks)})"


def cause_of(line: str) -> str:
    """What a line of a failure says, whichever check says it."""
    rule = RULE.match(line)
    if rule is None:
        return general(line, {})
    status = STATUS.search(line) if rule[1].endswith(".status") else None
    return f"{rule[1]} {status[1]}" if status else rule[1]


def causes_of(check: RecordedCheck) -> dict[str, str]:
    """Cause -> the first line that tells it, of a check whose red cases all failed and raise no alarm; else
    nothing: what else is red there has a word of its own."""
    red = [case for case in check.cases if case.verdict.red]
    if any(case.verdict != Verdict.FAILED or case.alarm for case in red):
        return {}
    found: dict[str, str] = {}
    for case in red:
        lines = [line for line in case.message.splitlines() if line.strip()]
        for line in lines[:-1] if len(lines) > 1 and CUT.search(lines[-1]) else lines:
            found.setdefault(cause_of(line.strip()), line.strip())
    return found


def findings(checks: Iterable[RecordedCheck]) -> Sequence[SharedCause]:
    """The causes that enough checks share, most checks first. A check belongs to one only where it fails for
    nothing that is its own."""
    causes = {check.id: causes_of(check) for check in checks}
    by_cause: dict[str, list[str]] = {}
    while True:  # who has a cause of its own is told alone, and makes no others a group
        by_cause = {}
        for check_id, found in causes.items():
            for cause in found:
                by_cause.setdefault(cause, []).append(check_id)
        alone = [
            check_id
            for check_id, found in causes.items()
            if any(len(by_cause[cause]) < ALIKE for cause in found)
        ]
        if not alone:
            break
        for check_id in alone:
            del causes[check_id]
    shared = [SharedCause(cause, causes[ids[0]][cause], tuple(ids)) for cause, ids in by_cause.items()]
    return sorted(shared, key=lambda finding: -len(finding.checks))


def widest_alarms(checks: Iterable[RecordedCheck]) -> frozenset[str]:
    """Of the alarms of red cases those that others only narrow: "anybody gets in without a key" says all of
    "anybody gets in without a key, to a stream"."""
    alarms = {case.alarm for check in checks for case in check.cases if case.alarm and case.verdict.red}
    return frozenset(one for one in alarms if any(other != one and other.startswith(one) for other in alarms))
