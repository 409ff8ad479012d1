"""When a claim was last proven: now, earlier, too long ago, of another target, contradicted since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway_acceptance.record_model import record_of
from gateway_acceptance.report.ages import age_in_words, hours_in_words
from gateway_acceptance.report.history import PastRun
from gateway_acceptance.report.proofs import Proof, fresh_hours, proofs, same_target
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, record

NOW = datetime(2026, 3, 8, 10, 0, 2, tzinfo=UTC)
"""Just 168 hours after records.claim says that something was proven."""
A_WEEK_AGO = "2026-03-01T10:00:02Z"
SECOND = timedelta(seconds=1)


def earlier(verdict: str = "passed", *, at: str = A_WEEK_AGO, **fields: Any) -> PastRun:
    """An earlier nightly run of the same product that says something of FUN-01."""
    proven = {"FUN-01": at} if verdict in ("passed", "waived") else {}
    given: dict[str, Any] = {
        "id": "before",
        "started": "2026-03-01T10:00:00Z",
        "state": "NIGHTLY PASSED",
        "profile": "nightly",
        "exit_code": 0,
        "product": "litellm",
        "product_version": "1.106.2",
        "verdicts": {"FUN-01": verdict},
        "proven": proven,
        "fingerprint": None,
        "red_cases": 0,
    }
    return PastRun(**(given | fields))


def silent(**run: Any) -> dict[str, Any]:
    """A record that does not speak of FUN-01."""
    return record(check("API-A-001"), claims=("FUN-01",), **run)


def proof(document: dict[str, Any], runs: Sequence[PastRun] = (), now: datetime = NOW) -> Proof:
    return proofs(record_of(document), runs, now)["FUN-01"]


def test_what_this_run_proved_has_its_time() -> None:
    found = proof(record(check("API-A-001", claims=["FUN-01"])), now=NOW - timedelta(days=5))
    assert found == Proof("passed", A_WEEK_AGO, 2 * 86400.0)
    assert found.age == "2 days ago"


@pytest.mark.parametrize(
    ("later", "standing"),
    [
        (timedelta(0), "passed"),
        (SECOND, "stale"),
        (-timedelta(hours=168, minutes=5), "passed"),
        (-timedelta(hours=168, minutes=5, seconds=1), "stale"),
    ],
)
def test_a_proof_counts_until_its_bound_and_not_from_the_future(later: timedelta, standing: str) -> None:
    document = record(check("API-A-001", claims=["FUN-01"]))
    assert proof(document, now=NOW + later).standing == standing
    history_says = {"passed": "proven earlier", "stale": "stale"}[standing]
    assert proof(silent(), [earlier()], NOW + later).standing == history_says


def test_the_bound_is_the_environments() -> None:
    document = silent()
    assert fresh_hours(record_of(document)) == 168.0
    document["environment"]["tracker"] = {"fresh_h": 167.9}
    assert proof(document, [earlier()]).standing == "stale"


def test_an_earlier_proof_is_marked_as_such() -> None:
    found = proof(silent(), [earlier("waived")])
    assert (found.standing, found.at, found.run, found.note) == ("proven earlier", A_WEEK_AGO, "before", "")
    assert found.age == "7 days ago"


def test_without_any_proof_a_claim_is_not_verified() -> None:
    assert proof(silent()) == proof(silent(), [earlier("not verified")]) == Proof("not verified")
    assert proof(silent(), [earlier("not permitted")]) == Proof("not verified")


def test_runs_that_are_silent_are_passed_over() -> None:
    between = earlier("not applicable", id="between")
    assert proof(silent(), [between, earlier()]).run == "before"


@pytest.mark.parametrize("word", ["failed", "untestable", "inconclusive", "harness error"])
def test_a_later_run_that_is_red_takes_the_proof_away(word: str) -> None:
    found = proof(silent(), [earlier(word, id="later"), earlier()])
    assert found == Proof("not verified", note=f"{word} in run later, and no run as wide has proven it since")


def test_a_narrower_run_does_not_settle_what_a_wider_one_saw_red() -> None:
    smoke = earlier(id="smoke", profile="smoke", state="SMOKE PASSED")
    red = earlier("failed", id="red")
    assert proof(silent(), [smoke, red]).standing == "not verified"
    assert "failed in run red" in proof(silent(), [smoke, red]).note
    assert proof(silent(), [earlier(id="wide"), red]).run == "wide"
    release = earlier("failed", id="red", profile="release", state="NOT READY")
    assert proof(silent(), [earlier(), release]).standing == "not verified"


def test_this_runs_own_green_says_what_is_still_open() -> None:
    document = record(check("API-A-001", claims=["FUN-01"]), profile="smoke", state="SMOKE PASSED")
    found = proof(document, [earlier("failed", id="red")])
    assert found.standing == "passed"
    assert found.note == "failed in run red, and no run as wide has proven it since"
    document["run"]["profile"] = "nightly"
    assert proof(document, [earlier("failed", id="red")]).note == ""


def test_partial_runs_prove_nothing_and_settle_nothing() -> None:
    partial = earlier(id="partial", state="PARTIAL RUN", profile="")
    assert proof(silent(), [partial]).standing == "not verified"
    narrowed = earlier(id="partial", state="PARTIAL RUN", profile="release")
    assert proof(silent(), [narrowed, earlier("failed", id="red")]).standing == "not verified"
    red = earlier("failed", id="partial", state="PARTIAL RUN", profile="")
    assert proof(silent(), [red, earlier()]).standing == "not verified"
    assert proof(silent(), [earlier(), red]).standing == "proven earlier"


def test_a_void_run_proves_nothing_and_what_failed_in_it_failed() -> None:
    assert proof(silent(), [earlier(state="VOID")]).standing == "not verified"
    assert proof(silent(), [earlier("harness error", state="VOID"), earlier()]).standing == "proven earlier"
    assert proof(silent(), [earlier("failed", state="VOID"), earlier()]).standing == "not verified"


def test_a_void_run_of_now_shows_no_time() -> None:
    document = record(check("API-A-001", claims=["FUN-01"]), state="VOID")
    assert (proof(document).standing, proof(document).at) == ("passed", "")


def test_what_is_red_now_stays_red_and_says_when_it_was_not() -> None:
    red = record(check("API-A-001", case("a", Verdict.FAILED, "no"), claims=["FUN-01"]))
    assert proof(red, [earlier()]) == Proof("failed", note="last proven 7 days ago, in run before")
    assert proof(red, [earlier(state="VOID")]).note == ""


def test_another_product_version_is_another_target() -> None:
    found = proof(silent(), [earlier(product_version="1.0")])
    assert found.standing == "not verified"
    assert found.note == "run before proved it of another target: the product was litellm 1.0"


def fingerprinted(start: dict[str, str] | None, version: str = "1.106.2") -> dict[str, Any]:
    document = silent()
    document["target"] |= {"fingerprint": {"start": start, "end": start}, "product_version": version}
    return document


def test_every_shared_fact_of_the_fingerprint_must_be_equal() -> None:
    here = fingerprinted({"gateway.models": "a, b", "host.MainPID": "7", "host.unit": "sha256:1"})
    same = {"gateway.models": "a, b", "host.MainPID": "9", "backend.x": "only then"}
    assert same_target(record_of(here), earlier(fingerprint=same)) == ""
    other = {"gateway.models": "a"}
    assert same_target(record_of(here), earlier(fingerprint=other)) == "gateway.models was a"
    assert proof(here, [earlier(fingerprint=other)]).standing == "not verified"


def test_what_gave_no_answer_is_no_difference_and_no_likeness() -> None:
    silent_now = fingerprinted({"gateway.models": "no answer: refused"}, version="")
    run = earlier(product_version="", fingerprint={"gateway.models": "a"})
    assert same_target(record_of(silent_now), run) == "neither version nor fingerprint of the target is known"
    assert same_target(record_of(fingerprinted(None, "")), earlier(product_version="")) != ""
    assert same_target(record_of(fingerprinted({"gateway.models": "a"}, "")), run) == ""
    known = fingerprinted({"gateway.models": "a"})
    assert (
        same_target(record_of(known), earlier(fingerprint={"gateway.models": "no answer"}))
        == "gateway.models was no answer"
    )


def test_what_the_environment_has_not_stays_not_applicable() -> None:
    document = record(check("API-A-001", case("a", Verdict.NOT_APPLICABLE), claims=["FUN-01"]))
    document["claims"][0]["verdict"] = "not applicable"
    found = proof(document, [earlier()])
    assert (found.standing, found.at) == ("not applicable", "")
    assert found.note == "run before proved it 7 days ago"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (0.9, "just now"),
        (1, "1 second ago"),
        (59.9, "59 seconds ago"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (7200, "2 hours ago"),
        (86399, "23 hours ago"),
        (86400, "1 day ago"),
        (40 * 86400, "40 days ago"),
        (-7200, "in 2 hours"),
    ],
)
def test_ages_in_words(seconds: float, words: str) -> None:
    assert age_in_words(seconds) == words


@pytest.mark.parametrize(
    ("hours", "words"), [(168, "7 days"), (24, "1 day"), (36, "36 hours"), (1, "1 hour"), (0.5, "0.5 hours")]
)
def test_how_long_a_proof_counts(hours: float, words: str) -> None:
    assert hours_in_words(hours) == words
