"""Which answers are a subject: something of the target's that a rule can be held against."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.rule import media_type

BODILESS = ("HEAD", "OPTIONS", "TRACE", "DELETE")
"""Methods whose answers may rightly have no body."""
WITHOUT_A_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED)


def is_subject(exchange: Exchange) -> bool:
    """Whether an answer says anything. None came, it is the server's own failure (5xx), it is a success
    without a body where one belongs, or a stream without an event: then it does not."""
    if exchange.status is None or exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    if exchange.status >= HTTPStatus.BAD_REQUEST or exchange.status in WITHOUT_A_BODY:
        return True
    if exchange.method in BODILESS or exchange.status >= HTTPStatus.MULTIPLE_CHOICES:
        return True
    if media_type(exchange.headers) == "text/event-stream":
        return any(
            line.startswith(b"data:") and line[5:].strip() not in (b"", b"[DONE]")
            for line in exchange.body.splitlines()
        )
    return bool(exchange.body.strip())


def answers_among(exchanges: Iterable[Exchange]) -> int:
    """How many of them are subjects."""
    return sum(1 for exchange in exchanges if is_subject(exchange))
