"""Pure rules of API-OPS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.rule import media_type

TRIES = 3
AT_ONCE_S = 1.0
"""Between two requests: half of what an idle connection is kept for here."""
LONGEST_WORD = 64
"""Characters of a status that is told as plain text; more is a page."""


def reported_status(answer: Exchange) -> object:
    """What the answer of a health route says: ``status`` of its JSON object, or its plain text; None where it
    says nothing, in an object without a status, or in no body at all. Raises CheckFailed for what is neither
    JSON nor a word."""
    if not answer.body.strip():
        return None
    if media_type(answer.headers) == "text/plain" and len(answer.text.strip()) <= LONGEST_WORD:
        text = answer.text.strip()
        if not text.startswith(("{", "[", '"')):
            return text
    body = answer.json()
    return body.get("status") if isinstance(body, dict) else None


def late_twice(bound: float, seen: Sequence[float], ask: Callable[[], float]) -> list[float]:
    """Seconds of each answer, asked again up to three times in all, until it is plain whether two are beyond
    the bound. seen: of those that came already; ask: gives the seconds of one more."""
    took = list(seen)
    while len(took) < TRIES and sum(one > bound for one in took) == 1:
        took.append(ask())
    return took


def announces_end(answer: Exchange) -> bool:
    """Whether an answer says that its connection ends: the option ``close`` (RFC 9112 section 9.6)."""
    options = (answer.header("connection") or "").lower().split(",")
    return "close" in {option.strip() for option in options}


def hung_up(first: Exchange, then: Exchange) -> bool:
    """Whether the server closed the connection of an answer and did not say so: the request that followed at
    once had to take another one. False where that cannot be told."""
    apart_s = then.sent_at - first.sent_at - first.elapsed_s
    unknown = 0 in (first.connection, then.connection)
    if unknown or announces_end(first) or not 0 <= apart_s < AT_ONCE_S:
        return False
    return first.connection != then.connection or then.dropped
