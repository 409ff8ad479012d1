"""The status model: all that is said of a run, from which every view is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway_acceptance.claims import Claim
from gateway_acceptance.record_model import Record, RecordedRun
from gateway_acceptance.report.ages import instant
from gateway_acceptance.report.fixes import fixes_of
from gateway_acceptance.report.past import Past
from gateway_acceptance.report.pictures import Picture, pictures
from gateway_acceptance.report.proofs import fresh_hours
from gateway_acceptance.report.status_model.claims import Claims, claims_of
from gateway_acceptance.report.status_model.deployment import DeploymentFacts, deployment_of
from gateway_acceptance.report.status_model.deviations import NotKept, not_kept
from gateway_acceptance.report.status_model.earlier import Earlier, earlier_of
from gateway_acceptance.report.status_model.findings import Findings, findings_of
from gateway_acceptance.report.status_model.standing import RunStanding, standing_of
from gateway_acceptance.report.status_model.waivers import Waivers, waivers_of

COMMIT_LENGTH = 12


@dataclass(frozen=True, slots=True)
class StatusModel:
    """as_of: when it was made, for ages; fresh_h: hours that a proof counts; commit: of the suite, short;
    report: whether there is an Allure report beside."""

    run: RecordedRun
    as_of: datetime
    fresh_h: float
    commit: str
    standing: RunStanding
    deployment: DeploymentFacts
    claims: Claims
    findings: Findings
    earlier: Earlier
    not_kept: NotKept
    waivers: Waivers
    pictures: Sequence[Picture]
    report: bool


def status_model(
    record: Record, past: Past, claims: Iterable[Claim], *, now: datetime | None = None, report: bool = False
) -> StatusModel:
    """The model of one run. past: what was before it; claims: the tracker's statements, in their order; now:
    when ages are counted from (the run's end, unless it is given)."""
    declared = tuple(claims)
    now = now or instant(record.run.ended)
    stated = claims_of(record, declared, past.history.runs, now)
    return StatusModel(
        run=record.run,
        as_of=now,
        fresh_h=fresh_hours(record),
        commit=(record.run.suite.commit or "")[:COMMIT_LENGTH],
        standing=standing_of(record, stated.lines, fixes_of(record, declared)),
        deployment=deployment_of(record),
        claims=stated,
        findings=findings_of(record),
        earlier=earlier_of(record, past),
        not_kept=not_kept(record),
        waivers=waivers_of(record, now.date()),
        pictures=pictures(record),
        report=report,
    )
