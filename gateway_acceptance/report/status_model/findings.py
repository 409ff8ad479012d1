"""What is red in a run, and what was not executed: each cause once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_acceptance.record_model import Record
from gateway_acceptance.report.reading import is_red
from gateway_acceptance.report.red_cases import RedCase, failures, grouped
from gateway_acceptance.verdict import Verdict

Group = tuple[str, str, list[str]]
"""(verdict, message, the checks it concerns)"""


@dataclass(frozen=True, slots=True)
class Findings:
    """failures: red, without the untestable; not_executed: not permitted or not applicable; red_cases: how
    many."""

    failures: Sequence[RedCase]
    untestable: Sequence[Group]
    not_executed: Sequence[Group]
    red_cases: int


def findings_of(record: Record) -> Findings:
    """Of all cases of a record."""
    return Findings(
        failures(record),
        grouped(record, Verdict.UNTESTABLE),
        grouped(record, Verdict.NOT_PERMITTED, Verdict.NOT_APPLICABLE),
        sum(is_red(case.verdict) for _, case in record.cases()),
    )
