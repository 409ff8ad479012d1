"""A finished run looked at again: records and views edited by a hand that seals again are found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.audit import contradictions, disagreements, findings
from gateway_acceptance.evaluation import distrusted, rejudged
from gateway_acceptance.record_model import document_of, record_of
from gateway_acceptance.seal import seal
from tests.unit.finished_run import cases, edited, record, write
from tests.unit.test_record import a_case

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    document = record()
    assert document.run.state == "READY", document.run.reasons
    return write(tmp_path / "run", document)


def test_nothing_is_wrong_with_an_honest_run(run: Path) -> None:
    assert findings(run) == []


def test_a_record_judged_again_is_the_same() -> None:
    for document in (record(), record(*cases()[1:]), distrusted(record(), "a headline", ["why"])):
        assert rejudged(document) == document
        assert rejudged(record_of(json.loads(json.dumps(document_of(document))))) == document


@pytest.mark.parametrize("verdict", ["failed", "harness error", "not permitted", "untestable"])
def test_nothing_is_wrong_with_an_honest_red_run(tmp_path: Path, verdict: str) -> None:
    red = write(tmp_path / "red", record(*cases()[:3], a_case("API-A-003", verdict, nodeid="t::three")))
    assert findings(red) == []


def _case(document: dict[str, Any], number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = document["checks"][number]["cases"][0]
    return found


def _check(document: dict[str, Any], number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = document["checks"][number]
    return found


EDITS: dict[str, tuple[Edit, str]] = {
    "the state": (
        lambda it: it["run"].update(state="PRODUCTION READY"),
        "the record says run.state 'PRODUCTION READY'; its own cases say 'READY'",
    ),
    "the exit code": (lambda it: it["run"].update(exit_code=1), "the record says run.exit_code 1"),
    "the headline": (lambda it: it["run"].update(headline="fine"), "the record says run.headline 'fine'"),
    "a reason": (lambda it: it["run"].update(reasons=["no"]), "the record says run.reasons ['no']"),
    "a case to failed": (lambda it: _case(it).update(verdict="failed"), "its own cases say 'NOT READY'"),
    "a check's verdict": (
        lambda it: _check(it).update(verdict="failed"),
        "the record says verdict 'failed' of API-A-002; its own cases say 'passed'",
    ),
    "a claim's verdict": (
        lambda it: it["claims"][0].update(verdict="passed"),
        "the record says verdict 'passed' of FUN-01; its own cases say 'waived'",
    ),
    "a claim's evidence": (
        lambda it: it["claims"][1].update(checks=[]),
        "says checks [] of MOD-01",
    ),
    "a claim's time": (lambda it: it["claims"][0].update(proven="2027-01-01T00:00:00Z"), "says proven '2027"),
    "a total": (lambda it: it["totals"].update(passed=30), "the record says totals.passed 30"),
    "a total more": (lambda it: it["totals"].update(invented=1), "totals.invented: no field of a record"),
    "more requests than allowed": (
        lambda it: it["totals"].update(requests=11),
        "the record counts 11 requests; its policy allows 10",
    ),
    "a waiver unused": (lambda it: it["waivers"][0].update(used=False), "the record says used False of W"),
    "a waiver's expiry": (
        lambda it: it["waivers"][0].update(expires="2026-05-01"),
        "the record says expired False of W; its own cases say True",
    ),
    "a waiver widened": (
        lambda it: it["waivers"][0].update(check="API-A-009"),
        "t::one is waived by W, which is of another check",
    ),
    "a waiver of other words": (
        lambda it: it["waivers"][0].update(observed="y+"),
        "t::one is waived by W, which describes something else",
    ),
    "a waiver of nothing known": (
        lambda it: _case(it, 0).update(waiver="V"),
        "t::one is waived by V, which the record does not hold",
    ),
    "no waiver": (lambda it: _case(it, 0).update(waiver=None), "t::one is waived with the waiver None"),
    "a waiver of what passed": (
        lambda it: _case(it).update(waiver="W"),
        "is passed with the waiver",
    ),
    "a waiver gone": (lambda it: it["waivers"].clear(), "which the record does not hold"),
    "a case gone": (lambda it: _check(it)["cases"].pop(), "of t::two[b]; the record says nothing"),
    "a case twice": (
        lambda it: _check(it)["cases"].append(_case(it)),
        "the case t::two[a] is in the record 2 times",
    ),
    "a case of another name": (lambda it: _case(it).update(nodeid="t::x"), "the record says nothing"),
    "a check gone": (lambda it: it["checks"].pop(), "API-A-003 was not executed"),
    "a check twice": (
        lambda it: it["checks"].append(_check(it)),
        "is in the record's checks 2 times",
    ),
    "a check gone with its place in the list": (
        lambda it: (it["checks"].pop(1), it["basis"]["frozen"].remove("API-A-002")),
        "junit.xml says passed of api.API-A-002 title [a]; the record says nothing",
    ),
    "the list": (lambda it: it["basis"]["frozen"].pop(), "not in the list of release"),
    "the profile": (lambda it: it["run"].update(profile="nightly"), "its own cases say 'NIGHTLY PASSED'"),
    "what narrowed it": (
        lambda it: it["run"]["selection"].update(narrowed=["-k x"]),
        "its own cases say 'PARTIAL RUN'",
    ),
    "the kind": (lambda it: it["run"].update(kind="production"), "its own cases say 'NOT READY'"),
    "the end's fingerprint": (
        lambda it: it["target"]["fingerprint"]["end"].update({"gateway.version": "2"}),
        "its own cases say 'VOID'",
    ),
    "no fingerprint": (
        lambda it: it["target"]["fingerprint"].update(end=None),
        "its own cases say 'NOT READY'",
    ),
    "the day": (
        lambda it: it["basis"].update(today="2026-05-30"),
        "the record was judged as of 2026-05-30; its run was from 2026-06-01 to 2026-06-01",
    ),
    "the end": (
        lambda it: it["run"].update(ended="2027-06-01T00:00:00Z"),
        "the record says '2027-06-01T00:00:00Z'",
    ),
    "the beginning": (lambda it: it["run"].update(started="2026-06-01T00:00:59Z"), "say 'VOID'"),
    "the run": (
        lambda it: it["run"].update(id="ANOTHER"),
        "junit.xml says run 'ID'; the record",
    ),
    "the environment": (
        lambda it: it["run"].update(environment="other"),
        "says environment 'mini'",
    ),
    "the policy": (
        lambda it: it["environment"]["policy"].update(effects=["read"]),
        "t::three was executed, and the policy forbids its effect spend",
    ),
    "an interruption": (lambda it: it["basis"].update(interrupted="by hand"), "its own cases say 'VOID'"),
    "a word that is no verdict": (lambda it: _case(it).update(verdict="fine"), "is no whole record"),
    "a part gone": (lambda it: it.pop("claims"), "is no whole record (claims: is missing)"),
    "no basis": (lambda it: it.pop("basis"), "is no whole record (basis: is missing)"),
    "a time that is none": (lambda it: _case(it).update(started="yesterday"), "is no whole record"),
    "the format": (lambda it: it.update(format=1), "record.json is of format 1; only format 2"),
}


@pytest.mark.parametrize("what", list(EDITS))
def test_an_edited_record_is_found_though_it_was_sealed_again(run: Path, what: str) -> None:
    edit, sentence = EDITS[what]
    edited(run, edit)
    assert any(sentence in found for found in findings(run)), "\n".join(findings(run))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"x"', "{}"])
def test_a_record_that_is_none(run: Path, text: str) -> None:
    (run / "record.json").write_text(text, encoding="utf-8")
    seal(run)
    assert findings(run)


VIEWS: dict[str, tuple[str, str, str, str]] = {
    "junit: a verdict": ("junit.xml", 'value="waived"', 'value="passed"', "says passed of api.API-A-001"),
    "junit: a case gone": (
        "junit.xml",
        'classname="api.API-A-003"',
        'classname="x"',
        "junit.xml says nothing",
    ),
    "junit: a count": ("junit.xml", 'tests="4"', 'tests="5"', "junit.xml counts 5 tests; it holds 4"),
    "junit: a failure": ("junit.xml", "</testcase>", "<failure/></testcase>", "junit.xml calls"),
    "junit: the state": ("junit.xml", 'value="READY"', 'value="NOT READY"', "says state 'NOT READY'"),
    "junit: torn": ("junit.xml", "</testsuites>", "", "junit.xml cannot be read: ParseError"),
    "junit: entities": ("junit.xml", "<testsuites", "<!DOCTYPE x><testsuites", "declares things of its own"),
    "status: the state": ("status.json", '"READY"', '"PRODUCTION READY"', "status.json says state 'PROD"),
    "status: totals": ("status.json", '"passed": 3', '"passed": 4', "status.json says totals"),
    "status: red": (
        "status.json",
        '"red": []',
        '"red": [{"check": "A", "parameters": {}, "verdict": "x"}]',
        "status.json says x of A {}",
    ),
    "status: torn": ("status.json", "}", "", "status.json cannot be read"),
}


@pytest.mark.parametrize("what", list(VIEWS))
def test_an_edited_view_is_found_though_it_was_sealed_again(run: Path, what: str) -> None:
    name, before, after, sentence = VIEWS[what]
    text = (run / name).read_text(encoding="utf-8")
    assert before in text
    (run / name).write_text(text.replace(before, after, 1), encoding="utf-8")
    seal(run)
    assert any(sentence in found for found in findings(run)), "\n".join(findings(run))


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda it: it.update(status="failed"), "waived (failed) of t::one; the record says waived (passed)"),
        (lambda it: it.update(fullName="t::x"), "allure-results says nothing of t::one"),
        (lambda it: it.pop("labels"), "allure-results cannot be read: KeyError"),
    ],
)
def test_an_edited_allure_result_is_found(run: Path, edit: Edit, sentence: str) -> None:
    for path in (run / "allure-results").glob("*-result.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        if result["fullName"] == "t::one":
            edit(result)
            path.write_text(json.dumps(result), encoding="utf-8")
    seal(run)
    assert any(sentence in found for found in findings(run)), "\n".join(findings(run))


@pytest.mark.parametrize("name", ["junit.xml", "status.json", "allure-results"])
def test_a_view_that_is_gone(run: Path, name: str) -> None:
    (run / name).rename(run.parent / name)
    seal(run)
    assert any(name in found for found in findings(run))


def test_the_seal_is_looked_at(run: Path) -> None:
    (run / "STATUS.md").write_text("all is well", encoding="utf-8")
    assert findings(run) == ["STATUS.md was changed after it was sealed"]


def test_a_run_that_has_not_ended(tmp_path: Path) -> None:
    unfinished = write(tmp_path / "run", record(unfinished=True))
    assert findings(unfinished) == ["the run began at 2026-06-01T00:00:00Z and has not ended"]


def test_many_differences_are_counted() -> None:
    many = [a_case("API-A-002", nodeid=f"t::{n}", parameters={"n": str(n)}) for n in range(14)]
    found = disagreements(Path("nowhere"), record(*many))
    assert [one.split(" ", 1)[0] for one in found] == ["junit.xml", "there", "status.json"]


def test_words_that_were_cut_are_not_held_against_a_waiver() -> None:
    for message, wrong in (("zzz… (cut)", False), ("a [redacted:key] b", False), ("zzz", True)):
        own = a_case("API-A-001", "waived", waiver="W", message=message, nodeid="t::one")
        assert bool(contradictions(record(own))) is wrong


def test_a_run_from_before_a_field_is_not_missing_it(run: Path) -> None:
    """A signed run is looked at for years; only a field that is there can contradict."""
    path = run / "status.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    before = {name: value for name, value in document.items() if name != "waivers"}
    for status, wrong in (
        (before, []),
        ({**before, "waivers": []}, ["status.json says waivers []"]),
        (
            {name: value for name, value in document.items() if name != "state"},
            ["status.json says state None"],
        ),
    ):
        path.write_text(json.dumps(status), encoding="utf-8")
        seal(run)
        found = findings(run)
        assert [one[: len(words)] for one, words in zip(found, wrong, strict=True)] == wrong
        assert all(len(one) < 600 for one in found)
