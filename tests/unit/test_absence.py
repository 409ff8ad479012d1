"""The absence matrix: what counts as a breach, and that its faults and its settled list are real."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.absence_matrix import Absences, breaches_of, errors_of, observed_away
from lab.faults import FAULTS, Layer
from lab.faults.absence import TOUCHED
from lab.faults.found_as import FOUND_AS
from lab.faults.settled import SETTLED
from lab.message import Reply, Request
from lab.mutation_matrix import judge
from tests.unit.test_sources import CHECKS

ABSENCE = {name for name, fault in FAULTS.items() if fault.layer is Layer.ABSENCE}


def exchange(response: str = "", status: int = 200, path: str = "/v1/chat/completions", **body: Any) -> Any:
    request = json.dumps({"model": "m", **body})
    return {
        "method": "POST",
        "url": f"http://x{path}",
        "status": status,
        "request": request,
        "response": response,
    }


def record(verdict: str, *evidence: Any) -> dict[str, Any]:
    case = {"verdict": verdict, "evidence": list(evidence), "message": "held for 1 answer"}
    return {"checks": [{"id": "API-T-001", "verdict": verdict, "cases": [case]}]}


EMPTY, GOOD = exchange(stream=True), exchange('{"choices": []}')


@pytest.mark.parametrize(
    ("verdict", "evidence", "found"),
    [
        ("passed", [EMPTY], 1),
        ("waived", [EMPTY], 1),
        ("passed", [EMPTY, GOOD], 1),
        ("passed", [GOOD], 0),
        ("untestable", [EMPTY], 0),
        ("failed", [EMPTY, GOOD], 0),
    ],
)
def test_a_pass_on_the_absence_is_a_breach(verdict: str, evidence: list[Any], found: int) -> None:
    breaches = breaches_of("absent-events", record(verdict, *evidence), TOUCHED["absent-events"], {})
    assert len(breaches) == found


def test_what_was_looked_at_is_no_breach() -> None:
    settled = {("absent-events", "API-T-001"): "it judges who answers"}
    assert not breaches_of("absent-events", record("passed", EMPTY), TOUCHED["absent-events"], settled)
    assert breaches_of("absent-chunks", record("passed", EMPTY), TOUCHED["absent-chunks"], settled)


@pytest.mark.parametrize(
    ("fault", "touched", "untouched"),
    [
        ("absent-events", EMPTY, exchange('data: {"id": 1}', stream=True)),
        ("absent-chunks", exchange("data: [DONE]", stream=True), exchange('data: {"id": 1}', stream=True)),
        ("absent-streams", exchange("no streams", 500, stream=True), exchange("no", 500, stream=True)),
        ("absent-bodies", exchange(""), exchange("{}")),
        ("absent-models", exchange("{}", path="/v1/models"), exchange("{}", path="/v1/models/m")),
        ("absent-backends", exchange("OllamaException: connection refused", 500), exchange("no key", 500)),
        ("absent-choices", exchange('{"id": "a-0"}'), exchange('{"id": "a-1"}')),
        ("absent-messages", exchange('{"id": "a-0"}'), exchange('{"id": "a-1"}')),
        ("absent-words", exchange('{"id": "a-0"}'), exchange('{"id": "a-1"}')),
        ("absent-json", exchange("\n  \n"), exchange("{}")),
        ("absent-behind-a-login", exchange("", 302), exchange("", 200)),
        (
            "absent-texts",
            exchange('data: {"id": "chatcmpl-0"}', stream=True),
            exchange('{"id": "chatcmpl-0"}'),
        ),
        ("absent-data", exchange(": ping", stream=True), exchange("data: {}", stream=True)),
        (
            "absent-but-an-error",
            exchange('data: {"error": {}}', stream=True),
            exchange("data: {}", stream=True),
        ),
        ("absent-content", exchange("", 204), exchange("", 200)),
        ("absent-behind-a-page", exchange("<h1>Down for maintenance"), exchange("{}")),
        ("absent-objects", exchange("{}"), exchange('{"id": 1}')),
        ("absent-null", exchange("null"), exchange("{}")),
        ("absent-service", exchange("nope", 400), exchange("no", 400)),
        ("absent-admission", exchange("no", 429), exchange("no", 400)),
        ("absent-connections", exchange(""), exchange("{}")),
    ],
)
def test_which_exchanges_show_the_absence(fault: str, touched: Any, untouched: Any) -> None:
    assert TOUCHED[fault](touched)
    assert not TOUCHED[fault](untouched)


@pytest.mark.parametrize("name", sorted(name for name in ABSENCE if FAULTS[name].before is not None))
@pytest.mark.parametrize("streamed", [False, True])
def test_what_answers_in_the_place_of_the_gateway_is_what_is_looked_for(name: str, streamed: bool) -> None:
    before = FAULTS[name].before
    assert before is not None
    body = json.dumps({"model": "m", "stream": streamed}).encode()
    routes = ("/v1/chat/completions", "/v1/models")
    asked = [
        Request("GET" if at.endswith("models") else "POST", at, (), body, authorised=True) for at in routes
    ]
    answered = [(request, reply) for request in asked if isinstance(reply := before(request), Reply)]
    for request, reply in answered:
        seen = exchange(reply.body.decode(), reply.status, request.path, stream=streamed)
        assert TOUCHED[name]({**seen, "method": request.method})
    stranger = Request("POST", routes[0], (), body)
    assert before(stranger) is stranger


def test_every_fault_of_absence_says_what_it_touches() -> None:
    assert set(TOUCHED) == ABSENCE


def test_what_is_settled_exists_and_says_why() -> None:
    for (fault, check), why in SETTLED.items():
        assert fault == "*" or fault in ABSENCE
        assert check in CHECKS
        assert len(why) > 20


def test_a_matrix_in_which_a_fault_did_not_run_is_not_complete() -> None:
    green = {"API-OPS-001": "passed"}
    assert Absences([], {"absent-events": {"untestable": 2}}, green).complete
    assert not Absences([], {"absent-events": {}}, green).complete


def test_a_check_that_errs_on_what_is_not_there_is_told_and_not_complete() -> None:
    errors = errors_of("absent-null", record("harness error", EMPTY))
    assert len(errors) == 1
    assert errors[0].startswith("absent-null: API-T-001: ")
    assert errors_of("absent-null", record("failed", EMPTY)) == []
    assert not Absences([], {"absent-null": {"failed": 2}}, {"API-OPS-001": "passed"}, errors).complete
    assert not Absences([], {"absent-events": {"untestable": 2}}, {"API-OPS-001": "failed"}).complete


def said(verdict: str, message: str, **parameters: str) -> dict[str, Any]:
    case = {"verdict": verdict, "evidence": [], "message": message, "parameters": parameters}
    return {"checks": [{"id": "API-T-001", "verdict": verdict, "cases": [case]}]}


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (said("not applicable", "declares no host (host)"), said("not applicable", "the same (host)"), 0),
        (said("not applicable", "nothing came (models)"), said("untestable", ""), 1),
        (said("failed", ""), said("not applicable", "no model counts (models)"), 1),
        (said("not applicable", "no call, accepted (waivers: W-1)"), said("failed", ""), 0),
        (said("not applicable", "no call, does so (deviations: API-T-002)"), said("failed", ""), 0),
        (said("not applicable", "no (models)", alias="a"), said("failed", "", alias="b"), 0),
        (said("not applicable", "no (models)", env="absent-a"), said("failed", "", env="absent-b"), 1),
    ],
)
def test_what_one_fault_takes_away_and_another_does_not_is_no_declaration(
    one: dict[str, Any], other: dict[str, Any], found: int
) -> None:
    observed = observed_away({"absent-a": one, "absent-b": other})
    assert len(observed) == found
    assert Absences([], {"absent-a": {"failed": 1}}, {}, [], observed).complete == (found == 0)


@pytest.mark.parametrize(
    ("fault", "check", "verdict", "detected"),
    [
        ("stream-refused", "API-STREAM-002", "failed", True),
        ("stream-refused", "API-STREAM-002", "untestable", False),
        ("draws-refused", "BACKEND-BAL-002", "inconclusive", True),
        ("draws-refused", "BACKEND-BAL-002", "untestable", False),
    ],
)
def test_only_a_failure_detects_a_fault_unless_the_fault_declares_otherwise(
    fault: str, check: str, verdict: str, detected: bool
) -> None:
    words = "stream.status: 3 of 9 draws had no answer: nobody knows; it got 503"
    case = {"verdict": verdict, "message": words, "evidence": []}
    checks = [{"id": check, "verdict": verdict, "cases": [case]}]
    runs: dict[str, dict[str, Any]] = {"control": {"checks": []}, fault: {"checks": checks}}
    found = [cell for cell in judge([FAULTS[fault]], runs, complete=False).cells if cell.check == check]
    assert [cell.detected for cell in found] == [detected]


def test_what_is_found_otherwise_is_named_by_its_fault() -> None:
    for fault, check in FOUND_AS:
        assert check in FAULTS[fault].detected_by
