"""Risk level and next action: each documented rule, and which goes first."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_acceptance.record_model import record_of
from gateway_acceptance.report.assess import named, next_action, risk, unjudged
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, record, waiver

Document = dict[str, Any]

SHOULD = {"level": "SHOULD"}


def red(check_id: str, verdict: str, **fields: Any) -> Document:
    return check(check_id, case(check_id, verdict, f"{verdict} message"), **fields)


PROVEN = check("API-OK-001", claims=["FUN-01", "FUN-02", "SEC-01"])


@pytest.mark.parametrize(
    ("document", "level", "because"),
    [
        (record(PROVEN), "LOW", "nothing is red and no MUST is waived"),
        (record(PROVEN, claims=("FUN-03",)), "LOW", "1 of 4 claims are not verified"),
        (record(PROVEN, red("API-A-001", Verdict.FAILED)), "HIGH", "MUST failed: API-A-001"),
        (
            record(PROVEN, red("HOST-A-001", Verdict.UNTESTABLE, claims=["SEC-01"])),
            "HIGH",
            "a security requirement could not be proven: HOST-A-001",
        ),
        (
            record(PROVEN, red("API-A-001", Verdict.FAILED, **SHOULD)),
            "MEDIUM",
            "not green: API-A-001",
        ),
        (record(PROVEN, red("API-A-001", Verdict.UNTESTABLE)), "MEDIUM", "not green: API-A-001"),
        (record(PROVEN, red("API-A-001", Verdict.WAIVED)), "MEDIUM", "MUST waived: API-A-001"),
        (record(PROVEN, red("API-A-001", Verdict.WAIVED, **SHOULD)), "LOW", "nothing is red"),
        (record(PROVEN, claims=("SEC-02",)), "MEDIUM", "security requirements not verified: SEC-02"),
        (record(check("API-OK-001"), claims=("FUN-01",)), "UNKNOWN", "1 of 1 claims are not verified"),
        (record(PROVEN, red("API-A-001", Verdict.FAILED), state="VOID"), "UNKNOWN", "the run is void"),
        (record(), "UNKNOWN", "0 of 0 claims are not verified"),
    ],
)
def test_the_first_rule_that_holds_decides(document: Document, level: str, because: str) -> None:
    found = risk(record_of(document))
    assert (found.level, because in found.because) == (level, True), found


def test_a_failed_case_counts_though_the_checks_verdict_is_worse() -> None:
    both = check("API-A-001", case("a", Verdict.FAILED, "no"), case("b", Verdict.HARNESS_ERROR, "ours"))
    assert risk(record_of(record(PROVEN, both))).level == "HIGH"


def test_nothing_to_do_is_none() -> None:
    assert next_action(record_of(record(PROVEN)), {}).text == "none"


def test_a_must_goes_before_a_should_and_a_failure_before_what_it_made_untestable() -> None:
    document = record(
        red("API-A-001", Verdict.FAILED, **SHOULD),
        red("API-B-001", Verdict.UNTESTABLE),
        red("API-C-001", Verdict.FAILED),
        red("HOST-D-001", Verdict.FAILED, claims=["SEC-01"]),
    )
    action = next_action(record_of(document), {"SEC-01": "sudo chown"})
    assert action.text == "Fix HOST-D-001 (the title of HOST-D-001): failed message"
    assert action.command == "sudo chown"


def test_of_a_family_that_fails_for_one_cause_the_first_speaks() -> None:
    """A gateway that serves everybody: a well-known key is a security requirement, but not the cause."""
    family = [red(f"API-AUTH-00{number}", Verdict.FAILED) for number in (2, 3)]
    known = red("API-AUTH-004", Verdict.FAILED, claims=["SEC-01"])
    document = record(*family, known)
    assert next_action(record_of(document), {}).text.startswith("Fix API-AUTH-002")
    assert next_action(record_of(record(known)), {}).text.startswith("Fix API-AUTH-004")


def test_a_failing_read_goes_before_what_could_not_be_served_because_of_it() -> None:
    document = record(red("API-A-001", Verdict.FAILED), red("BACKEND-B-001", Verdict.FAILED, effect="read"))
    assert next_action(record_of(document), {}).text.startswith("Fix BACKEND-B-001")


@pytest.mark.parametrize(
    ("verdict", "begin"),
    [
        (Verdict.FAILED, "Fix API-A-001"),
        (Verdict.UNTESTABLE, "Provide what is missing for API-A-001"),
        (Verdict.HARNESS_ERROR, "Report this error of the suite itself: API-A-001"),
        (Verdict.INCONCLUSIVE, "Decide what the budget did not allow to decide: API-A-001"),
    ],
)
def test_each_red_verdict_asks_for_its_own_action(verdict: str, begin: str) -> None:
    assert next_action(record_of(record(red("API-A-001", verdict))), {}).text.startswith(begin)


def test_then_waivers_then_the_runs_own_reasons_then_what_is_not_verified() -> None:
    document = record(PROVEN, claims=("FUN-03", "SEC-02"), exit_code=1, reasons=["the profile shrank"])
    document["waivers"] = [waiver(stale=True)]
    assert (
        next_action(record_of(document), {}).text
        == "Narrow or remove the waivers that are no longer needed here: W"
    )
    document["waivers"] = [waiver(expired=True)]
    assert next_action(record_of(document), {}).text == "Renew or remove the waivers that have expired: W"
    document["waivers"] = []
    assert next_action(record_of(document), {}).text == "Resolve: the profile shrank"
    document["run"]["exit_code"] = 0
    assert next_action(record_of(document), {}).text.startswith(
        "Prove what is not verified (2 claims): SEC-02, FUN-03; the profile release"
    )
    document["run"]["profile"] = "release"
    assert next_action(record_of(document), {}).text.endswith("SEC-02, FUN-03")


UNABLE = "m does not declare exact (models.abilities)"


def away(check_id: str, message: str, **fields: Any) -> Document:
    """A check that does not apply."""
    return check(check_id, case("a", "not applicable", message=message), **fields)


def test_what_no_run_proves_as_it_is_declared_is_not_sent_to_the_profile_release() -> None:
    no_host = away("HOST-A-001", "declares no host (host)", claims=["INF-01"])
    unable = away("API-A-001", UNABLE, claims=["FUN-06"])
    text = next_action(record_of(record(PROVEN, unable)), {}).text
    assert text == (
        f"Prove what is not verified (1 claims): FUN-06; as declared nothing of FUN-06 applies: {UNABLE}; "
        "gateway-acceptance abilities measures what the models can"
    )
    assert "abilities" not in next_action(record_of(record(PROVEN, no_host)), {}).text
    both = next_action(record_of(record(PROVEN, unable, claims=("FUN-03",))), {}).text
    assert "the profile release runs every check; as declared nothing of FUN-06 applies" in both


def test_what_no_declared_ability_allows_to_be_asked_is_counted() -> None:
    unable = [away("API-A-001", UNABLE), away("API-B-001", UNABLE, level="SHOULD")]
    other = away("API-C-001", "declares no host (host)")
    partly = check(
        "API-D-001", case("a", "not applicable", message=UNABLE), case("b", "passed"), level="MUST"
    )
    assert unjudged(record_of(record(PROVEN, *unable, other, partly))).startswith(
        "no model declares the abilities that 2 checks (1 MUST) need"
    )
    assert unjudged(record_of(record(PROVEN, other, partly))) == ""


def test_a_void_run_is_repeated_first() -> None:
    document = record(red("API-A-001", Verdict.FAILED), state="VOID", reasons=["the target moved"])
    assert next_action(record_of(document), {}).text == "Run again: the target moved"


def test_long_lists_are_counted() -> None:
    assert named(["A"] * 3 + ["B"]) == "A, B"
    assert named(f"C{n}" for n in range(14)).endswith("C11 and 2 more")
