"""The in-toto statement of a sign-off: predicate test-result v0.1 over the record and signoff.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway_acceptance.record_model import Record
from gateway_acceptance.signoff.layout import RECORD, SIGNOFF
from gateway_acceptance.verdict import RED, Verdict

TYPE = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


def statement(record: Record, signoff: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """digests: SHA-256 of record.json and signoff.json. Tests are the checks that were executed, by id."""
    predicate: dict[str, Any] = {
        "result": _result(record),
        "configuration": _configuration(signoff),
    }
    if signoff["url"]:
        predicate["url"] = signoff["url"]
    return {
        "_type": TYPE,
        "subject": [{"name": name, "digest": {"sha256": digests[name]}} for name in (RECORD, SIGNOFF)],
        "predicateType": PREDICATE,
        "predicate": {
            **predicate,
            "passedTests": _ids(record, Verdict.PASSED),
            "warnedTests": _ids(record, *WARNED),
            "failedTests": _ids(record, *RED),
        },
    }


WARNED = (Verdict.DEVIATION, Verdict.WAIVED)
"""Wrong, and known of the product or accepted by the operator."""


def _result(record: Record) -> str:
    """What is waived, or a deviation of the product, is a warning."""
    if _ids(record, *RED):
        return "FAILED"
    return "WARNED" if _ids(record, *WARNED) else "PASSED"


def _configuration(signoff: Mapping[str, Any]) -> list[dict[str, Any]]:
    file, suite = signoff["environment_file"], signoff["run"]["suite"]
    return [
        {"name": file["name"], "digest": {"sha256": file["sha256"]}},
        {"name": f"gateway-acceptance {suite['version']}", "digest": {"gitCommit": suite["commit"]}},
    ]


def _ids(record: Record, *verdicts: str) -> list[str]:
    return [check.id for check in record.checks if check.verdict in verdicts]
