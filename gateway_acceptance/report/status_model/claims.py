"""The tracker's statements as a run leaves them: verdict, evidence, proof, and what no run speaks of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway_acceptance.claims import NOT_VERIFIED, SECTIONS, SECURITY, Claim
from gateway_acceptance.evaluation import cases_about
from gateway_acceptance.record_model import NotPart, Record, RecordedCheck, RecordedClaim
from gateway_acceptance.report.fixes import fixes_of
from gateway_acceptance.report.history import PastRun
from gateway_acceptance.report.proofs import EARLIER, STALE, Proof, proofs
from gateway_acceptance.report.reading import severity
from gateway_acceptance.report.red_cases import fixing
from gateway_acceptance.subjects import most_of, summary
from gateway_acceptance.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One statement. evidence: (check id, its title, its verdict on this claim), the worst first; held: what
    the passed ones judged, summed up, in words; held_by: of each of them."""

    id: str
    text: str
    proof: Proof
    evidence: tuple[tuple[str, str, str], ...]
    fix: str = ""
    held: str = ""
    held_by: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claims:
    """sections: every statement by its section; fix: commands for the security requirements that are not
    proven; uncovered: the statements that the run does not cover, by how they stand; not_part: what is no
    statement of this deployment, by the reason."""

    sections: Mapping[str, Sequence[ClaimLine]]
    fix: str
    uncovered: Sequence[tuple[str, Sequence[ClaimLine]]]
    not_part: Sequence[tuple[str, Sequence[NotPart]]]

    @property
    def lines(self) -> list[ClaimLine]:
        """All of them, section by section."""
        return [line for listed in self.sections.values() for line in listed]


def claims_of(record: Record, declared: Sequence[Claim], earlier: Sequence[PastRun], now: datetime) -> Claims:
    """declared: the tracker's statements in their order; earlier: runs before it; now: for ages."""
    fixes = fixes_of(record, [*record.claims, *declared])
    sections = _sections(record, declared, proofs(record, earlier, now), fixes)
    lines = [line for listed in sections.values() for line in listed]
    open_security = {
        line.id: line.fix
        for line in sections[SECURITY]
        if line.fix and line.proof.standing not in (Verdict.PASSED, Verdict.NOT_APPLICABLE)
    }
    return Claims(sections, fixing(open_security), _uncovered(lines), _not_part(record))


def _sections(
    record: Record, declared: Sequence[Claim], known: Mapping[str, Proof], fixes: Mapping[str, str]
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
                fixes.get(name, ""),
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


def _uncovered(lines: Sequence[ClaimLine]) -> list[tuple[str, list[ClaimLine]]]:
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
