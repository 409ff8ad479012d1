"""junit.xml: the record in the form that CI systems read (the Jenkins xUnit schema)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from gateway_acceptance.record_model import Record, RecordedCase, RecordedCheck
from gateway_acceptance.report.reading import (
    case_name,
    first_line,
    last_curl,
    printable,
)
from gateway_acceptance.verdict import Verdict

OUTCOMES = {
    Verdict.PASSED: "",
    Verdict.DEVIATION: "",
    Verdict.WAIVED: "",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.NOT_PERMITTED: "skipped",
    Verdict.FAILED: "failure",
    Verdict.INCONCLUSIVE: "error",
    Verdict.UNTESTABLE: "error",
    Verdict.HARNESS_ERROR: "error",
}
"""The element that JUnit has for each verdict; the exact word is a property of the test case."""

COUNTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render_junit(record: Record) -> str:
    """The whole document: one suite per suite, one test case per case."""
    run, target = record.run, record.target
    product = " ".join(filter(None, (target.product, target.product_version)))
    pairs = list(record.cases())
    root = Xml.Element(
        "testsuites", {"name": _clean(run.environment), **_counts([case for _, case in pairs])}
    )
    for name in dict.fromkeys(check.suite for check, _ in pairs):
        own = [(check, case) for check, case in pairs if check.suite == name]
        attributes = {"name": _clean(name), "timestamp": _clean(run.started)}
        suite = Xml.SubElement(root, "testsuite", attributes | _counts([case for _, case in own]))
        _properties(
            suite,
            {
                "environment": run.environment,
                "state": run.state,
                "run": run.id,
                "profile": run.profile or "",
                "product": product,
                "suite_version": run.suite.version,
            },
        )
        for check, case in own:
            _add_case(suite, record, check, case)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _add_case(suite: Xml.Element, record: Record, check: RecordedCheck, case: RecordedCase) -> None:
    element = Xml.SubElement(
        suite,
        "testcase",
        classname=_clean(f"{check.suite}.{check.id}"),
        name=_clean(case_name(record, check, case)),
        time=f"{case.duration_s:.3f}",
    )
    properties: dict[str, object] = {
        "verdict": case.verdict,
        "level": check.level,
        "effect": check.effect,
        "claims": " ".join(check.claims),
    }
    if case.waiver:
        properties["waiver"] = case.waiver
    _properties(element, properties)
    outcome = OUTCOMES.get(case.verdict, "error")
    if not outcome:
        return
    result = Xml.SubElement(element, outcome, message=_clean(first_line(case.message, limit=500)))
    if outcome != "skipped":
        result.set("type", _clean(case.verdict))
        blame = f"to blame: {case.blame}" if case.blame else ""
        parts = (case.message, blame, last_curl(case), case.detail)
        result.text = _clean("\n\n".join(str(part) for part in parts if part))


def _properties(parent: Xml.Element, values: dict[str, object]) -> None:
    element = Xml.SubElement(parent, "properties")
    for name, value in values.items():
        Xml.SubElement(element, "property", name=name, value=_clean(value))


def _counts(own: Sequence[RecordedCase]) -> dict[str, str]:
    outcomes = Counter(OUTCOMES.get(case.verdict, "error") for case in own)
    return {
        "tests": str(len(own)),
        **{attribute: str(outcomes[outcome]) for attribute, outcome in COUNTS.items()},
        "time": f"{sum(case.duration_s for case in own):.3f}",
    }


def _clean(value: object) -> str:
    return printable(value)
