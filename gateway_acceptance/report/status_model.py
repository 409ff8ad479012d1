"""What the tracker says of a run: one model, from which STATUS.md and index.html are both made.

All of it is plain text and numbers; each template escapes what it prints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from gateway_acceptance.claims import NOT_VERIFIED, SECTIONS, SECURITY, Claim
from gateway_acceptance.evaluation import cases_about
from gateway_acceptance.record_model import (
    DeclaredEnvironment,
    NotPart,
    Record,
    RecordedCheck,
    RecordedClaim,
    RecordedRun,
    RecordedTarget,
    RecordedWaiver,
)
from gateway_acceptance.report.accepted import Accepted
from gateway_acceptance.report.ages import instant
from gateway_acceptance.report.assess import Action, Risk, next_action, risk
from gateway_acceptance.report.changes import Changes, changes
from gateway_acceptance.report.history import History
from gateway_acceptance.report.models import ModelRow, model_rows
from gateway_acceptance.report.past import Past
from gateway_acceptance.report.pictures import Picture, pictures
from gateway_acceptance.report.proofs import EARLIER, STALE, Proof, fresh_hours, proofs
from gateway_acceptance.report.reading import is_executed, is_red, severity
from gateway_acceptance.report.red_cases import Failure, failures, grouped, mending
from gateway_acceptance.subjects import most_of, summary
from gateway_acceptance.verdict import Verdict

COMMIT_LENGTH = 12
SOON_DAYS = 14
"""A waiver that ends within so many days is shown as such (as the run itself warns)."""


SHOWN = {"id", "check", "reason", "link", "owner", "expires"}
"""Of a waiver, as the record says it."""
CALM = ("used", "not used")
"""What a waiver may be without anybody having to do something."""


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One statement. evidence: (check id, its title, its verdict on this claim), the worst first; held: what
    the passed ones judged, summed up, in words; held_by: of each of them."""

    id: str
    text: str
    proof: Proof
    evidence: tuple[tuple[str, str, str], ...]
    mend: str = ""
    held: str = ""
    held_by: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WaiverLine:
    """One accepted deviation in scope. days: until it ends, negative once it has; use: in words."""

    id: str
    check: str
    reason: str
    link: str
    owner: str
    expires: str
    days: int
    use: str

    @property
    def soon(self) -> bool:
        """Whether it has ended, or will within two weeks."""
        return self.days <= SOON_DAYS

    @property
    def urgent(self) -> bool:
        """Whether somebody must look at it now."""
        return self.soon or self.use not in CALM

    @property
    def left(self) -> str:
        """``12 days left``, ``ends today``, ``ended 3 days ago``"""
        if self.days == 0:
            return "ends today"
        count = f"{abs(self.days)} day{'' if abs(self.days) == 1 else 's'}"
        return f"{count} left" if self.days > 0 else f"ended {count} ago"


@dataclass(frozen=True, slots=True)
class DeviationLine:
    """What the product does not keep. cases: how many showed it; link: upstream, or empty."""

    check: str
    title: str
    level: str
    cases: int
    link: str


@dataclass(frozen=True, slots=True)
class NotKept:
    """What is known of the product's release. release: its name, or empty where nothing is known; notes:
    sentences, what is better than the release among them."""

    release: str = ""
    lines: Sequence[DeviationLine] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StatusModel:
    """Everything that a page of the tracker shows. as_of: when it was made, for ages."""

    run: RecordedRun
    target: RecordedTarget
    environment: DeclaredEnvironment
    as_of: datetime
    fresh_h: float
    server: str
    commit: str
    facts: Mapping[str, object]
    totals: Sequence[tuple[str, int, int, int]]
    sections: Mapping[str, Sequence[ClaimLine]]
    models: Sequence[ModelRow]
    resources: Sequence[tuple[str, str, object]]
    mend: str
    previous: Record | None
    changes: Changes | None
    accepted: Accepted | None
    accepted_changes: Changes | None
    passed_over: Sequence[str]
    failures: Sequence[Failure]
    untestable: Sequence[tuple[str, str, list[str]]]
    blind: Sequence[tuple[str, Sequence[ClaimLine]]]
    blind_checks: Sequence[tuple[str, str, list[str]]]
    not_part: Sequence[tuple[str, Sequence[NotPart]]]
    not_kept: NotKept
    waivers: Sequence[WaiverLine]
    history: History
    red_cases: int
    pictures: Sequence[Picture]
    summary: str
    action: Action
    risk: Risk
    report: bool


