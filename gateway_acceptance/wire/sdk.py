"""The official SDK, as an application uses it, made honest: strict validation, no retries, one deadline.

By default the SDK *constructs* answers without validating (``{}`` passes as a completion) and retries twice;
both hide faults. It is built on httpx2, so it brings its own transport; budget and evidence are kept there.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import httpx2
import openai

from gateway_acceptance.environment import Environment, product_of
from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.policy import Budget
from gateway_acceptance.wire.attribution import served_by
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.sender import IDLE_S, tokens_needed, tokens_reported

Got = TypeVar("Got")


class AsyncSdk(Protocol):
    """Runs what an asynchronous application does: ``async_sdk(lambda client: client.models.list())``."""

    def __call__(self, use: Callable[[openai.AsyncOpenAI], Awaitable[Got]]) -> Got:
        """Call with a fresh client, in an event loop of its own; both end with it."""


def sdk_client(environment: Environment, key: str, notebook: Notebook, budget: Budget) -> openai.OpenAI:
    """The official client for an environment's gateway. Close it after use."""
    timeout = _timeout(environment)
    transport = _NotingTransport(_Ledger(environment, notebook, budget))
    return openai.OpenAI(
        api_key=key,
        base_url=environment.gateway.url + "/v1",
        max_retries=0,
        timeout=timeout,
        http_client=httpx2.Client(
            transport=transport, timeout=timeout, trust_env=False, follow_redirects=False
        ),
        _strict_response_validation=True,
    )


def async_sdk_client(
    environment: Environment, key: str, notebook: Notebook, budget: Budget
) -> openai.AsyncOpenAI:
    """The official asynchronous client, as honest as ``sdk_client``. It belongs to the event loop that it is
    first used in; close it there."""
    timeout = _timeout(environment)
    transport = _AsyncNotingTransport(_Ledger(environment, notebook, budget))
    return openai.AsyncOpenAI(
        api_key=key,
        base_url=environment.gateway.url + "/v1",
        max_retries=0,
        timeout=timeout,
        http_client=httpx2.AsyncClient(
            transport=transport, timeout=timeout, trust_env=False, follow_redirects=False
        ),
        _strict_response_validation=True,
    )


def _timeout(environment: Environment) -> httpx2.Timeout:
    gateway = environment.gateway
    return httpx2.Timeout(gateway.request_deadline_s, connect=gateway.connect_deadline_s)


@dataclass(slots=True)
class _Entry:
    """One exchange while it happens. reserved: tokens; begun: on the monotonic clock."""

    asked: Exchange
    reserved: int
    begun: float
    response: httpx2.Response | None = None
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    closed: bool = False

    def read(self, data: bytes) -> None:
        """Keep bytes with the time of their arrival."""
        self.chunks.append((time.monotonic() - self.begun, data))


class _Ledger:
    """Reserves the budget before sending, and notes each exchange when its body has been read."""

    def __init__(self, environment: Environment, notebook: Notebook, budget: Budget) -> None:
        self._environment, self._notebook, self._budget = environment, notebook, budget
        self._header = product_of(environment.gateway).served_by

    def open(self, request: httpx2.Request, body: bytes) -> _Entry:
        """Before sending. Raises NotPermitted."""
        self._place_key(request)
        reserved = tokens_needed(body.decode("utf-8", errors="replace"), None) if body else 0
        headers = tuple(request.headers.multi_items())
        self._notebook.key_places.check(str(request.url), headers, body)
        self._budget.reserve(reserved)
        asked = Exchange(request.method, str(request.url), headers, body, sent_at=time.time())
        return _Entry(asked, reserved, time.monotonic())

    def _place_key(self, request: httpx2.Request) -> None:
        """Into the header that the environment declares: the SDK knows the bearer token only."""
        name = self._environment.gateway.key_header
        if name != BEARER_HEADER:
            request.headers[name] = request.headers.pop(BEARER_HEADER, "").removeprefix("Bearer ")

    def close(self, entry: _Entry, error: str = "") -> None:
        """After the body was read, or the connection broke; at most once."""
        if entry.closed:
            return
        entry.closed = True
        response = entry.response
        exchange = replace(
            entry.asked,
            status=response.status_code if response else None,
            headers=tuple(response.headers.multi_items()) if response else (),
            chunks=tuple(entry.chunks),
            elapsed_s=time.monotonic() - entry.begun,
            first_byte_s=entry.chunks[0][0] if entry.chunks else None,
            error=error,
        )
        who = served_by(exchange, self._header, self._environment.backends)
        if entry.reserved:
            self._budget.settle(entry.reserved, tokens_reported(exchange, entry.reserved))
        self._notebook.exchanges.append(replace(exchange, served_by=who))


class _NotingTransport(httpx2.BaseTransport):
    def __init__(self, ledger: _Ledger) -> None:
        self._ledger = ledger
        self._inner = httpx2.HTTPTransport(retries=0, limits=httpx2.Limits(keepalive_expiry=IDLE_S))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        entry = self._ledger.open(request, request.read())
        try:
            response = self._inner.handle_request(request)
        except httpx2.TransportError as failure:
            self._ledger.close(entry, str(failure) or type(failure).__name__)
            raise
        entry.response = response
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _NotedStream(response.stream, entry, self._ledger)
        return response

    def close(self) -> None:
        self._inner.close()


class _AsyncNotingTransport(httpx2.AsyncBaseTransport):
    def __init__(self, ledger: _Ledger) -> None:
        self._ledger = ledger
        self._inner = httpx2.AsyncHTTPTransport(retries=0, limits=httpx2.Limits(keepalive_expiry=IDLE_S))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        entry = self._ledger.open(request, await request.aread())
        try:
            response = await self._inner.handle_async_request(request)
        except httpx2.TransportError as failure:
            self._ledger.close(entry, str(failure) or type(failure).__name__)
            raise
        entry.response = response
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _AsyncNotedStream(response.stream, entry, self._ledger)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _NotedStream(httpx2.SyncByteStream):
    """Passes the bytes on, keeps them with their times, and tells when it is closed."""

    def __init__(self, inner: httpx2.SyncByteStream, entry: _Entry, ledger: _Ledger) -> None:
        self._inner, self._entry, self._ledger = inner, entry, ledger

    def __iter__(self) -> Iterator[bytes]:
        for data in self._inner:
            self._entry.read(data)
            yield data

    def close(self) -> None:
        self._inner.close()
        self._ledger.close(self._entry)


class _AsyncNotedStream(httpx2.AsyncByteStream):
    """As ``_NotedStream``, in an event loop."""

    def __init__(self, inner: httpx2.AsyncByteStream, entry: _Entry, ledger: _Ledger) -> None:
        self._inner, self._entry, self._ledger = inner, entry, ledger

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._inner:
            self._entry.read(data)
            yield data

    async def aclose(self) -> None:
        await self._inner.aclose()
        self._ledger.close(self._entry)
