"""The state of a run, for every way to fall short of green."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway_acceptance.check import DISRUPT, EXPOSE, PROBE, Effect
from gateway_acceptance.claims import Claim
from gateway_acceptance.environment import Environment
from gateway_acceptance.judgement import Judgement, judge, needless
from gateway_acceptance.policy import Spent
from gateway_acceptance.record import Run, build
from gateway_acceptance.waivers import Scope
from tests.unit.declared import document, environment
from tests.unit.test_record import RUN, TODAY, a_case, a_check, a_waiver, built

CLAIMS = [Claim("FUN-01", "Validated Functionality", "works")]
FROZEN = {"smoke": ["API-A-001"], "nightly": ["API-A-001"], "release": ["API-A-001"]}
JUDGED = ("state", "headline", "reasons", "exit_code")
KNOWN_BY = {"addresses": ["127.0.0.1"]}
PRODUCTION = environment(kind="production", gateway={**document()["gateway"], "identity": KNOWN_BY})
SEEN = {"gateway.identity": "as declared: addresses"}
DISRUPTING = {**document()["policy"], "effects": ["read", "disrupt"]}


def judged(
    *cases: dict[str, Any], run: Run = RUN, env: Environment | None = None, **fields: Any
) -> Judgement:
    where = env or environment()
    frozen = fields.pop("frozen", FROZEN)
    document = build(
        where,
        run,
        catalogue=fields.pop("catalogue", [a_check("API-A-001", "FUN-01")]),
        selected=(),
        cases=cases,
        claims=fields.pop("claims", CLAIMS),
        waivers=fields.pop("waivers", ()),
        frozen=frozen,
        spent=Spent(),
        product_version="",
        today=TODAY,
        needless=fields.pop("needless", None),
    )
    assert judge(document) == Judgement(**document.run.model_dump(include=set(JUDGED)))
    return judge(document)


PASSED = a_case("API-A-001")
RELEASE = replace(RUN, profile="release", marker="", fingerprint={"start": SEEN, "end": SEEN})


@pytest.mark.parametrize("profile", ["smoke", "nightly"])
def test_green(profile: str) -> None:
    judgement = judged(PASSED, run=replace(RUN, profile=profile))
    assert (judgement.state, judgement.exit_code) == (f"{profile.upper()} PASSED", 0)
    assert judgement.reasons == []


@pytest.mark.parametrize("effect", [DISRUPT, PROBE, EXPOSE])
def test_green_where_what_is_voluntary_is_not_permitted(effect: Effect) -> None:
    judgement = judged(
        PASSED,
        a_case("API-A-002", "not permitted"),
        run=RELEASE,
        catalogue=[a_check("API-A-001", "FUN-01"), a_check("API-A-002", effect=effect)],
        frozen={"release": ["API-A-001", "API-A-002"]},
    )
    assert (judgement.state, judgement.exit_code, judgement.reasons) == ("READY", 0, [])


@pytest.mark.parametrize("env", [environment(), PRODUCTION])
def test_green_of_a_release(env: Environment) -> None:
    state = "PRODUCTION READY" if env is PRODUCTION else "READY"
    assert judged(PASSED, run=RELEASE, env=env).state == state
    waived = a_case("API-A-001", "waived", waiver="W")
    assert judged(waived, run=RELEASE, env=env, waivers=[a_waiver()]).state == state


SHORTCOMINGS: dict[str, tuple[dict[str, Any], str, int]] = {
    "nothing selected": ({"cases": []}, "no check was selected", 4),
    "failed": ({"cases": [a_case("API-A-001", "failed")]}, "API-A-001 title: 1 failed", 1),
    "untestable": ({"cases": [a_case("API-A-001", "untestable")]}, "1 untestable", 1),
    "inconclusive": ({"cases": [a_case("API-A-001", "inconclusive")]}, "1 inconclusive", 1),
    "harness error": ({"cases": [PASSED, a_case("API-A-001", "harness error")]}, "1 harness error", 3),
    "not permitted": ({"cases": [a_case("API-A-001", "not permitted")]}, "the policy does not permit it", 1),
    "a disruption that is permitted and had no budget": (
        {
            "cases": [PASSED, a_case("API-A-002", "not permitted")],
            "catalogue": [a_check("API-A-001", "FUN-01"), a_check("API-A-002", effect=DISRUPT)],
            "frozen": {key: ["API-A-001", "API-A-002"] for key in FROZEN},
            "env": environment(policy=DISRUPTING),
        },
        "API-A-002 was not executed: the policy does not permit it",
        1,
    ),
    "one case not permitted": (
        {"cases": [PASSED, a_case("API-A-001", "not permitted")]},
        "the policy does not permit it",
        1,
    ),
    "only not applicable": ({"cases": [a_case("API-A-001", "not applicable")]}, "no check was executed", 1),
    "broken": ({"cases": [PASSED], "run": {"broken": ["a worker died"]}}, "a worker died", 3),
    "a check is gone": (
        {"cases": [PASSED], "frozen": {key: ["API-A-001", "API-A-009"] for key in FROZEN}},
        "API-A-009 was not executed: it is in the profile's list and was not there to run",
        1,
    ),
    "a check of the list was left out": (
        {
            "cases": [PASSED],
            "catalogue": [a_check("API-A-001", "FUN-01"), a_check("API-A-002")],
            "frozen": {key: ["API-A-001", "API-A-002"] for key in FROZEN},
        },
        "API-A-002 was not executed",
        1,
    ),
    "a check is not listed": (
        {
            "cases": [PASSED, a_case("API-A-002")],
            "catalogue": [a_check("API-A-001", "FUN-01"), a_check("API-A-002")],
        },
        "suites/profiles.toml: API-A-002",
        1,
    ),
    "a check that is not listed is not permitted": (
        {
            "cases": [PASSED, a_case("API-A-002", "not permitted")],
            "catalogue": [a_check("API-A-001", "FUN-01"), a_check("API-A-002", "FUN-01")],
        },
        "API-A-002 was not executed: the policy does not permit it",
        1,
    ),
    "expired waiver": (
        {
            "cases": [PASSED, a_case("API-A-001", "failed")],
            "waivers": [a_waiver(expires=TODAY.replace(year=2025))],
        },
        "the waiver W expired on 2025-06-01",
        1,
    ),
    "stale waiver": ({"cases": [PASSED], "waivers": [a_waiver()]}, "the waiver W is no longer needed", 1),
}


@pytest.mark.parametrize("profile", ["smoke", "nightly", "release"])
@pytest.mark.parametrize("what", list(SHORTCOMINGS))
def test_not_green(what: str, profile: str) -> None:
    fields, reason, code = SHORTCOMINGS[what]
    fields = dict(fields)
    run = replace(RUN, profile=profile, **fields.pop("run", {}))
    judgement = judged(*fields.pop("cases"), run=run, env=fields.pop("env", PRODUCTION), **fields)
    assert judgement.exit_code == code
    assert judgement.state in ("VOID", "NOT READY", f"{profile.upper()} FAILED")
    assert any(reason in one for one in judgement.reasons), judgement.reasons


def test_a_claim_that_nothing_proved_is_not_ready() -> None:
    claims = [*CLAIMS, Claim("FUN-02", "Validated Functionality", "other")]
    judgement = judged(PASSED, run=RELEASE, env=PRODUCTION, claims=claims)
    assert (judgement.state, judgement.exit_code) == ("NOT READY", 1)
    assert judgement.reasons == ["1 claims are not verified: FUN-02"]
    smoke = judged(PASSED, claims=claims)
    assert smoke.state == "SMOKE PASSED"
    assert "1 of 2 claims are not covered by it" in smoke.headline


@pytest.mark.parametrize("profile", ["smoke", "release", None])
def test_an_interrupted_run_is_void_whatever_passed(profile: str | None) -> None:
    judgement = judged(PASSED, run=replace(RUN, profile=profile, interrupted="by the keyboard"))
    assert (judgement.state, judgement.exit_code) == ("VOID", 2)


@pytest.mark.parametrize("run", [replace(RELEASE, narrowed=["-k 'x'"]), replace(RUN, profile=None)])
@pytest.mark.parametrize(("verdict", "code"), [("passed", 0), ("failed", 1), ("harness error", 3)])
def test_a_part_is_never_ready(run: Run, verdict: str, code: int) -> None:
    judgement = judged(a_case("API-A-001", verdict), run=run, env=PRODUCTION)
    assert (judgement.state, judgement.exit_code) == ("PARTIAL RUN", code)


def test_an_alarm_comes_first_and_is_the_headline() -> None:
    """An open door outweighs whatever was found before it."""
    failed = a_case("API-A-001", "failed")
    opened = a_case("API-B-001", "failed", alarm="anybody gets in: CVE-1: upgrade")
    judgement = judged(
        failed, opened, catalogue=[a_check("API-A-001", "FUN-01"), a_check("API-B-001", "FUN-01")]
    )
    assert judgement.reasons[0] == "API-B-001 anybody gets in: CVE-1: upgrade: 1 failed"
    assert judgement.headline.startswith("anybody gets in: CVE-1: upgrade; ")


def test_the_widest_of_the_open_doors_is_the_headline() -> None:
    """Who serves everybody is not told first of a stream."""
    narrow = a_case("API-A-001", "failed", alarm="anybody gets in without a key, to a stream")
    other = a_case("API-A-002", "failed", alarm="anybody reads another's answer")
    opened = a_case("API-B-001", "failed", alarm="anybody gets in without a key")
    checks = [a_check(one, "FUN-01") for one in ("API-A-001", "API-A-002", "API-B-001")]
    judgement = judged(narrow, other, opened, catalogue=checks)
    assert [reason[:9] for reason in judgement.reasons][:3] == ["API-B-001", "API-A-001", "API-A-002"]
    assert judgement.headline.startswith("anybody gets in without a key; ")
    assert judged(narrow, other, catalogue=checks[:2]).headline.startswith(
        "anybody gets in without a key, to"
    )


def test_an_alarm_that_was_waived_is_none() -> None:
    waived = a_case("API-A-001", "waived", alarm="anybody gets in", waiver="W")
    assert "anybody" not in judged(waived, waivers=[a_waiver()]).headline


DAY = {14: TODAY - timedelta(days=14), 15: TODAY - timedelta(days=15)}


@pytest.mark.parametrize(("days", "red"), [(14, False), (15, True)])
def test_a_needless_waiver_warns_for_a_while(days: int, *, red: bool) -> None:
    since = {"W": DAY[days].isoformat()}
    reasons = judged(PASSED, waivers=[a_waiver()], needless=since).reasons
    assert any("the waiver W is no longer needed" in reason for reason in reasons) is red


@pytest.mark.parametrize(
    ("scope", "advice"),
    [
        ({"environments": ("mini",)}, "passes; remove it"),
        ({"environments": ("mini", "other")}, "take mini out of its environments"),
        ({"product": "other", "versions": ">=1.74,<=1.106.2"}, "narrow its versions (>=1.74,<=1.106.2)"),
        ({"product": "other", "versions": ">=1.74.15,<=1.74.15"}, "passes; remove it"),
        ({"product": "other", "versions": "==1.74.15"}, "passes; remove it"),
        ({"product": "other", "versions": "==1.74.*"}, "narrow its versions"),
        ({"product": "other"}, "give it the versions that need it"),
    ],
)
def test_what_to_do_about_a_needless_waiver(scope: dict[str, Any], advice: str) -> None:
    waiver = a_waiver(scope=Scope(**scope))
    record = built([PASSED], waivers=[waiver], product_version="1.74.15")
    assert advice in needless(record.waivers[0], record)


def test_a_production_that_nobody_could_tell_from_another_is_not_ready() -> None:
    judgement = judged(PASSED, run=RELEASE, env=environment(kind="production"))
    assert (judgement.state, judgement.exit_code) == ("NOT READY", 1)
    assert "mini is production and declares nothing by which its gateway is known" in judgement.reasons[0]
    for end in ("start", "end"):
        taken = {"start": SEEN, "end": SEEN, end: {"gateway.identity": "no answer"}}
        judgement = judged(PASSED, run=replace(RELEASE, fingerprint=taken), env=PRODUCTION)
        assert judgement.state == "NOT READY"
        told = f"the identity of the gateway (addresses) was not looked at at the {end} of the run: no answer"
        assert told in judgement.reasons