def status_view(
    record: Record, past: Past, claims: Iterable[Claim], *, now: datetime | None = None, report: bool = False
) -> StatusModel:
    """The model of one run. past: what was before it; claims: the tracker's statements, in their order.

    now: when ages are counted from (the run's end, unless it is given). report: whether there is an
    Allure report beside. A last run of another environment counts as none.
    """
    declared = tuple(claims)
    now = now or instant(record.run.ended)
    previous = past.previous
    if previous is not None and previous.run.environment != record.run.environment:
        previous = None
    mends = {claim.id: claim.mend for claim in declared if claim.mend}
    known = proofs(record, past.history.runs, now)
    sections = _sections(record, declared, known)
    lines = [line for listed in sections.values() for line in listed]
    open_security = {
        line.id: line.mend
        for line in sections[SECURITY]
        if line.mend and line.proof.standing not in (Verdict.PASSED, Verdict.NOT_APPLICABLE)
    }
    return StatusModel(
        run=record.run,
        target=record.target,
        environment=record.environment,
        as_of=now,
        fresh_h=fresh_hours(record),
        server=_server(record),
        commit=(record.run.suite.commit or "")[:COMMIT_LENGTH],
        facts=_target_facts(record),
        totals=_totals(record),
        sections=sections,
        models=model_rows(record),
        resources=_measured(record, "Resource Utilisation"),
        mend=mending(open_security),
        previous=previous,
        changes=changes(record, previous) if previous else None,
        accepted=past.accepted,
        accepted_changes=changes(record, past.accepted.record) if past.accepted else None,
        passed_over=past.passed_over,
        failures=failures(record),
        untestable=grouped(record, Verdict.UNTESTABLE),
        blind=_blind(lines),
        blind_checks=grouped(record, Verdict.NOT_PERMITTED, Verdict.NOT_APPLICABLE),
        not_part=_not_part(record),
        not_kept=not_kept(record),
        waivers=_waivers(record, now.date()),
        history=past.history,
        red_cases=sum(is_red(case.verdict) for _, case in record.cases()),
        pictures=pictures(record),
        summary=_summary(record, lines),
        action=next_action(record, mends),
        risk=risk(record),
        report=report,
    )


def _target_facts(record: Record) -> dict[str, object]:
    """What was measured of the target, without what the table of models shows."""
    aliases = tuple(f"{model.alias}." for model in record.environment.models)
    facts = record.target.facts
    return {name: value for name, value in facts.items() if not str(name).startswith(aliases)}


def _server(record: Record) -> str:
    host = record.environment.host
    return (host.name or host.hostname or "") if host else ""


def _sections(
    record: Record, declared: Sequence[Claim], known: Mapping[str, Proof]
) -> dict[str, list[ClaimLine]]:
    """Every claim by section, in the file's order; those that the record does not know are not verified."""
    entries = {claim.id: claim for claim in record.claims}
    checks = {check.id: check for check in record.checks}
    by_id = {claim.id: claim for claim in declared}
    sections: dict[str, list[ClaimLine]] = {section: [] for section in SECTIONS}
    for name in [*by_id, *(name for name in entries if name not in by_id)]:
        entry, said = entries.get(name), by_id.get(name) or entries[name]
        not_about = entry.not_about if entry else ()
        evidence = sorted(
            (
                (check_id, checks[check_id].title, verdict)
                for check_id in (entry.checks if entry else ())
                if check_id in checks and (verdict := _spoken(checks[check_id], said, not_about))
            ),
            key=lambda one: -severity(one[2]),
        )
        sections.setdefault(said.section, []).append(
            ClaimLine(
                name,
                said.text,
                known.get(name, Proof(NOT_VERIFIED)),
                tuple(evidence),
                said.mend,
                most_of(_judged(checks[check_id] for check_id, *_ in evidence)),
                {check_id: summary(_judged([checks[check_id]])) for check_id, *_ in evidence},
            )
        )
    return sections


def _judged(checks: Iterable[RecordedCheck]) -> dict[str, int]:
    """What the cases of checks that passed have judged, by kind; nothing in earlier records."""
    counts: Counter[str] = Counter()
    for check in checks:
        for case in check.cases:
            if case.verdict == Verdict.PASSED:
                counts.update(case.subjects)
    return dict(counts)


def _spoken(check: RecordedCheck, claim: Claim | RecordedClaim, not_about: Sequence[str]) -> str:
    """A check's verdict on one claim: of all its cases, or of those that concern what the claim is about."""
    cases = cases_about(claim.about, not_about, check, named=claim.id in check.claims)
    own = [case.verdict.value for case in cases]
    return max(own, key=severity, default="")


