"""Allure's results, finished from the record: the raw ones know neither verdicts nor crashed workers."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gateway_acceptance.check import Level
from gateway_acceptance.record_model import Record, RecordedCase, RecordedCheck, RecordedClaim, RecordedWaiver
from gateway_acceptance.report.allure_attachments import Attachments
from gateway_acceptance.report.allure_tool import BuildOutcome, build_report, ensure_allure
from gateway_acceptance.report.markdown import md
from gateway_acceptance.report.reading import (
    case_name,
    milliseconds,
    parameters,
    printable,
    utc,
)
from gateway_acceptance.report.spec_links import spec_links
from gateway_acceptance.verdict import Verdict

__all__ = [
    "CASE_LABEL",
    "BuildOutcome",
    "build_report",
    "case_identity",
    "ensure_allure",
    "finish_results",
    "message",
]

CASE_LABEL = "gaCase"
"""The label by which a raw result says which case of the record it is: the value is pytest's nodeid."""

STATUSES = {
    Verdict.PASSED: "passed",
    Verdict.DEVIATION: "passed",
    Verdict.WAIVED: "passed",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.NOT_PERMITTED: "skipped",
    Verdict.FAILED: "failed",
    Verdict.INCONCLUSIVE: "broken",
    Verdict.UNTESTABLE: "broken",
    Verdict.HARNESS_ERROR: "broken",
}
"""Allure has four words; the ``verdict`` label keeps ours, and allurerc.json has a category for each."""

SEVERITIES = {Level.MUST: "critical", Level.SHOULD: "normal"}
EPICS = {"api": "API", "host": "Host", "backends": "Backends"}
NO_CLAIM = "Beyond the tracker"
"""The feature of checks that are the evidence of no claim."""

Redact = Callable[[str], str]


def finish_results(staging: Path, out: Path, record: Record, redact: Redact) -> None:
    """Write one result per case of the record into ``out``, with what allure-pytest left in ``staging``.

    A case without a raw result (crashed worker, collection error) gets a new one; raw results of no case of
    this record (other environments) are left out, with their attachments. All text goes through ``redact``.
    """
    out.mkdir(parents=True, exist_ok=True)
    raw = _raw_results(staging)
    claims = {claim.id: claim for claim in record.claims}
    waivers = {waiver.id: waiver for waiver in record.waivers}
    attachments = Attachments(staging, out, redact)
    for check, case in record.cases():
        before = raw.get(case.nodeid, {})
        result = {
            **_identity(record, check, case, before),
            "name": f"{check.id} {case_name(record, check, case)}",
            "status": STATUSES.get(case.verdict, "broken"),
            "statusDetails": {"message": message(case), "trace": printable(case.detail)},
            "description": _description(check, case, claims),
            "labels": _labels(record, check, case, claims, before),
            "parameters": [
                # excluded from Allure's own identity: it joins them without escaping (allure3 issue 778)
                {"name": name, "value": value, "excluded": True}
                for name, value in parameters(record, case).items()
            ],
            "links": _links(check, waivers.get(case.waiver or "")),
            "steps": [
                *attachments.copied_steps(before.get("steps")),
                *attachments.exchange_steps(case),
            ],
            "attachments": [
                *attachments.pictures(case),
                *attachments.copied(before.get("attachments")),
            ],
        }
        _write_json(out / f"{result['uuid']}-result.json", _redacted(result, redact))
    properties = "".join(
        f"{_property(name)}={_property(redact(value))}\n" for name, value in _environment(record).items()
    )
    (out / "environment.properties").write_text(properties, encoding="utf-8")
    run = record.run
    executor = {
        "name": "gateway-acceptance",
        "type": "gateway-acceptance",
        "buildName": run.id,
        "reportName": f"{run.environment}: {run.state}",
    }
    _write_json(out / "executor.json", _redacted(executor, redact))


def _raw_results(staging: Path) -> dict[str, Mapping[str, Any]]:
    """nodeid to raw result; of several for one case the last. A result cut off by a crash is no result."""
    found: dict[str, Mapping[str, Any]] = {}
    for path in sorted(staging.glob("*-result.json")):
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        for label in raw.get("labels") or ():
            if label["name"] == CASE_LABEL:
                known = found.get(label["value"])
                if known is None or (raw.get("stop") or 0) >= (known.get("stop") or 0):
                    found[label["value"]] = raw
    return found


