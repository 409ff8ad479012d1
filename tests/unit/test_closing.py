"""What a terminal says at the end of a run: a part of the status model, made from the record alone."""

from __future__ import annotations

from typing import Any

from gateway_acceptance.causes import ALIKE
from gateway_acceptance.record_model import record_of
from gateway_acceptance.report.status_model import Closing, closing_of
from gateway_acceptance.report.status_model.closing import SHOWN_WAIVERS
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, record, waiver


def closing(*checks: dict[str, Any], waivers: list[dict[str, Any]] | None = None, **run: Any) -> Closing:
    document = record(*checks)
    document["run"] |= run
    document["waivers"] = waivers or []
    return closing_of(record_of(document), "lab")


def missing(name: str, message: str) -> dict[str, Any]:
    return check(name, case(f"suites/test_it.py::test_{name}[lab]", Verdict.UNTESTABLE, message))


def test_one_prerequisite_is_told_once_with_the_checks_that_want_it() -> None:
    shown = closing(
        missing("API-A-001", "no key"), missing("API-A-002", "no key"), missing("API-B-001", "no model")
    )
    assert shown.untested == [("API-A-001 API-A-002", "no key"), ("API-B-001", "no model")]
    many = [missing(f"API-A-{number:03}", "no key") for number in range(ALIKE)]
    assert closing(*many).untested == [(f"{ALIKE} checks:", "no key")]


def test_how_it_ended_stands_in_one_line_with_its_cost() -> None:
    shown = closing(check("API-A-001"), state="SMOKE PASSED", headline="1 check executed", exit_code=0)
    assert (shown.heading, shown.good) == ("lab: SMOKE PASSED", True)
    assert shown.headline.startswith("lab: SMOKE PASSED: 1 check executed (")
    assert shown.headline.endswith(" tokens)")
    assert not closing(check("API-A-001"), exit_code=1).good


def test_waivers_are_shown_until_they_are_too_many() -> None:
    few = [waiver(id=f"W-{number}", used=True) for number in range(SHOWN_WAIVERS)]
    assert len(closing(check("API-A-001"), waivers=few).waived) == SHOWN_WAIVERS
    (line,) = closing(check("API-A-001"), waivers=[*few, waiver(id="W-9", used=True)]).waived
    assert line.startswith("waived, each with its reason in STATUS.md: ")
    assert closing(check("API-A-001"), waivers=[waiver(used=False)]).waived == []


def test_a_waiver_that_ends_is_told_before_it_does() -> None:
    ends = waiver(id="W-1", expires="2026-03-15", expires_soon=True)
    (line,) = closing(check("API-A-001"), waivers=[ends]).ending
    assert line == "the waiver W-1 ends with 2026-03-15; renew it, or fix what it covers"


def test_the_command_is_of_the_case_that_is_to_be_fixed_first() -> None:
    failed = check("API-B-001", case("suites/test_it.py::test_first[lab]", Verdict.FAILED, "it is down"))
    shown = closing(missing("API-A-001", "the gateway is down"), failed, exit_code=1)
    (following,) = [line for line in shown.steps if line.startswith("next")]
    (typed,) = [line for line in shown.steps if line.startswith("type")]
    assert "API-B-001" in following
    assert typed.endswith("pytest --env lab -k test_first")
