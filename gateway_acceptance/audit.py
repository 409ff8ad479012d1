"""Everything that is wrong with a finished run directory: offline, pure over its files, one sentence each.

Three looks: the seal, the record judged anew from its own cases, and its views against it. A record that was
edited and sealed again is found where it contradicts itself or a view; one rewritten whole, with all of its
views, is not: that only a signature shows.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from pydantic import BaseModel

from gateway_acceptance.documents import Unreadable, content_of, json_of
from gateway_acceptance.evaluation import rejudged
from gateway_acceptance.record_model import (
    NoRecord,
    Record,
    RecordedCase,
    RecordedCheck,
    RecordedWaiver,
    record_of,
)
from gateway_acceptance.report.allure import STATUSES
from gateway_acceptance.report.junit import COUNTS, OUTCOMES
from gateway_acceptance.report.reading import case_name, first_line, printable
from gateway_acceptance.report.rendered_again import unlike
from gateway_acceptance.report.status_json import PATHS, status_document
from gateway_acceptance.run_directory import RECORD
from gateway_acceptance.seal import broken
from gateway_acceptance.verdict import Verdict

VerdictsByCase = dict[str, list[str]]
"""What one account says: name of a case to the verdicts it has there (names need not be unique)."""

SHOWN_DIFFERENCES = 10
"""Of one view; the rest is counted."""
CUT = "… (cut)"
RESULTS = "allure-results"
BESIDE_THE_RECORD = ("paths", "format", "red")
"""Of status.json: where things lie, its own format, and cases, which are compared one by one."""
ADDED_LATER = ("waivers", "fingerprint", "fresh_h", "proven")
"""Of status.json: what its format has had since a later version only. A run from before may lack it: a signed
one is looked at for years. What is there must agree."""
VALUE_AT_MOST = 200
"""Characters of a value that a finding shows."""


def findings(directory: Path) -> list[str]:
    """All that is wrong with the directory of a finished run; empty where it can be relied on."""
    try:
        record = record_of(json_of(directory / RECORD))
    except Unreadable as error:
        return [f"{RECORD} cannot be read: {error}", *broken(directory)]
    except NoRecord as problem:
        return [*broken(directory), f"{RECORD} {problem}"]
    sealed = broken(directory)
    found = [*sealed, *contradictions(record)]
    if record.basis.unfinished:
        return [f"the run began at {record.run.started} and has not ended", *found]
    found += disagreements(directory, record)
    return found if sealed else [*found, *unlike(directory, record)]


def contradictions(record: Record) -> list[str]:
    """Where a record contradicts itself: what it says was evaluated, against its own cases evaluated anew."""
    try:
        anew = rejudged(record)
        return [*_differences(record, anew), *_forged(record)]
    except ValueError as error:  # a time that is none, a waiver that no file may hold
        return [f"{RECORD} is no whole record ({type(error).__name__}: {str(error).splitlines()[0]})"]


def disagreements(directory: Path, record: Record) -> list[str]:
    """Where junit.xml, allure-results and status.json say anything else than the record."""
    audits: Mapping[str, Callable[[Path, Record], list[str]]] = {
        "junit.xml": _of_junit,
        RESULTS: _of_allure,
        "status.json": _of_status,
    }
    found = []
    for name, audit_of in audits.items():
        try:
            found += audit_of(directory / name, record)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, Xml.ParseError) as error:
            found.append(f"{name} cannot be read: {type(error).__name__}: {error}")
    return found


def _differences(record: Record, anew: Record) -> list[str]:
    found = []
    for part in ("run", "totals"):
        recorded, made = _plain(getattr(record, part)), _plain(getattr(anew, part))
        for name in sorted({*recorded, *made}):
            said, judged = recorded.get(name, 0), made.get(name, 0)
            if said != judged:
                found.append(f"the record says {part}.{name} {said!r}; its own cases say {judged!r}")
    for part in ("checks", "claims", "waivers"):
        for one, other in zip(getattr(record, part), getattr(anew, part), strict=True):
            recorded, made = _plain(one), _plain(other)
            for name in made:
                if recorded.get(name) != made[name]:
                    found.append(
                        f"the record says {name} {recorded.get(name)!r} of {one.id}; "
                        f"its own cases say {made[name]!r}"
                    )
    return found


def _plain(part: BaseModel) -> dict[str, Any]:
    """A part as record.json holds it, without its cases."""
    return part.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"cases"})


def _forged(record: Record) -> list[str]:
    """What no run of the suite writes."""
    found = []
    for part in ("checks", "claims", "waivers"):
        counted = Counter(entry.id for entry in getattr(record, part))
        found += [f"{name} is in the record's {part} {n} times" for name, n in counted.items() if n > 1]
    nodeids = Counter(case.nodeid for _, case in record.cases())
    found += [f"the case {name} is in the record {n} times" for name, n in nodeids.items() if n > 1]
    run, today = record.run, date.fromisoformat(record.basis.today)
    first, last = (datetime.fromisoformat(moment).date() for moment in (run.started, run.ended))
    if not first <= today <= last + timedelta(days=1):  # the day is looked at just after the end
        found.append(f"the record was judged as of {today}; its run was from {first} to {last}")
    waivers = {waiver.id: waiver for waiver in record.waivers}
    known = {one.check for one in record.deviations.known} if record.deviations else set()
    policy = record.environment.policy
    for check, case in record.cases():
        executed = case.verdict.executed
        if executed and check.effect not in policy.effects:
            found.append(f"{case.nodeid} was executed, and the policy forbids its effect {check.effect}")
        if (case.verdict == Verdict.WAIVED) is not (case.waiver is not None):
            found.append(f"{case.nodeid} is {case.verdict} with the waiver {case.waiver!r}")
        elif case.verdict == Verdict.DEVIATION and check.id not in known:
            found.append(f"{case.nodeid} is a deviation, and none of {check.id} is known")
        elif case.waiver is not None:
            problem = _not_covered(check, case, waivers.get(case.waiver))
            found += [f"{case.nodeid} is waived by {case.waiver}, {problem}"] if problem else []
    sent, allowed = record.totals.requests, policy.requests
    if sent > allowed:
        found.append(f"the record counts {sent} requests; its policy allows {allowed}")
    return found


def _not_covered(check: RecordedCheck, case: RecordedCase, waiver: RecordedWaiver | None) -> str:
    """Why a waiver does not cover a case, or nothing. Words that were cut or redacted are not compared."""
    if waiver is None:
        return "which the record does not hold"
    if not waiver.in_scope or waiver.expired:
        return "which is out of scope or expired"
    given = waiver.parameters.items()
    if waiver.check != check.id or any(case.parameters.get(name) != value for name, value in given):
        return "which is of another check or other parameters"
    message = case.message
    uncut = not message.endswith(CUT) and "[redacted" not in message
    seen = any(re.search(waiver.observed, part) for part in (message, *message.splitlines()))
    return "which describes something else" if uncut and not seen else ""


def _of_junit(path: Path, record: Record) -> list[str]:
    content = content_of(path)
    if b"<!" in content:
        raise ValueError("it declares things of its own (<!); no run writes such")
    root = Xml.fromstring(content)  # noqa: S314  (without declarations there is nothing to expand)
    expected: VerdictsByCase = {}
    for check, case in record.cases():
        name = f"{printable(check.suite)}.{check.id} {printable(case_name(record, check, case))}"
        expected.setdefault(name, []).append(case.verdict)
    shown: VerdictsByCase = {}
    found = []
    for element in root.iter("testcase"):
        name = f"{element.get('classname')} {element.get('name')}"
        verdict = _property(element, "verdict")
        shown.setdefault(name, []).append(verdict)
        children = [child.tag for child in element if child.tag != "properties"]
        wanted = [OUTCOMES[Verdict(verdict)]] if OUTCOMES.get(Verdict(verdict)) else []
        if children != wanted:
            found.append(f"junit.xml calls {name} {children or ['passed']}, and its verdict is {verdict}")
    found += _compared("junit.xml", shown, expected)
    for part in (root, *root.iter("testsuite")):
        own = list(part.iter("testcase"))
        counts = {"tests": len(own)}
        counts |= {name: sum(1 for case in own if case.find(tag) is not None) for name, tag in COUNTS.items()}
        wrong = [name for name, count in counts.items() if part.get(name) != str(count)]
        found += [f"junit.xml counts {part.get(name)} {name}; it holds {counts[name]}" for name in wrong]
    for suite in root.iter("testsuite"):
        for name, value in (("state", record.run.state), ("run", record.run.id)):
            if _property(suite, name) != printable(value):
                found.append(f"junit.xml says {name} {_property(suite, name)!r}; the record says {value!r}")
    return found


def _of_allure(folder: Path, record: Record) -> list[str]:
    expected: VerdictsByCase = {}
    for _, case in record.cases():
        status = STATUSES[case.verdict]
        expected.setdefault(case.nodeid, []).append(f"{case.verdict} ({status})")
    shown: VerdictsByCase = {}
    if not folder.is_dir():
        return [f"there is no folder {RESULTS}"]
    for path in sorted(folder.glob("*-result.json")):
        result: Any = json_of(path)
        verdicts = [label["value"] for label in result["labels"] if label["name"] == "verdict"]
        shown.setdefault(result["fullName"], []).append(f"{', '.join(verdicts)} ({result['status']})")
    return _compared(RESULTS, shown, expected)


def _of_status(path: Path, record: Record) -> list[str]:
    document: Any = json_of(path)
    expected = status_document(record)
    found = [
        f"status.json says {name} {_shown(document.get(name))}; the record says {_shown(value)}"
        for name, value in expected.items()
        if name not in BESIDE_THE_RECORD
        and not (name in ADDED_LATER and name not in document)
        and document.get(name) != value
    ]
    paths = document.get("paths", {})
    if any(PATHS.get(name) != place for name, place in paths.items()):
        found.append(f"status.json says paths {_shown(paths)}; no run has such")
    shown: VerdictsByCase = {}
    wanted: VerdictsByCase = {}
    for account, red in ((shown, document["red"]), (wanted, expected["red"])):
        for case in red:
            name = f"{case['check']} {json.dumps(case['parameters'], sort_keys=True)}"
            account.setdefault(name, []).append(case["verdict"])
    return found + _compared("status.json", shown, wanted)


def _shown(value: object) -> str:
    return first_line(repr(value), VALUE_AT_MOST)


def _compared(view: str, shown: VerdictsByCase, expected: VerdictsByCase) -> list[str]:
    """The cases that a view and the record tell differently, both ways."""
    found = []
    for name in sorted({*shown, *expected}):
        there, here = sorted(shown.get(name, ())), sorted(expected.get(name, ()))
        if there != here:
            said, recorded = ", ".join(there) or "nothing", ", ".join(here) or "nothing"
            found.append(f"{view} says {said} of {name}; the record says {recorded}")
    more = len(found) - SHOWN_DIFFERENCES
    return found if more <= 0 else [*found[:SHOWN_DIFFERENCES], f"{view} differs in {more} cases more"]


def _property(element: Xml.Element, name: str) -> str:
    for entry in element.iterfind("properties/property"):
        if entry.get("name") == name:
            return entry.get("value") or ""
    return ""
