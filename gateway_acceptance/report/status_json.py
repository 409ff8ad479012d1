"""status.json: the outcome of a run for machines, small enough for a dashboard or a chat message.

Its schema: schemas/tracker/status.json.
"""

from __future__ import annotations

from typing import Any

from gateway_acceptance.record_model import Record
from gateway_acceptance.report.proofs import fresh_hours
from gateway_acceptance.report.reading import is_red

FORMAT = 1
PATHS = {
    "record": "record.json",
    "status": "STATUS.md",
    "page": "index.html",
    "junit": "junit.xml",
    "badge": "badge.svg",
    "report": "report.html",
}
"""What lies beside status.json in the run's folder."""
WAIVER = {"id", "check", "owner", "expires", "used", "stale", "expired", "expires_soon"}
"""What is said of each waiver in scope."""


def _deviations(record: Record) -> dict[str, Any]:
    """What the product's release does by itself: by what it was judged, and the checks that showed it."""
    known = record.deviations
    if not known:
        return {}
    return {
        "judged_by": list(known.judged_by),
        "note": known.note,
        "seen": [one.check for one in known.known if one.cases],
        "absent": [one.check for one in known.known if one.absent],
    }


def status_document(record: Record) -> dict[str, Any]:
    """State, exit code, totals, claim ids by verdict, times of proof, every red case, waivers; plain JSON."""
    run = record.run
    claims: dict[str, list[str]] = {}
    statements = {one.id: one.text for one in record.claims if one.not_about}
    for claim in record.claims:
        claims.setdefault(str(claim.verdict), []).append(claim.id)
    return {
        "format": FORMAT,
        "environment": run.environment,
        "state": run.state,
        "headline": run.headline,
        "reasons": list(run.reasons),
        "exit_code": run.exit_code,
        "run": run.id,
        "profile": run.profile,
        "started": run.started,
        "ended": run.ended,
        "suite_version": run.suite.version,
        "product": record.target.product,
        "product_version": record.target.product_version,
        **({"advisories": base.model_dump()} if (base := record.target.advisories) else {}),
        "fingerprint": record.target.fingerprint.start,
        "fresh_h": fresh_hours(record),
        "proven": {claim.id: claim.proven for claim in record.claims if claim.proven},
        **({"statements": statements} if statements else {}),
        "totals": record.totals.model_dump(by_alias=True, exclude_unset=True),
        "claims": claims,
        "red": [
            {
                "check": check.id,
                "parameters": dict(case.parameters),
                "verdict": case.verdict,
                "message": case.message,
            }
            for check, case in record.cases()
            if is_red(case.verdict)
        ],
        "waivers": [waiver.model_dump(include=WAIVER) for waiver in record.waivers if waiver.in_scope],
        **({"deviations": known} if (known := _deviations(record)) else {}),
        "paths": dict(PATHS),
    }
