"""A record evaluated again from itself: verdicts of checks and claims, waivers, totals, the state.

Anybody may do so: nothing but the record's cases and its basis is asked. All functions are pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from gateway_acceptance.judgement import NOT_VERIFIED, judge
from gateway_acceptance.record_model import (
    Basis,
    Deviations,
    Record,
    RecordedCase,
    RecordedCheck,
    RecordedClaim,
    RecordedWaiver,
    Totals,
)
from gateway_acceptance.record_model.basis import Untrusted
from gateway_acceptance.verdict import PROVEN, Verdict, worst
from gateway_acceptance.waivers import Waiver

WAIVER_FIELDS = set(Waiver.model_fields)


def rejudged(record: Record) -> Record:
    """The same record, everything that is evaluated evaluated anew. Raises ValueError where a waiver of it is
    none, or a time no time."""
    checks = [
        check.model_copy(update={"verdict": worst(case.verdict for case in check.cases)})
        for check in record.checks
    ]
    untested = {waiver.id for waiver in record.waivers if waiver.verdict == Verdict.UNTESTABLE.value}
    changed: dict[str, Any] = {
        "checks": checks,
        "claims": [_evaluated_claim(claim, checks, untested) for claim in record.claims],
        "waivers": [_evaluated_waiver(waiver, record) for waiver in record.waivers],
        "totals": _totals(record, checks, untested),
    }
    if record.deviations is not None:
        changed["deviations"] = _evaluated_deviations(record.deviations, checks)
    anew = record.model_copy(update=changed)
    run = anew.run.model_copy(update=asdict(judge(anew)))
    return anew.model_copy(update={"run": run})


def distrusted(record: Record, headline: str, reasons: Sequence[str]) -> Record:
    """The same record, void: what came out of the run cannot be trusted, whatever its cases say."""
    untrusted = Untrusted(headline=headline, reasons=list(reasons))
    basis = record.basis.model_copy(update={"untrusted": untrusted})
    return rejudged(record.model_copy(update={"basis": basis}))


def spoken_cases(claim: RecordedClaim, check: RecordedCheck) -> list[RecordedCase]:
    """The cases of a check that are evidence of a claim."""
    return cases_about(claim.about, claim.not_about, check, named=claim.id in check.claims)


def cases_about(
    about: str | None, not_about: Collection[str], check: RecordedCheck, *, named: bool
) -> list[RecordedCase]:
    """The cases of a check that are evidence of a claim about an alias or backend. not_about: what others of
    its kind are about; named: whether the check names the claim."""
    others = set(not_about)
    return [
        case
        for case in check.cases
        if (named and not others & set(case.parameters.values()))
        or (about is not None and about in case.parameters.values())
    ]


def _totals(record: Record, checks: Sequence[RecordedCheck], untested: Collection[str]) -> Totals:
    return Totals.model_validate(
        {
            **Counter(case.verdict.value for _, case in record.cases()),
            "checks_selected": len({check.id for check in checks if check.cases}),
            "checks_executed": sum(1 for check in checks if _executed(check, untested)),
            "requests": record.totals.requests,
            "tokens": record.totals.tokens,
        }
    )


def _executed(check: RecordedCheck, untested: Collection[str]) -> bool:
    return any(_states(case, untested) for case in check.cases)


def _states(case: RecordedCase, untested: Collection[str]) -> bool:
    """Whether a case came to a statement. untested: the waivers that accept what could not be tested."""
    return case.verdict.executed and case.waiver not in untested


def _evaluated_claim(
    claim: RecordedClaim, checks: Sequence[RecordedCheck], untested: Collection[str]
) -> RecordedClaim:
    """A claim is the worst of its evidence, and not verified without an executed check.

    Evidence are all cases of the checks that name the claim, and, where the claim is about one alias or
    backend, the cases of any check that concern it; never those of what another of its kind is about.
    """
    own: list[str] = []
    cases: list[RecordedCase] = []
    for check in checks:
        spoken = spoken_cases(claim, check) if check.cases else []
        if spoken or claim.id in check.claims:
            own.append(check.id)
            cases += spoken
    verdict = worst(case.verdict for case in cases)
    proven = verdict is not None and (verdict.red or any(_states(case, untested) for case in cases))
    return claim.model_copy(
        update={
            "verdict": verdict if verdict and proven else NOT_VERIFIED,
            "checks": own,
            "proven": max(case.started for case in cases) if proven and verdict in PROVEN else None,
        }
    )


def _evaluated_deviations(known: Deviations, checks: Sequence[RecordedCheck]) -> Deviations:
    """Of each known deviation, how many cases showed it; absent: all its cases passed, but a note."""
    cases = {check.id: check.cases for check in checks}
    evaluated = []
    for entry in known.known:
        verdicts = [case.verdict for case in cases.get(entry.check, ())]
        absent = bool(verdicts) and all(verdict is Verdict.PASSED for verdict in verdicts)
        shown = {"cases": verdicts.count(Verdict.DEVIATION), "absent": absent}
        evaluated.append(entry.model_copy(update=shown))
    return known.model_copy(update={"known": evaluated})


def declared_waiver(entry: RecordedWaiver) -> Waiver:
    """A record's waiver as it was declared. Raises ValueError where no file of waivers may say so."""
    return Waiver.model_validate_json(entry.model_dump_json(include=WAIVER_FIELDS, exclude_unset=True))


def _evaluated_waiver(entry: RecordedWaiver, record: Record) -> RecordedWaiver:
    waiver = declared_waiver(entry)
    target, today = record.target, date.fromisoformat(record.basis.today)
    here = waiver.in_scope(record.run.environment, target.product, target.product_version or None)
    own = [
        case for check, case in (record.cases() if here else ()) if waiver.concerns(check.id, case.parameters)
    ]
    used = any(case.waiver == waiver.id for case in own)
    stale = bool(own) and all(case.verdict is Verdict.PASSED for case in own)
    return entry.model_copy(
        update={
            "in_scope": here,
            "used": used,
            "stale": stale,
            **_needless(waiver.id, record.basis, stale=stale, over=used or not here),
            "expired": here and waiver.expired(today),
            "expires_soon": here and waiver.expires_soon(today),
        }
    )


def _needless(name: str, basis: Basis, *, stale: bool, over: bool) -> Mapping[str, str | None]:
    """Since when a waiver is needless, as far as earlier runs tell: over: it is in use again, or out of
    scope; one whose check was not looked at stays as it was. Nothing in records that keep no history."""
    if basis.needless is None:
        return {}
    since = basis.needless.get(name)
    return {"needless_since": None if over else since or (basis.today if stale else None)}
