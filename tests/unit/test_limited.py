"""A rate limit of the gateway is no defect of it, and hides none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_acceptance.check import DISRUPT, MUST, SPEND, Check
from gateway_acceptance.plugin.limited import LIMITED, beside_limited, unless_all_limited, unless_limited
from gateway_acceptance.plugin.outcome import Outcome
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.wire.exchange import Exchange

URL = "http://127.0.0.1:4000"
CHECK = Check("API-A-001", "title", MUST, SPEND, (), ("smoke",), "openai:x")
TOO_MANY = Exchange(
    "POST", f"{URL}/v1/chat/completions", (), b"", status=429, headers=(("Retry-After", "2"),)
)
WELL = replace(TOO_MANY, status=200, headers=())
GOT = "expected 200 from http://127.0.0.1:4000/v1/chat/completions, got 429: slower"


def failed(*problems: str, alarm: str = "") -> Outcome:
    return Outcome(Verdict.FAILED, "\n".join(problems), "gateway", problems=problems, alarm=alarm)


def test_it_is_one_cause_and_nobody_is_blamed() -> None:
    found = unless_limited(failed(GOT), [WELL, TOO_MANY], URL, CHECK)
    assert (found.verdict, found.message, found.blame) == (Verdict.INCONCLUSIVE, LIMITED, "")
    assert "1 of 2 requests; Retry-After: 2" in found.detail
    assert GOT in found.detail
    assert "policy.requests_per_second" in found.message


@pytest.mark.parametrize(
    ("outcome", "exchanges", "check"),
    [
        (failed(GOT), [WELL], CHECK),  # it says so, and was not refused
        (failed(GOT), [replace(TOO_MANY, url="http://127.0.0.2:11434/api/chat")], CHECK),
        (failed("expected a list, got none"), [TOO_MANY], CHECK),
        (failed(GOT, "expected a list, got none"), [TOO_MANY], CHECK),
        (failed(GOT, alarm="anybody gets in"), [TOO_MANY], CHECK),
        (replace(failed(GOT), blame="backend: by status: 429 from llm-01 itself"), [TOO_MANY], CHECK),
        (failed(GOT), [TOO_MANY], replace(CHECK, spec="bounds.concurrency")),
        (failed(GOT), [TOO_MANY], replace(CHECK, effect=DISRUPT)),
        (Outcome(Verdict.PASSED), [TOO_MANY], CHECK),
        (Outcome(Verdict.UNTESTABLE, "got 429"), [TOO_MANY], CHECK),
    ],
)
def test_nothing_else_is_excused(outcome: Outcome, exchanges: list[Exchange], check: Check) -> None:
    assert unless_limited(outcome, exchanges, URL, check) == outcome


VACUOUS = Outcome(Verdict.UNTESTABLE, "Untestable: nothing judged: no answer")


STREAMED = Outcome(
    Verdict.UNTESTABLE, "Untestable: the tools stream was answered with 429; see API-STREAM-002"
)


@pytest.mark.parametrize("outcome", [VACUOUS, STREAMED])
def test_nothing_was_judged_for_the_same_cause(outcome: Outcome) -> None:
    found = unless_all_limited(outcome, [replace(WELL, status=503), TOO_MANY], URL)
    assert (found.verdict, found.message) == (Verdict.INCONCLUSIVE, LIMITED)
    assert "1 of 2 requests; Retry-After: 2" in found.detail


@pytest.mark.parametrize(
    ("outcome", "exchanges"),
    [
        (VACUOUS, []),
        (STREAMED, [replace(WELL, status=503)]),
        (VACUOUS, [replace(TOO_MANY, url="http://127.0.0.2:11434/api/chat")]),
        (VACUOUS, [replace(WELL, status=404), TOO_MANY]),
        (Outcome(Verdict.UNTESTABLE, "Untestable: got 429"), [TOO_MANY]),
        (Outcome(Verdict.PASSED), [TOO_MANY]),
    ],
)
def test_nothing_was_judged_for_another_cause(outcome: Outcome, exchanges: list[Exchange]) -> None:
    assert unless_all_limited(outcome, exchanges, URL) is outcome


SERVED = "GET /routes: expected a refusal (401, 403, 404 or 405), got 400: no database"


def test_what_was_not_looked_at_is_told_apart_from_what_is_wrong() -> None:
    both = beside_limited(failed(SERVED, GOT), [WELL, TOO_MANY], URL, CHECK)
    assert both is not None
    assert (both[0].verdict, both[0].problems, both[0].message) == (Verdict.FAILED, (SERVED,), SERVED)
    assert (both[1].verdict, both[1].message) == (Verdict.INCONCLUSIVE, LIMITED)


@pytest.mark.parametrize(
    ("outcome", "exchanges", "check"),
    [
        (failed(SERVED), [TOO_MANY], CHECK),
        (failed(GOT), [TOO_MANY], CHECK),
        (failed(SERVED, GOT), [WELL], CHECK),
        (failed(SERVED, GOT, alarm="anybody gets in"), [TOO_MANY], CHECK),
        (failed(SERVED, GOT), [TOO_MANY], replace(CHECK, effect=DISRUPT)),
    ],
)
def test_there_are_not_both(outcome: Outcome, exchanges: list[Exchange], check: Check) -> None:
    assert beside_limited(outcome, exchanges, URL, check) is None
