"""``signoff.json``: who accepted what, and everything that the decision rests on. Pure over the record.

What comes of the record stands in ``from_record``, so that verifying can derive it again and compare.
Schema: schemas/signoff/signoff.json.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gateway_acceptance.evaluation import spoken_cases
from gateway_acceptance.record_model import (
    Deviations,
    Record,
    RecordedCase,
    RecordedCheck,
    RecordedClaim,
    RecordedPlanted,
    RecordedWaiver,
)
from gateway_acceptance.record_model.declared import DeclaredModel
from gateway_acceptance.report.assess import risk
from gateway_acceptance.report.changes import changes
from gateway_acceptance.report.reading import first_line, is_executed
from gateway_acceptance.verdict import PROVEN, Verdict

FORMAT = 1
PRODUCTION = "PRODUCTION READY"
SIGNABLE = ("READY", PRODUCTION)
CHANGES = ("fixed", "broken", "moved", "newly_not_verified", "new", "gone")


def from_record(record: Record) -> dict[str, Any]:
    """The parts of ``signoff.json`` that say what the record says."""
    run, target = record.run, record.target
    return {
        "environment": run.environment,
        "kind": run.kind,
        "production": run.state == PRODUCTION,
        "state": run.state,
        "headline": run.headline,
        "profile": run.profile,
        "run": {
            "id": run.id,
            "started": run.started,
            "ended": run.ended,
            "suite": run.suite.model_dump(),
            "tools": dict(run.tools),
            "command": " ".join(["pytest", *run.selection.arguments]),
        },
        "target": {
            "gateway_url": target.gateway_url,
            "product": target.product,
            "product_version": target.product_version,
            "fingerprint": target.fingerprint.model_dump(),
            "models": [_model(model) for model in record.environment.models],
        },
        "totals": record.totals.model_dump(by_alias=True, exclude_unset=True),
        "risk": asdict(risk(record)),
        "claims": [_claim(claim, record) for claim in record.claims],
        "accepted": [_waiver(waiver, record) for waiver in record.waivers if waiver.used],
        **({"planted": _planted(record.basis.planted)} if record.basis.planted else {}),
        **({"nonce": run.nonce} if run.nonce else {}),
        **({"not_kept": _not_kept(record.deviations)} if record.deviations else {}),
        "not_executed": [_not_executed(check) for check in record.checks if not _ran(check)],
    }


def compared(record: Record, before: Record, release: str, digest: str) -> dict[str, Any]:
    """What changed since the last accepted release; digest: SHA-256 of its record."""
    found = changes(record, before)
    was = {waiver.id for waiver in before.waivers if waiver.used}
    now = {waiver.id for waiver in record.waivers if waiver.used}
    return {
        "release": release,
        "run": before.run.id,
        "record_sha256": digest,
        "product_version": before.target.product_version,
        **{name: [asdict(change) for change in getattr(found, name)] for name in CHANGES},
        "moved": [asdict(change) for change in (*found.newly_waived, *found.moved)],
        "newly_accepted": sorted(now - was),
        "no_longer_accepted": sorted(was - now),
    }


def _model(model: DeclaredModel) -> dict[str, Any]:
    return model.model_dump(include={"alias", "kind", "backend", "upstream"})


def _claim(claim: RecordedClaim, record: Record) -> dict[str, Any]:
    cases = _evidence(claim, record)
    return {
        "id": claim.id,
        "section": claim.section,
        "text": claim.text,
        "verdict": claim.verdict,
        "checks": len(claim.checks),
        "cases": sum(1 for case in cases if is_executed(case.verdict)),
        "waived": sum(1 for case in cases if case.verdict == Verdict.WAIVED),
        "proven": claim.proven,
    }


def _evidence(claim: RecordedClaim, record: Record) -> list[RecordedCase]:
    """The cases that speak of a claim: of the checks that name it, or about what it is about."""
    return [case for check in record.checks for case in spoken_cases(claim, check)]


def _waiver(waiver: RecordedWaiver, record: Record) -> dict[str, Any]:
    check = next(check for check in record.checks if check.id == waiver.check)
    names = {"id", "check", "reason", "link", "owner", "opened", "expires", "renewals"}
    return {
        **waiver.model_dump(include=names),
        "level": check.level,
        "title": check.title,
        "cases": sum(1 for case in check.cases if case.waiver == waiver.id),
    }


def _planted(planted: RecordedPlanted) -> dict[str, Any]:
    """The defects that were planted in the run, and by which seeds they were drawn."""
    return {
        "known": planted.known,
        "tried": len(planted.results),
        "took_s": planted.took_s,
        "seeds": list(planted.seeds),
    }


def _not_kept(known: Deviations) -> dict[str, Any]:
    """What the product does not keep, by itself: the checks that showed it, and by what that is judged."""
    names = {"check", "level", "title", "link", "cases"}
    return {
        "judged_by": list(known.judged_by),
        "note": known.note,
        "checks": [one.model_dump(include=names) for one in known.known if one.cases],
    }


def _ran(check: RecordedCheck) -> bool:
    return any(is_executed(case.verdict) for case in check.cases)


def _not_executed(check: RecordedCheck) -> dict[str, Any]:
    messages = Counter(first_line(case.message) for case in check.cases)
    why = "; ".join(name for name in messages if name) or "it was not there to run"
    return {"check": check.id, "title": check.title, "verdict": check.verdict, "why": why}


def summary(document: Mapping[str, Any]) -> dict[str, int]:
    """Numbers for the first page: claims, those with an accepted deviation, waivers, those of MUST checks."""
    claims: Sequence[Mapping[str, Any]] = document["claims"]
    accepted: Sequence[Mapping[str, Any]] = document["accepted"]
    not_kept: Sequence[Mapping[str, Any]] = (document.get("not_kept") or {}).get("checks", ())
    return {
        "claims": len(claims),
        "verified": sum(1 for claim in claims if claim["verdict"] in PROVEN),
        "not_kept": len(not_kept),
        "not_kept_must": sum(1 for one in not_kept if one["level"] == "MUST"),
        "deviating": sum(1 for claim in claims if claim["verdict"] == Verdict.WAIVED),
        "accepted": len(accepted),
        "accepted_must": sum(1 for waiver in accepted if waiver["level"] == "MUST"),
        "deviations": sum(waiver["cases"] for waiver in accepted),
    }
