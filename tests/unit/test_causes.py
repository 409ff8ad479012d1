"""One cause in many checks is one finding; a cause of its own is told alone."""

from __future__ import annotations

from typing import Any

from gateway_acceptance.causes import cause_of, findings
from gateway_acceptance.record_model import RecordedCheck, record_of
from gateway_acceptance.report.red_cases import failures
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, record
from tests.unit.test_judge import judged
from tests.unit.test_record import a_case, a_check

RULE = "schema.error-envelope./properties/error/properties/code/type"
CODE = RULE + ": {}: expected a string, got 400 at /error/code"
IDS = ["API-A-001", "API-B-001", "API-C-001"]


def failing(check_id: str, *messages: str, **fields: Any) -> RecordedCheck:
    cases = [case(f"{check_id}-{n}", Verdict.FAILED, message, **fields) for n, message in enumerate(messages)]
    return RecordedCheck.model_validate(check(check_id, *cases))


def shared() -> list[RecordedCheck]:
    return [failing(one, CODE.format(f"a body of {one}")) for one in IDS]


def test_a_rule_is_the_cause_whoever_broke_it() -> None:
    assert cause_of(CODE.format("malformed JSON at chat")) == RULE
    assert cause_of("stream.usage.missing: no chunk has usage") == "stream.usage.missing"
    for status in ("200: it was served", "500: Internal Server Error"):
        line = f"refusal.status: an unknown role: expected 400 or 422, got {status}"
        assert cause_of(line) == f"refusal.status {status[:3]}", "what was served did not end in an error"
    told = "expected a list from http://127.0.0.1:4000/v1 after 3.1 s: got 500"
    assert cause_of(told) == "expected a list from <url> after <n> s: got 500"


def test_three_checks_with_one_cause_are_one_finding() -> None:
    (finding,) = findings(shared())
    assert finding.checks == tuple(IDS)
    assert findings(shared()[:2]) == []


def test_what_a_check_has_of_its_own_is_told_apart() -> None:
    both = failing("API-D-001", CODE.format("x") + "\nstream.done.missing: no [DONE]")
    (finding,) = findings([*shared(), both])
    assert finding.checks == tuple(IDS)


def test_a_group_does_not_live_of_those_that_leave_it() -> None:
    other = "stream.done.missing: no [DONE]"
    own = "something else altogether"
    checks = [failing(one, CODE.format("x"), own + " " + one[4] * 3) for one in IDS]
    assert findings([*checks, failing("API-D-001", other)]) == []


def test_an_alarm_and_what_could_not_be_judged_are_never_lost_in_a_group() -> None:
    loud = failing("API-D-001", CODE.format("x"), alarm="anybody gets in")
    cases = case("e", Verdict.FAILED, CODE.format("x")), case("f", Verdict.UNTESTABLE, "u")
    unknown = RecordedCheck.model_validate(check("API-E-001", *cases))
    (finding,) = findings([*shared(), loud, unknown])
    assert finding.checks == tuple(IDS)


def test_half_a_line_is_no_cause() -> None:
    long = CODE.format("x") + "\nschema.error-env… (cut)"
    (finding,) = findings([failing(one, long) for one in IDS])
    assert len(finding.checks) == len(IDS)


def test_the_reasons_and_the_failures_tell_it_once() -> None:
    checks = [*shared(), failing("API-D-001", "expected a word, got none")]
    ids = [*IDS, "API-D-001"]
    cases = [a_case(one.id, verdict="failed", message=one.cases[0].message) for one in checks]
    reasons = [
        one for one in judged(*cases, catalogue=[a_check(one) for one in ids]).reasons if "API-" in one
    ]
    together = [one for one in reasons if one.startswith(f"3 checks fail for one cause: {RULE}")]
    assert len(together) == 1
    assert all(name in together[0] for name in IDS)
    assert not any(one.startswith(tuple(IDS)) for one in reasons)
    assert any(one.startswith("API-D-001") for one in reasons)
    shown = failures(record_of(record(*(one.model_dump(exclude_unset=True) for one in checks))))
    assert [(one.id, one.alike) for one in shown] == [(IDS[0], tuple(IDS[1:])), ("API-D-001", ())]
