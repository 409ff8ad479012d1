"""The one place that sends: budget before, deadline during, evidence after. No retries, no redirects."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx

from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire.exchange import Exchange, Headers, Notebook

LARGEST_BODY = 16 * 1024 * 1024
"""Bytes after which a body is cut off: a hostile target must not fill the machine."""

TOKENS_PER_CHARACTER = 0.4
DEFAULT_MAX_TOKENS = 256
"""What is reserved for an answer whose request sets no limit."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Seconds: to connect, and for the whole exchange up to the last byte."""

    connect_s: float
    total_s: float


class Sender:
    """Sends requests of one environment. budget: None for requests that are not the target's cost."""

    def __init__(self, notebook: Notebook, budget: Budget | None, deadline: Deadline) -> None:
        self._notebook, self._budget, self.deadline = notebook, budget, deadline
        context = ssl.create_default_context()
        self._client = httpx.Client(
            trust_env=False, follow_redirects=False, verify=context, headers={"accept-encoding": "identity"}
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        tokens: int = 0,
        deadline: Deadline | None = None,
        served_by: Callable[[Exchange], str] | None = None,
    ) -> Exchange:
        """One exchange, noted as evidence.

        tokens: the most that the request may cost, reserved before and settled by the reported usage.
        Raises NotPermitted before sending when over budget; NoAnswer where no HTTP answer came whole.
        """
        limit = deadline or self.deadline
        if self._budget is not None:
            self._budget.reserve(tokens)
        exchange = self._exchange(method, url, headers, body, limit)
        if served_by is not None:
            exchange = replace(exchange, served_by=served_by(exchange))
        self._notebook.exchanges.append(exchange)
        if self._budget is not None and tokens:
            self._budget.settle(tokens, tokens_reported(exchange, tokens))
        if exchange.error:
            raise NoAnswer(f"{method} {url}: {exchange.error}", blame="")
        return exchange

    def _exchange(self, method: str, url: str, headers: Headers, body: bytes, limit: Deadline) -> Exchange:
        begun = time.monotonic()
        asked = Exchange(method, url, tuple(headers), body)
        status: int | None = None
        received: Headers = ()
        chunks: list[tuple[float, bytes]] = []
        error = ""
        try:
            timeout = httpx.Timeout(limit.total_s, connect=limit.connect_s)
            request = self._client.build_request(
                method, url, headers=list(headers), content=body or None, timeout=timeout
            )
            response = self._client.send(request, stream=True)
            try:
                status = response.status_code
                received = tuple(response.headers.multi_items())
                error = _read(response, chunks, begun, limit)
            finally:
                response.close()
        except httpx.TransportError as failure:
            error = in_words(failure, limit)
        return replace(
            asked,
            status=status,
            headers=received,
            chunks=tuple(chunks),
            elapsed_s=time.monotonic() - begun,
            first_byte_s=chunks[0][0] if chunks else None,
            error=error,
        )


def _read(response: httpx.Response, chunks: list[tuple[float, bytes]], begun: float, limit: Deadline) -> str:
    """Fill ``chunks``; returns what broke, or nothing."""
    size = 0
    for data in response.iter_raw():
        at = time.monotonic() - begun
        chunks.append((at, data))
        size += len(data)
        if at > limit.total_s:
            return f"the answer was not complete within {limit.total_s:g} s"
        if size > LARGEST_BODY:
            return f"the answer is larger than {LARGEST_BODY} bytes"
    return ""


def in_words(failure: Exception, limit: Deadline) -> str:
    """A transport failure as an operator would say it."""
    detail = str(failure).strip()
    if isinstance(failure, httpx.ConnectTimeout):
        return f"no connection within {limit.connect_s:g} s"
    if isinstance(failure, httpx.ConnectError):
        return "connection refused" if "refused" in detail.lower() else f"no connection: {detail}"
    if isinstance(failure, httpx.TimeoutException):
        return f"no answer within {limit.total_s:g} s"
    if isinstance(failure, httpx.RemoteProtocolError):
        return f"the connection broke or the answer is not HTTP: {detail}"
    return f"the connection broke: {detail or type(failure).__name__}"


def tokens_reported(exchange: Exchange, reserved: int) -> int:
    """``usage.total_tokens`` of a JSON answer; 0 for a refusal; the reservation where nothing is told."""
    if exchange.status is not None and exchange.status >= 400:
        return 0
    try:
        usage = json.loads(exchange.body)["usage"]
        return int(usage["total_tokens"])
    except (ValueError, KeyError, TypeError):
        return reserved


def tokens_needed(text: str, max_tokens: int | None, answers: int = 1) -> int:
    """An upper estimate for a request: its text, and the answers that it may bring."""
    answer = DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens
    return int(len(text) * TOKENS_PER_CHARACTER) + 1 + answer * answers
