"""The official SDK, as an application uses it, made honest: strict validation, no retries, one deadline.

By default the SDK *constructs* answers without validating (``{}`` passes as a completion) and retries twice;
both hide faults. It is built on httpx2, so it brings its own transport; budget and evidence are kept there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx2
import openai

from gateway_acceptance.environment import Environment, product_of
from gateway_acceptance.policy import Budget
from gateway_acceptance.wire.attribution import served_by
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.sender import tokens_needed, tokens_reported


def sdk_client(environment: Environment, key: str, notebook: Notebook, budget: Budget) -> openai.OpenAI:
    """The official client for an environment's gateway. Close it after use."""
    gateway = environment.gateway
    timeout = httpx2.Timeout(gateway.request_deadline_s, connect=gateway.connect_deadline_s)
    transport = _NotingTransport(environment, notebook, budget)
    return openai.OpenAI(
        api_key=key,
        base_url=gateway.url + "/v1",
        max_retries=0,
        timeout=timeout,
        http_client=httpx2.Client(
            transport=transport, timeout=timeout, trust_env=False, follow_redirects=False
        ),
        _strict_response_validation=True,
    )


class _NotingTransport(httpx2.BaseTransport):
    """Reserves the budget before sending, and notes each exchange when its body has been read."""

    def __init__(self, environment: Environment, notebook: Notebook, budget: Budget) -> None:
        self._environment, self._notebook, self._budget = environment, notebook, budget
        self._header = product_of(environment.gateway).served_by
        self._inner = httpx2.HTTPTransport(retries=0)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        body = request.read()
        reserved = tokens_needed(body.decode("utf-8", errors="replace"), None) if body else 0
        self._budget.reserve(reserved)
        begun = time.monotonic()
        asked = Exchange(request.method, str(request.url), tuple(request.headers.multi_items()), body)
        try:
            response = self._inner.handle_request(request)
        except httpx2.TransportError as failure:
            self._note(asked, reserved, begun, None, [], str(failure) or type(failure).__name__)
            raise
        chunks: list[tuple[float, bytes]] = []
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _NotedStream(
            response.stream, begun, chunks, lambda: self._note(asked, reserved, begun, response, chunks, "")
        )
        return response

    def close(self) -> None:
        self._inner.close()

    def _note(
        self,
        asked: Exchange,
        reserved: int,
        begun: float,
        response: httpx2.Response | None,
        chunks: list[tuple[float, bytes]],
        error: str,
    ) -> None:
        exchange = replace(
            asked,
            status=response.status_code if response else None,
            headers=tuple(response.headers.multi_items()) if response else (),
            chunks=tuple(chunks),
            elapsed_s=time.monotonic() - begun,
            first_byte_s=chunks[0][0] if chunks else None,
            error=error,
        )
        who = served_by(exchange, self._header, self._environment.backends)
        if reserved:
            self._budget.settle(reserved, tokens_reported(exchange, reserved))
        self._notebook.exchanges.append(replace(exchange, served_by=who))


class _NotedStream(httpx2.SyncByteStream):
    """Passes the bytes on, keeps them with their times, and tells when it is closed."""

    def __init__(
        self,
        inner: httpx2.SyncByteStream,
        begun: float,
        chunks: list[tuple[float, bytes]],
        done: Callable[[], None],
    ) -> None:
        self._inner, self._begun, self._chunks, self._done = inner, begun, chunks, done
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        for data in self._inner:
            self._chunks.append((time.monotonic() - self._begun, data))
            yield data

    def close(self) -> None:
        self._inner.close()
        if not self._closed:
            self._closed = True
            self._done()
