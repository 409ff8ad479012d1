"""A rate limit is no defect: a case that fails because of a 429 is inconclusive, for one cause in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway_acceptance.check import Check, Effect
from gateway_acceptance.plugin.outcome import Outcome
from gateway_acceptance.subjects import NOTHING
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.wire.breaker import IN_MID_RUN
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.failures import LEFT_OUT
from gateway_acceptance.wire.subject import answers_among

TOO_MANY = 429
BACKEND = "backend"
"""How the blame of a backend begins (``plugin/blame.py``)."""
PROMISED = "bounds.concurrency"
"""The source of checks that send as many requests at once as the environment declares."""
LIMITED = (
    "the gateway refused requests of this run as too many (429): its limit for this key, or for strangers, "
    "is lower than the run's pace; set policy.requests_per_second and policy.concurrency to what it allows, "
    "or raise the limit"
)

COOLED = (
    "the gateway's router had left the model out for a moment (429), because a request to the server behind "
    "it had failed shortly before: look into the gateway's log which one"
)
"""The same of LiteLLM's cooldown, which is no limit of anybody."""


def unless_limited(outcome: Outcome, exchanges: Sequence[Exchange], url: str, check: Check) -> Outcome:
    """The same outcome, or INCONCLUSIVE where all that a case failed for is a request that the gateway
    refused as one too many (RFC 6585 section 4): what it says to that request at another time nobody knows.

    url: the gateway's. Where the backend itself refuses, that stands. A check that holds the gateway to
    declared numbers of requests at once, or takes its backends away, judges such refusals itself; an alarm
    stays one.
    """
    limited = _refused(exchanges, url)
    if not limited or not _excusable(outcome, check):
        return outcome
    if not all(str(TOO_MANY) in problem for problem in outcome.problems or (outcome.message,)):
        return outcome
    return _limited(outcome, limited, exchanges)


def beside_limited(
    outcome: Outcome, exchanges: Sequence[Exchange], url: str, check: Check
) -> tuple[Outcome, Outcome] | None:
    """Of a failure for requests that were one too many, and for others: the others alone, and what it is
    where somebody accepts those, INCONCLUSIVE. None where it is not of both kinds."""
    limited = _refused(exchanges, url)
    others = tuple(problem for problem in outcome.problems if str(TOO_MANY) not in problem)
    if not limited or not _excusable(outcome, check) or len(others) in (0, len(outcome.problems)):
        return None
    alone = replace(outcome, message="\n".join(others), problems=others)
    return alone, _limited(outcome, limited, exchanges)


def unless_all_limited(outcome: Outcome, exchanges: Sequence[Exchange], url: str) -> Outcome:
    """The same outcome, or INCONCLUSIVE where a case had nothing to judge, or says that it was refused with
    429, because the gateway (url) refused what it asked as one too many: the same cause."""
    vacuous = outcome.verdict is Verdict.UNTESTABLE and any(
        words in outcome.message for words in (NOTHING, f"answered with {TOO_MANY}")
    )
    limited = _refused(exchanges, url)
    if not vacuous or not limited or answers_among(exchanges):
        return outcome
    return _limited(outcome, limited, exchanges)


def _refused(exchanges: Sequence[Exchange], url: str) -> list[Exchange]:
    return [one for one in exchanges if one.status == TOO_MANY and one.url.startswith(url)]


def _excusable(outcome: Outcome, check: Check) -> bool:
    """Whether a limit may be all that a failure shows. Where everything is refused, that is the gateway's
    state, and named."""
    itself = PROMISED in check.spec or check.effect is Effect.DISRUPT
    spoken = outcome.alarm or outcome.message.startswith(IN_MID_RUN) or outcome.blame.startswith(BACKEND)
    return outcome.verdict is Verdict.FAILED and not itself and not spoken


def _limited(outcome: Outcome, limited: Sequence[Exchange], exchanges: Sequence[Exchange]) -> Outcome:
    waits = [later for one in limited if (later := one.header("retry-after"))]
    seen = f"{len(limited)} of {len(exchanges)} requests; Retry-After: {', '.join(waits) or 'none'}"
    detail = f"{seen}\n{outcome.message}\n{outcome.detail}".strip()
    left_out = all(LEFT_OUT in one.text for one in limited)
    return Outcome(Verdict.INCONCLUSIVE, COOLED if left_out else LIMITED, detail=detail)
