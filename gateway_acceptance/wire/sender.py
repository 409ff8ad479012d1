"""The one place that sends: budget before, deadline during, evidence after. No retries, no redirects."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx

from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire.exchange import Exchange, Headers, Notebook
from gateway_acceptance.wire.raw import RawRequest, exchanged

LARGEST_BODY = 16 * 1024 * 1024
"""Bytes after which a body is cut off: a hostile target must not fill the machine."""

IDLE_S = 2.0
"""An idle connection is used again for so long and no longer. Servers may close one, and many do after 5 s
(uvicorn, under LiteLLM): who sends just then gets no answer, and it is nobody's fault."""

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
            trust_env=False,
            follow_redirects=False,
            verify=context,
            headers={"accept-encoding": "identity"},
            limits=httpx.Limits(keepalive_expiry=IDLE_S),
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
        with self.open(
            method, url, headers=headers, body=body, tokens=tokens, deadline=deadline, served_by=served_by
        ) as live:
            for _ in live.chunks():
                pass
        exchange = live.exchange()
        if exchange.error:
            raise NoAnswer(f"{method} {url}: {exchange.error}")
        return exchange

    def send_raw(self, url: str, asked: RawRequest, *, tokens: int = 0) -> Exchange:
        """One request as it is written (``wire.raw``) to the server of a URL, noted as evidence.

        tokens: as of ``send``. Raises NotPermitted before sending when over budget. That no answer came is
        told by the exchange's ``error``: to close the connection is a way to refuse.
        """
        self._notebook.key_places.check(url, asked.headers, asked.body, asked.target)
        if self._budget is not None:
            self._budget.reserve(tokens)
        exchange = exchanged(url, asked, self.deadline.connect_s, self.deadline.total_s)
        self._notebook.exchanges.append(exchange)
        if self._budget is not None and tokens:
            self._budget.settle(tokens, tokens_reported(exchange, tokens))
        return exchange

    @contextmanager
    def open(
        self,
        method: str,
        url: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        tokens: int = 0,
        deadline: Deadline | None = None,
        served_by: Callable[[Exchange], str] | None = None,
    ) -> Iterator[LiveAnswer]:
        """An exchange whose body is read as it arrives; leaving the block before its end disconnects.

        Parameters as of ``send``. It is noted as evidence when the block is left, as far as it was read.
        Raises NotPermitted before sending; what breaks later is told by ``LiveAnswer.error``.
        """
        limit = deadline or self.deadline
        self._notebook.key_places.check(url, headers, body)
        if self._budget is not None:
            self._budget.reserve(tokens)
        live = LiveAnswer(self._client, method, url, headers, body, limit)
        try:
            yield live
        finally:
            live.close()
            if served_by is not None:
                live.served_by = served_by(live.exchange())
            exchange = live.exchange()
            self._notebook.exchanges.append(exchange)
            if self._budget is not None and tokens:
                self._budget.settle(tokens, tokens_reported(exchange, tokens))


class LiveAnswer:
    """An answer while it arrives. status: None where none came; error: what broke, in words, or empty."""

    def __init__(
        self, client: httpx.Client, method: str, url: str, headers: Headers, body: bytes, limit: Deadline
    ) -> None:
        self._asked = Exchange(method, url, tuple(headers), body, sent_at=time.time())
        self._limit, self._begun = limit, time.monotonic()
        self._read: list[tuple[float, bytes]] = []
        self._response: httpx.Response | None = None
        self._elapsed = 0.0
        self.error = ""
        self.served_by = ""
        timeout = httpx.Timeout(limit.total_s, connect=limit.connect_s)
        try:
            request = client.build_request(
                method, url, headers=list(headers), content=body or None, timeout=timeout
            )
            self._response = client.send(request, stream=True)
        except httpx.LocalProtocolError:
            raise  # what we were about to send is no HTTP: our mistake, not the target's
        except httpx.TransportError as failure:
            self.error = in_words(failure, limit)

    @property
    def status(self) -> int | None:
        """The HTTP status."""
        return self._response.status_code if self._response is not None else None

    def chunks(self) -> Iterator[tuple[float, bytes]]:
        """(seconds since sending, raw bytes) as they arrive, up to the end, the deadline or a break."""
        if self._response is None:
            return
        size = 0
        try:
            for data in self._response.iter_raw():
                at = time.monotonic() - self._begun
                self._read.append((at, data))
                yield at, data
                size += len(data)
                if at > self._limit.total_s:
                    self.error = f"the answer was not complete within {self._limit.total_s:g} s"
                    return
                if size > LARGEST_BODY:
                    self.error = f"the answer is larger than {LARGEST_BODY} bytes"
                    return
        except httpx.TransportError as failure:
            self.error = in_words(failure, self._limit)

    def close(self) -> None:
        """Disconnect, where the body was not read to its end."""
        self._elapsed = self._elapsed or time.monotonic() - self._begun
        if self._response is not None:
            self._response.close()

    def exchange(self) -> Exchange:
        """What was asked and what has arrived."""
        response = self._response
        return replace(
            self._asked,
            status=self.status,
            headers=tuple(response.headers.multi_items()) if response is not None else (),
            chunks=tuple(self._read),
            elapsed_s=self._elapsed or time.monotonic() - self._begun,
            first_byte_s=self._read[0][0] if self._read else None,
            error=self.error,
            served_by=self.served_by,
        )


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
        total = int(usage["total_tokens"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return reserved
    return total if total >= 0 else reserved  # nobody earns budget by what a gateway tells


def tokens_needed(text: str, max_tokens: int | None, answers: int = 1) -> int:
    """An upper estimate for a request: its text, and the answers that it may bring."""
    answer = DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens
    return int(len(text) * TOKENS_PER_CHARACTER) + 1 + answer * answers
