"""A rate limit is no defect: a case that fails because of a 429 is inconclusive, for one cause in all."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_acceptance.check import Check, Effect
from gateway_acceptance.plugin.outcome import Outcome
from gateway_acceptance.subjects import NOTHING
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.wire.breaker import IN_MID_RUN
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.subject import answers_among

TOO_MANY = 429
BACKEND = "backend"
"""How the blame of a backend begins (``plugin/blame.py``)."""
PROMISED = "bounds.concurrency"
"""The source of checks that send as many requests at once as the environment declares."""
LIMITED = (
    "the gateway refused requests of this run as too many (429): its limit for this key is lower than the "
    "run's pace; set policy.requests_per_second and policy.concurrency to what it allows, or raise the limit"
)


def unless_limited(outcome: Outcome, exchanges: Sequence[Exchange], url: str, check: Check) -> Outcome:
    """The same outcome, or INCONCLUSIVE where all that a case failed for is a request that the gateway
    refused as one too many (RFC 6585 section 4): what it says to that request at another time nobody knows.

    url: the gateway's. Where the backend itself refuses, that stands. A check that holds the gateway to
    declared numbers of requests at once, or takes its backends away, judges such refusals itself; an alarm
    stays one.
    """
    itself = PROMISED in check.spec or check.effect is Effect.DISRUPT
    if outcome.verdict is not Verdict.FAILED or outcome.alarm or itself or outcome.blame.startswith(BACKEND):
        return outcome
    limited = [one for one in exchanges if one.status == TOO_MANY and one.url.startswith(url)]
    problems = outcome.problems or (outcome.message,)
    if outcome.message.startswith(
        IN_MID_RUN
    ):  # everything is refused: that is the gateway's state, and named
        return outcome
    if not limited or not all(str(TOO_MANY) in problem for problem in problems):
        return outcome
    return _limited(outcome, limited, exchanges)


def unless_all_limited(outcome: Outcome, exchanges: Sequence[Exchange], url: str) -> Outcome:
    """The same outcome, or INCONCLUSIVE where a case had nothing to judge because the gateway (url) refused
    what it asked as one too many: the same cause."""
    vacuous = outcome.verdict is Verdict.UNTESTABLE and NOTHING in outcome.message
    limited = [one for one in exchanges if one.status == TOO_MANY and one.url.startswith(url)]
    if not vacuous or not limited or answers_among(exchanges):
        return outcome
    return _limited(outcome, limited, exchanges)


def _limited(outcome: Outcome, limited: Sequence[Exchange], exchanges: Sequence[Exchange]) -> Outcome:
    waits = [later for one in limited if (later := one.header("retry-after"))]
    seen = f"{len(limited)} of {len(exchanges)} requests; Retry-After: {', '.join(waits) or 'none'}"
    detail = f"{seen}\n{outcome.message}\n{outcome.detail}".strip()
    return Outcome(Verdict.INCONCLUSIVE, LIMITED, detail=detail)
