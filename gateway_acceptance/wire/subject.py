"""Which answers are a subject: something of the target's that a rule can be held against."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.rule import media_type

BODILESS = ("HEAD", "OPTIONS", "TRACE", "DELETE")
"""Methods whose answers may rightly have no body."""
ALL_HAVE = ("GET", "HEAD", "POST")
"""Of any other method, 501 is the answer of a server that does not know it (RFC 9110 section 15.6.2)."""
OF_MODELS = ("/chat/completions", "/completions", "/embeddings", "/responses")
SAID = ("content", "reasoning_content", "reasoning", "tool_calls", "function_call", "refusal", "audio")
"""Where a message says something."""
WITHOUT_A_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED)


def is_subject(exchange: Exchange) -> bool:
    """Whether an answer says anything. None came, it is the server's own failure (5xx) or one too many (429),
    it is a success without a body where one belongs, of a model without an answer in it, or a stream without
    an event: then it does not."""
    if exchange.status == HTTPStatus.NOT_IMPLEMENTED and exchange.method not in ALL_HAVE:
        return True
    if exchange.status is None or exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    if exchange.status == HTTPStatus.TOO_MANY_REQUESTS:
        return False  # what was asked was not looked at, whoever asked
    if exchange.status >= HTTPStatus.BAD_REQUEST or exchange.status in WITHOUT_A_BODY:
        return True
    if exchange.method in BODILESS or exchange.status >= HTTPStatus.MULTIPLE_CHOICES:
        return True
    if media_type(exchange.headers) == "text/event-stream":
        return any(
            line.startswith(b"data:") and line[5:].strip() not in (b"", b"[DONE]")
            for line in exchange.body.splitlines()
        )
    return bool(exchange.body.strip()) and not answers_nothing(exchange)


def answers_nothing(exchange: Exchange) -> bool:
    """Whether it is a model's answer in JSON, and a success, that has none in it: no choice with a message or
    a text, no vector with a number, no output; nor a word where no token is counted."""
    if exchange.status != HTTPStatus.OK or not _asks_a_model(exchange):
        return False
    if media_type(exchange.headers) != "application/json":
        return False
    try:
        body = json.loads(exchange.body)
    except (ValueError, RecursionError):
        return False  # no JSON at all is a finding
    if not isinstance(body, dict):
        return True
    entries = [body.get(name) for name in ("choices", "data", "output")]
    listed = [one for some in entries if isinstance(some, list) for one in some if isinstance(one, dict)]
    usage = body.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    spent = bool(counts.get("completion_tokens") or counts.get("output_tokens"))
    return not any(_says(one, spent=spent) for one in listed)


def _asks_a_model(exchange: Exchange) -> bool:
    return exchange.method == "POST" and exchange.url.partition("?")[0].endswith(OF_MODELS)


def _says(entry: Mapping[str, Any], *, spent: bool) -> bool:
    """Whether an entry of an answer holds anything. spent: whether tokens are counted: what they were may not
    be told."""
    message = entry.get("message")
    if isinstance(message, dict):
        return spent or any(message.get(name) for name in SAID)
    if isinstance(entry.get("text"), str):
        return spent or bool(entry["text"])
    return any(entry.get(name) for name in ("embedding", "content", "summary", "arguments"))


def answers_among(exchanges: Iterable[Exchange]) -> int:
    """How many of them are subjects."""
    return sum(1 for exchange in exchanges if is_subject(exchange))
