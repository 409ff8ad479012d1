"""The record: nothing that was selected is lost, claims are the worst of their evidence."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gateway_acceptance.check import MUST, READ, Check, Effect
from gateway_acceptance.claims import Claim
from gateway_acceptance.deviations import Deviation, Known
from gateway_acceptance.evaluation import rejudged
from gateway_acceptance.policy import Spent
from gateway_acceptance.record import Run, Selected, build
from gateway_acceptance.record_model import Record
from gateway_acceptance.report.status_model.deviations import not_kept
from gateway_acceptance.waivers import Scope, Waiver
from tests.unit.declared import environment

PROFILES = ("smoke", "nightly", "release")
TODAY = date(2026, 6, 1)
TAKEN = {"gateway.version": "1.2.3"}
RUN = Run(
    "ID",
    "2026-06-01T00:00:00Z",
    "2026-06-01T00:01:00Z",
    "smoke",
    "smoke",
    fingerprint={"start": TAKEN, "end": TAKEN},
)


def a_check(check_id: str, *claims: str, effect: Effect = READ) -> Check:
    return Check(check_id, "title", MUST, effect, claims, PROFILES)


def a_case(check_id: str, verdict: str = "passed", /, **fields: Any) -> dict[str, Any]:
    return {
        "environment": "mini",
        "check": check_id,
        "nodeid": f"test[{check_id}-{sorted(fields.get('parameters', {}).values())}]",
        "parameters": {},
        "verdict": verdict,
        "message": "",
        "blame": "",
        "waiver": None,
        "started": "2026-06-01T00:00:30Z",
        "duration_s": 0.1,
        "requests": 0,
        "evidence": [],
        "facts": {},
        "pictures": {},
        "detail": "",
        **fields,
    }


def a_waiver(**fields: Any) -> Waiver:
    return Waiver(
        **{
            "id": "W",
            "check": "API-A-001",
            "scope": Scope(environments=("mini",)),
            "observed": "x+",
            "reason": "r",
            "link": "https://example.com",
            "owner": "o",
            "opened": date(2026, 1, 1),
            "expires": date(2026, 12, 31),
            **fields,
        }
    )


def built(cases: list[dict[str, Any]], **fields: Any) -> Record:
    return build(
        environment(),
        fields.pop("run", RUN),
        catalogue=fields.pop("catalogue", [a_check("API-A-001", "FUN-01")]),
        selected=fields.pop("selected", ()),
        cases=cases,
        claims=fields.pop("claims", [Claim("FUN-01", "Validated Functionality", "works")]),
        waivers=fields.pop("waivers", ()),
        needless=fields.pop("needless", None),
        frozen={"smoke": ["API-A-001"], "nightly": ["API-A-001"], "release": ["API-A-001"]},
        spent=Spent(3, 4),
        known=fields.pop("known", None),
        product_version=fields.pop("product_version", ""),
        today=TODAY,
    )


def test_what_was_selected_and_never_reported_is_a_harness_error() -> None:
    lost = Selected("test[lost]", "API-A-001", "mini", {"chat_model": "a"})
    record = built([a_case("API-A-001")], selected=[lost])
    (check,) = record.checks
    assert check.verdict == "harness error"
    (case,) = (case for case in check.cases if case.nodeid == "test[lost]")
    assert (case.blame, case.parameters) == ("harness", {"chat_model": "a"})
    assert "its worker died or lost it" in case.message
    assert (record.run.state, record.run.exit_code) == ("SMOKE FAILED", 3)


def test_a_check_is_the_worst_of_its_cases_and_one_without_cases_has_no_verdict() -> None:
    catalogue = [a_check("API-A-001"), a_check("API-A-002")]
    cases = [a_case("API-A-001"), a_case("API-A-001", "inconclusive"), a_case("API-A-001", "not applicable")]
    record = built(cases, catalogue=catalogue)
    assert [check.verdict for check in record.checks] == ["inconclusive", None]


@pytest.mark.parametrize(
    ("verdicts", "claim"),
    [
        ([], "not verified"),
        (["not applicable"], "not verified"),
        (["not permitted"], "not verified"),
        (["passed"], "passed"),
        (["passed", "waived"], "waived"),
        (["passed", "not permitted"], "not permitted"),
        (["passed", "failed"], "failed"),
        (["untestable"], "untestable"),
        (["passed", "harness error"], "harness error"),
    ],
)
def test_a_claim_is_the_worst_of_its_evidence(verdicts: list[str], claim: str) -> None:
    record = built([a_case("API-A-001", verdict) for verdict in verdicts])
    assert record.claims[0].verdict == claim
    assert (record.claims[0].proven is not None) is (claim in ("passed", "waived"))


def test_a_claim_about_an_alias_rests_on_its_cases_alone() -> None:
    about = Claim("MOD-01", "Available Models", "chat-one answers", about="chat-one")
    cases = [
        a_case("API-A-001", parameters={"chat_model": "chat-one"}),
        a_case("API-A-001", "failed", parameters={"chat_model": "both"}),
    ]
    record = built(cases, claims=[about], catalogue=[a_check("API-A-001")])
    assert record.claims[0].verdict == "passed"
    assert built(cases[1:], claims=[about]).claims[0].verdict == "not verified"


def test_a_claim_without_a_check_is_not_verified_whatever_passed() -> None:
    record = built([a_case("API-A-001")], claims=[Claim("FUN-02", "Validated Functionality", "other")])
    (only,) = record.claims
    assert (only.verdict, list(only.checks), only.proven) == ("not verified", [], None)


@pytest.mark.parametrize(
    ("verdict", "waiver", "fields", "expected"),
    [
        ("waived", "W", {}, (True, False, False)),
        ("passed", None, {}, (False, True, False)),
        ("failed", None, {}, (False, False, False)),
        ("failed", None, {"expires": date(2026, 5, 31)}, (False, False, True)),
        ("failed", None, {"expires": TODAY}, (False, False, False)),
        ("passed", None, {"scope": Scope(environments=("other",))}, (False, False, False)),
        (
            "failed",
            None,
            {"scope": Scope(environments=("other",)), "expires": date(2026, 5, 1)},
            (False,) * 3,
        ),
    ],
)
def test_waivers(
    verdict: str, waiver: str | None, fields: dict[str, Any], expected: tuple[bool, bool, bool]
) -> None:
    record = built([a_case("API-A-001", verdict, waiver=waiver)], waivers=[a_waiver(**fields)])
    (document,) = record.waivers
    assert (document.used, document.stale, document.expired) == expected


def test_a_waiver_of_a_check_that_did_not_run_is_not_stale() -> None:
    (document,) = built([], waivers=[a_waiver()]).waivers
    assert not document.stale


@pytest.mark.parametrize(
    ("verdict", "waiver", "before", "since"),
    [
        ("passed", None, {}, TODAY.isoformat()),
        ("passed", None, {"W": "2026-05-20"}, "2026-05-20"),
        ("failed", None, {"W": "2026-05-20"}, "2026-05-20"),
        ("waived", "W", {"W": "2026-05-20"}, None),
        ("failed", None, {}, None),
    ],
)
def test_since_when_a_waiver_is_needless(
    verdict: str, waiver: str | None, before: dict[str, str], since: str | None
) -> None:
    record = built([a_case("API-A-001", verdict, waiver=waiver)], waivers=[a_waiver()], needless=before)
    assert record.waivers[0].needless_since == since
    assert rejudged(record) == record


def test_what_could_not_be_tested_proves_nothing_however_accepted() -> None:
    waivers = [a_waiver(verdict="untestable")]
    record = built([a_case("API-A-001", "waived", waiver="W")], waivers=waivers)
    assert record.totals.checks_executed == 0
    assert (record.claims[0].verdict, record.claims[0].proven) == ("not verified", None)
    decided = built([a_case("API-A-001", "waived", waiver="W")], waivers=[a_waiver(verdict="inconclusive")])
    assert decided.claims[0].verdict == "waived"


def test_totals() -> None:
    cases = [a_case("API-A-001"), a_case("API-A-001", "failed"), a_case("API-A-002", "untestable")]
    record = built(cases, catalogue=[a_check("API-A-001"), a_check("API-A-002")])
    assert record.totals.model_dump(exclude_unset=True) == {
        "passed": 1,
        "failed": 1,
        "untestable": 1,
        "checks_selected": 2,
        "checks_executed": 1,
        "requests": 3,
        "tokens": 4,
    }


def test_what_the_release_does_by_itself_is_counted_and_what_is_absent_is_a_note() -> None:
    seen = Deviation("API-A-001", "MUST", "one", frozenset({"x"}), "https://example.com")
    gone = Deviation("API-A-002", "SHOULD", "two", frozenset({"x"}))
    known = Known("litellm", "1.0", "", ("1.0",), "a note", {one.check: one for one in (seen, gone)})
    document = built(
        [a_case("API-A-001", "deviation"), a_case("API-A-002", nodeid="t::two")],
        catalogue=[a_check("API-A-001", "FUN-01"), a_check("API-A-002")],
        known=known,
    )
    told = document.deviations
    assert told is not None
    assert (told.judged_by, told.note) == (["1.0"], "a note")
    assert [(one.check, one.cases, one.absent) for one in told.known] == [
        ("API-A-001", 1, False),
        ("API-A-002", 0, True),
    ]
    assert document.checks[0].verdict == "deviation"
    assert rejudged(document) == document
    assert not [reason for reason in document.run.reasons if "API-A-001" in reason]
    assert not_kept(document).notes == ["a note", "better than its release: API-A-002"]
