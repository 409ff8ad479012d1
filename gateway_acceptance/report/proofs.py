"""When each claim was last proven, and whether that still counts. Pure; the rules: docs/tracker.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway_acceptance.check import PROFILES
from gateway_acceptance.claims import NOT_VERIFIED
from gateway_acceptance.fingerprint import UNKNOWN
from gateway_acceptance.record_model import Record, RecordedClaim
from gateway_acceptance.report.ages import age_in_words, instant
from gateway_acceptance.report.history import VOID, PastRun
from gateway_acceptance.verdict import RED, Verdict

FRESH_H = 168.0
"""Hours, of records that do not say how long a proof counts."""
CLOCKS_DIFFER_S = 300.0
"""Seconds that a proof may lie in the future: two machines' clocks."""

EARLIER = "proven earlier"
STALE = "stale"
PROVEN = (Verdict.PASSED.value, Verdict.DEVIATION.value, Verdict.WAIVED.value)
SILENT = (NOT_VERIFIED, Verdict.NOT_APPLICABLE.value, Verdict.NOT_PERMITTED.value)
"""Verdicts by which a run does not speak of a claim."""
PARTIAL = "PARTIAL RUN"
OF_THE_PROCESS = (".MainPID", ".NRestarts")
"""What a restart changes, and nothing that was judged."""


@dataclass(frozen=True, slots=True)
class Proof:
    """standing: the word to show of the claim: its verdict in this run, ``proven earlier`` or ``stale``;
    at: the time of the last proof (ISO, UTC), empty for none; age_s: seconds since then; run: the earlier
    run that proved it, empty for this run; note: what else there is to say, or empty."""

    standing: str
    at: str = ""
    age_s: float | None = None
    run: str = ""
    note: str = ""

    @property
    def age(self) -> str:
        """In words, empty where there is no proof."""
        return "" if self.age_s is None else age_in_words(self.age_s)


def proofs(record: Record, earlier: Sequence[PastRun], now: datetime) -> dict[str, Proof]:
    """Of every claim of the record. earlier: the runs before it, newest first; now: when it is asked."""
    fresh_s = fresh_hours(record) * 3600
    return {claim.id: _proof(claim, record, earlier, now, fresh_s) for claim in record.claims}


def fresh_hours(record: Record) -> float:
    """Hours that a proof counts in the record's environment."""
    return float(record.environment.tracker.fresh_h if record.environment.tracker else FRESH_H)


def is_stale(at: str, now: datetime, fresh_s: float) -> bool:
    """Older than ``fresh_s`` (as old is still fresh), or of a time that is yet to come."""
    age = (now - instant(at)).total_seconds()
    return age > fresh_s or age < -CLOCKS_DIFFER_S


def same_target(record: Record, run: PastRun) -> str:
    """Why the target of an earlier run may not be this one's; empty where all that is known is the same.

    Every fact that both fingerprints have must be equal, without what a restart changes; where they share
    none, the product's version must be known to both.
    """
    target = record.target
    if (run.product, run.product_version) != (target.product, target.product_version or ""):
        there = f"{run.product} {run.product_version}".strip()
        return f"the product was {there or 'unknown'}"
    here = target.fingerprint.start or {}
    shared = [name for name in here if name in (run.fingerprint or {}) and not name.endswith(OF_THE_PROCESS)]
    known = [name for name in shared if not here[name].startswith(UNKNOWN)]
    for name in known:
        then = (run.fingerprint or {})[name]
        if then != here[name]:
            return f"{name} was {then}"
    return "" if known or run.product_version else "neither version nor fingerprint of the target is known"


def _proof(
    claim: RecordedClaim, record: Record, earlier: Sequence[PastRun], now: datetime, fresh_s: float
) -> Proof:
    verdict, name, run = str(claim.verdict), claim.id, record.run
    said = claim.text
    earlier = [
        past for past in earlier if past.statements.get(name, said) == said
    ]  # not of another statement
    if run.state != VOID and verdict in PROVEN and claim.proven:
        at = str(claim.proven)
        _, red = _last_words(name, earlier, width(run.state, run.profile))
        standing = STALE if is_stale(at, now, fresh_s) else verdict
        return Proof(standing, at, _age(at, now), note=_open(red, name))
    if verdict not in SILENT:
        return Proof(verdict, note=_before(name, earlier, now))
    proof, red = _last_words(name, earlier)
    if proof is None or red is not None:
        return Proof(verdict, note=_open(red, name))
    at = proof.proven[name]
    other = same_target(record, proof)
    if other:
        return Proof(verdict, note=f"run {proof.id} proved it of another target: {other}")
    if verdict != NOT_VERIFIED:
        return Proof(verdict, note=f"run {proof.id} proved it {age_in_words(_age(at, now))}")
    standing = STALE if is_stale(at, now, fresh_s) else EARLIER
    return Proof(standing, at, _age(at, now), proof.id)


def width(state: str, profile: str | None) -> int:
    """How much a run looked at: more for a wider profile, 0 for less than a whole one."""
    if state == PARTIAL or profile not in PROFILES:
        return 0
    return PROFILES.index(profile) + 1


def _last_words(
    name: str, earlier: Sequence[PastRun], settled: int = 0
) -> tuple[PastRun | None, PastRun | None]:
    """(the newest run that proves a claim, the run by which it is red and that no run as wide has settled).

    settled: the width of what proved it since. Void and partial runs prove nothing; what failed in
    them failed.
    """
    proof: PastRun | None = None
    for run in earlier:
        verdict, wide = run.verdicts.get(name, NOT_VERIFIED), width(run.state, run.profile)
        if verdict in PROVEN and not run.void and wide and name in run.proven:
            proof = proof or run
            settled = max(settled, wide)
        elif max(wide, 1) > settled and (verdict == Verdict.FAILED or (verdict in RED and not run.void)):
            return proof, run
    return proof, None


def _open(run: PastRun | None, name: str) -> str:
    if run is None:
        return ""
    return f"{run.verdicts[name]} in run {run.id}, and no run as wide has proven it since"


def _before(name: str, earlier: Sequence[PastRun], now: datetime) -> str:
    """When a claim that is red now was last proven, as a remark."""
    for run in earlier:
        at = run.proven.get(name)
        if at and not run.void:
            return f"last proven {age_in_words(_age(at, now))}, in run {run.id}"
    return ""


def _age(at: str, now: datetime) -> float:
    return (now - instant(at)).total_seconds()
