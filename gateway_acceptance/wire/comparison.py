"""The same question through the gateway and to the backend itself: which of status, time and text decides."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from gateway_acceptance.environment.model import Bounds
from gateway_acceptance.wire.exchange import Exchange

SHOWN = 160
"""Characters of a body that a sentence quotes."""
SHARE = 0.5
"""Of the time through the gateway, what the backend alone must take to be what was slow."""

TIMED_OUT = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT)
"""How a gateway says that it waited too long for somebody else; LiteLLM answers 408."""

BACKEND, GATEWAY, EITHER = "backend", "gateway", "gateway, or the model"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a backend answered when it was asked itself. text: what it said, None where the question was not
    one for text."""

    name: str
    exchange: Exchange
    text: str | None = None


def by_status(through: Exchange, asked: Asked) -> str:
    """Who is to blame, and the sentence, where the statuses decide; empty where both are 200."""
    own = asked.exchange.status
    if own != HTTPStatus.OK:
        said = asked.exchange.text[:SHOWN]
        return f"{BACKEND}: by status: {asked.name} itself answers {own}: {said}"
    if through.status == HTTPStatus.OK or through.error:
        return ""
    return f"{GATEWAY}: by status: {through.status} through the gateway, {own} from {asked.name} itself"


def is_late(through: Exchange, bounds: Bounds) -> bool:
    """Whether time is what went wrong: the answer was given up, or is beyond what the deployment promises."""
    first = through.first_byte_s or 0.0
    return bool(through.error) or through.elapsed_s > bounds.answer_s or first > bounds.first_token_s


def gave_up(through: Exchange, bounds: Bounds) -> bool:
    """Whether a refusal tells of waiting: it says so, or a failure came as late as an answer may not."""
    status = through.status or 0
    failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return status in TIMED_OUT or (failed and is_late(through, bounds))


def by_time(through: Exchange, asked: Asked, after: str = "") -> str:
    """Who is to blame, and the sentence, where time decides. after: under which circumstances the backend was
    asked."""
    took, own = through.elapsed_s, asked.exchange.elapsed_s
    slow = own >= SHARE * took
    seen = f"{own:.1f} s from {asked.name} itself{after}, {took:.1f} s through the gateway"
    return f"{BACKEND if slow else GATEWAY}: by time: {seen}"


def by_text(through_text: str | None, asked: Asked) -> str:
    """Who is to blame, and the sentence, where only the bodies are left to decide."""
    if asked.text is None:
        return f"{GATEWAY}: by body: {asked.name} is reachable, holds the model and answers"
    said = repr(asked.text[:80])
    if through_text is not None and through_text.strip() == asked.text.strip():
        return (
            f"{EITHER}: by body: {asked.name} itself says the same, {said}; where the text is what is wrong, "
            "it is the model's"
        )
    return f"{GATEWAY}: by body: {asked.name} itself answers the same question with {said}"