def case_identity(record: Record, check: RecordedCheck, case: RecordedCase) -> str:
    """By what a case is known again in the next run, 32 hexadecimal digits: environment, check id and
    parameters, so it survives moved files. Two cases that are equal in these keep apart by nodeid: equal ones
    would be retries of one test to Allure, and retries are hidden."""
    identity = json.dumps([record.run.environment, check.id, parameters(record, case)], sort_keys=True)
    if sum(1 for one in check.cases if one.parameters == case.parameters) > 1:
        identity += case.nodeid
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def _identity(
    record: Record, check: RecordedCheck, case: RecordedCase, raw: Mapping[str, Any]
) -> dict[str, Any]:
    """Who the result is and when it ran. Allure 2 goes by historyId, Allure 3 by testCaseId: both ours."""
    identity = case_identity(record, check, case)
    begun = milliseconds(case.started) if case.started else milliseconds(record.run.started)
    start = raw.get("start") or begun
    return {
        "uuid": str(raw.get("uuid") or uuid.uuid5(uuid.NAMESPACE_URL, record.run.id + case.nodeid)),
        "historyId": identity,
        "testCaseId": identity,
        "fullName": case.nodeid,
        "start": start,
        "stop": raw.get("stop") or start + round(case.duration_s * 1000),
        "stage": "finished",
    }


def message(case: RecordedCase) -> str:
    """The verdict's word first, since Allure's status has only four; nothing where a case simply passed."""
    if case.verdict == Verdict.PASSED:
        return ""
    blame = f" (to blame: {case.blame})" if case.blame else ""
    reason = case.message.removeprefix("Untestable: ")
    return printable(f"[{case.verdict}]{blame} {reason}".rstrip())


def _labels(
    record: Record,
    check: RecordedCheck,
    case: RecordedCase,
    claims: Mapping[str, RecordedClaim],
    raw: Mapping[str, Any],
) -> list[dict[str, str]]:
    first = next((claims[name] for name in check.claims if name in claims), None)
    kept = [
        label for label in raw.get("labels") or () if label["name"] in ("thread", "framework", "language")
    ]
    environment = record.run.environment
    tags = [check.level, check.effect, *check.profiles, environment, case.verdict]
    pairs = [
        ("epic", EPICS.get(check.suite, check.suite)),
        ("feature", first.section if first else NO_CLAIM),
        ("story", f"{first.id} {first.text}" if first else check.id),
        ("severity", SEVERITIES.get(check.level, "normal")),
        ("verdict", case.verdict),
        ("host", environment),
        *(("claim", name) for name in check.claims),
        *(("tag", tag) for tag in dict.fromkeys(tags)),
    ]
    return [*kept, *({"name": name, "value": printable(value)} for name, value in pairs)]


def _description(check: RecordedCheck, case: RecordedCase, claims: Mapping[str, RecordedClaim]) -> str:
    """Markdown: what was expected, where that comes from, and which claims rest on it."""
    lines = [f"**Expected ({md(check.level)}):** {md(check.title)}"]
    if check.spec:
        lines.append(f"**Source:** {md(check.spec)}")
    lines.append(f"**Verdict:** {md(case.verdict)}")
    if case.started:
        lines.append(f"**Began:** {utc(case.started)}, took {case.duration_s:.2f} s")
    if case.waiver:
        lines.append(f"**Waiver:** {md(case.waiver)}")
    named = [f"- {md(name)} {md(claims[name].text if name in claims else '')}" for name in check.claims]
    if named:
        lines.append("**Evidence of:**\n\n" + "\n".join(named))
    if case.facts:
        facts = [f"- {md(name)}: {md(value)}" for name, value in case.facts.items()]
        lines.append("**Measured:**\n\n" + "\n".join(facts))
    return "\n\n".join(lines).replace("<br>", " ")


def _links(check: RecordedCheck, waiver: RecordedWaiver | None) -> list[dict[str, str]]:
    """The waiver's upstream issue first, then where the requirement stands and what was reported about it."""
    links = []
    if waiver is not None:
        name = f"waiver {waiver.id}: {waiver.reason}"
        links.append({"type": "issue", "name": printable(name), "url": waiver.link})
    for link in spec_links(check.spec):
        kind = "issue" if link.issue else "link"
        links.append({"type": kind, "name": printable(link.name), "url": link.url})
    return links


def _environment(record: Record) -> dict[str, str]:
    run, target = record.run, record.target
    product = f"{target.product or 'unknown'} {target.product_version or ''}".strip()
    commit = run.suite.commit
    dirty = " with uncommitted changes" if run.suite.dirty else ""
    return {
        "State": run.state,
        "Environment": f"{run.environment} ({run.kind})",
        "Gateway": str(target.gateway_url),
        "Product": product,
        "Profile": str(run.profile or "a selection"),
        "Started": utc(run.started),
        "Ended": utc(run.ended),
        "Headline": run.headline,
        "Run": run.id,
        "Suite": f"{run.suite.version}" + (f" ({commit}{dirty})" if commit else ""),
        **{str(name): str(value) for name, value in run.tools.items()},
        **{f"measured {name}": str(value) for name, value in target.facts.items()},
    }


def _property(text: str) -> str:
    """One line of a Java properties file, as Allure's reader takes it apart."""
    line = " ".join(printable(text).split())
    return "".join(f"\\{char}" if char in "\\ =:#!" else char for char in line)


def _redacted(value: Any, redact: Redact) -> Any:
    """Every string below, redacted on its own: escapes of JSON would hide a secret from a later pass."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item, redact) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, redact) for item in value]
    return value


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