def _totals(record: Record) -> list[tuple[str, int, int, int]]:
    """(verdict, cases, checks, claims), every verdict that occurs, in the order of the lattice."""
    of_checks = Counter(check.verdict for check in record.checks if check.cases)
    of_claims = Counter(claim.verdict for claim in record.claims)
    lines = [
        (word, record.totals.cases(word), of_checks[word], of_claims[word])
        for word in (*Verdict, NOT_VERIFIED)
    ]
    return [line for line in lines if any(line[1:])]


def _measured(record: Record, section: str) -> list[tuple[str, str, object]]:
    """(check id, name, value) of every fact that the evidence of a section measured."""
    ids = {claim.id for claim in record.claims if claim.section == section}
    return [
        (check.id, name, value)
        for check, case in record.cases()
        if ids & set(check.claims) and is_executed(case.verdict)
        for name, value in case.facts.items()
    ]


def _blind(lines: Sequence[ClaimLine]) -> list[tuple[str, list[ClaimLine]]]:
    """The claims that this run does not speak of, by how they stand; worst first."""
    words = (NOT_VERIFIED, STALE, EARLIER, Verdict.NOT_PERMITTED, Verdict.NOT_APPLICABLE)
    found = [(str(word), [line for line in lines if line.proof.standing == word]) for word in words]
    return [(word, listed) for word, listed in found if listed]


def _not_part(record: Record) -> list[tuple[str, list[NotPart]]]:
    """What is no claim of this deployment, by what its environment does not declare."""
    by_reason: dict[str, list[NotPart]] = {}
    for one in record.not_part:
        by_reason.setdefault(one.why, []).append(one)
    return list(by_reason.items())


def not_kept(record: Record) -> NotKept:
    """The deviations of the product that this run saw, those of a MUST first, and what is to be said."""
    known = record.deviations
    if not known:
        return NotKept()
    release = " ".join(filter(None, (known.product, known.version, known.variant)))
    seen = [
        DeviationLine(one.check, one.title, one.level, one.cases, one.link)
        for one in known.known
        if one.cases
    ]
    better = [one.check for one in known.known if one.absent]
    notes = [known.note] if known.note else []
    notes += [f"better than its release: {', '.join(better)}"] if better else []
    return NotKept(release, sorted(seen, key=lambda one: (one.level != "MUST", one.check)), notes)


def _waivers(record: Record, today: date) -> list[WaiverLine]:
    """Those in scope, the first to end first."""
    listed = [
        WaiverLine(
            **entry.model_dump(include=SHOWN),
            days=(date.fromisoformat(entry.expires) - today).days,
            use=_use(entry),
        )
        for entry in record.waivers
        if entry.in_scope
    ]
    return sorted(listed, key=lambda waiver: waiver.days)


def _use(entry: RecordedWaiver) -> str:
    if entry.expired:
        return "expired: renew or remove it"
    if entry.stale:
        return "no longer needed here: narrow or remove it"
    return "used" if entry.used else "not used"


def _summary(record: Record, lines: Sequence[ClaimLine]) -> str:
    claims = record.claims
    of = Counter[str](claim.verdict for claim in claims)
    standing = Counter(line.proof.standing for line in lines if line.proof.run)
    red = sum(number for verdict, number in of.items() if is_red(verdict))
    aside = of[Verdict.NOT_APPLICABLE] + of[Verdict.NOT_PERMITTED]
    totals = record.totals
    parts = [f"{of[Verdict.PASSED]} of {len(claims)} claims proven"]
    deviating = of[Verdict.DEVIATION]
    parts += [f"{deviating} with deviations of the product"] if deviating else []
    parts += [f"{of[Verdict.WAIVED]} waived"] if of[Verdict.WAIVED] else []
    parts += [f"{red} red"] if red else []
    past = [f"{standing[word]} {word}" for word in (EARLIER, STALE) if standing[word]]
    unverified = f"{of[NOT_VERIFIED]} not verified" + (f" ({', '.join(past)})" if past else "")
    parts += [unverified] if of[NOT_VERIFIED] else []
    parts += [f"{aside} not applicable or not permitted"] if aside else []
    executed = f"{totals.checks_executed} of {totals.checks_selected} selected checks executed"
    return f"{', '.join(parts)}; {executed}; {totals.requests} requests, {totals.tokens} tokens"
