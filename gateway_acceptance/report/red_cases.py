"""What is red in a run, as a person reads it: every failure once, every missing prerequisite once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway_acceptance.causes import SharedCause, cause_of, findings
from gateway_acceptance.record_model import Record, RecordedCase, RecordedCheck
from gateway_acceptance.report.reading import (
    case_name,
    cut,
    is_red,
    last_curl,
    parameters,
)
from gateway_acceptance.verdict import Verdict

MESSAGE_LIMIT = 1200
"""Characters of one failure's message in the tracker; the record has it whole."""
FAILURES_AT_MOST = 40
"""More failures than a person reads in one page are counted, not shown."""


@dataclass(frozen=True, slots=True)
class RedCase:
    """One red case. parameters: ``name=value``; curl: its last request, or empty; alike: the other checks
    that fail for the same cause, which are not shown apart."""

    id: str
    name: str
    level: str
    spec: str
    verdict: str
    parameters: tuple[str, ...]
    message: str
    blame: str
    curl: str
    alike: tuple[str, ...] = ()


def failures(record: Record) -> list[RedCase]:
    """Every red case but the untestable ones, MUST first; of those that fail for one cause in many checks the
    first, with the list of the others."""
    red = [
        (check, case)
        for check, case in record.cases()
        if is_red(case.verdict) and case.verdict != Verdict.UNTESTABLE
    ]
    red.sort(key=lambda pair: pair[0].level != "MUST")
    shared = findings(record.checks)
    together = {check_id for finding in shared for check_id in finding.checks}
    shown = {id(case): finding.checks for finding in shared if (case := _first_of(finding, red))}
    red = [(check, case) for check, case in red if check.id not in together or id(case) in shown]
    return [
        RedCase(
            id=check.id,
            name=case_name(record, check, case),
            level=check.level,
            spec=check.spec,
            verdict=case.verdict,
            parameters=tuple(f"{name}={value}" for name, value in parameters(record, case).items()),
            message=cut(case.message, MESSAGE_LIMIT),
            blame=case.blame,
            curl=last_curl(case),
            alike=tuple(one for one in shown.get(id(case), ()) if one != check.id),
        )
        for check, case in red
    ]


def _first_of(finding: SharedCause, red: Sequence[tuple[RecordedCheck, RecordedCase]]) -> RecordedCase | None:
    """The case that shows a cause."""
    return next(
        (
            case
            for check, case in red
            if check.id in finding.checks
            and any(cause_of(line.strip()) == finding.cause for line in case.message.splitlines())
        ),
        None,
    )


def grouped(record: Record, *verdicts: str) -> list[tuple[str, str, list[str]]]:
    """(verdict, message, the checks it concerns) of the cases with one of these verdicts: what is the same
    is told once."""
    by_message: dict[tuple[str, str], list[str]] = {}
    for check, case in record.cases():
        if case.verdict in verdicts:
            key = (str(case.verdict), cut(case.message, MESSAGE_LIMIT))
            named = by_message.setdefault(key, [])
            if check.id not in named:
                named.append(check.id)
    return [(verdict, message, ids) for (verdict, message), ids in by_message.items()]


def fixing(open_claims: Mapping[str, str]) -> str:
    """One block of commands, each once. open_claims: id of a claim to the command that fixes it."""
    ids: dict[str, list[str]] = {}
    for name, command in open_claims.items():
        ids.setdefault(command, []).append(name)
    return "\n".join(f"# {', '.join(names)}\n{command}" for command, names in ids.items())
