"""The sender of raw requests: budget before, deadline during, evidence after. No retries, no redirects.

What it promises is built below it, in ``transport`` and ``ledger``, where the official SDK passes as well.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway_acceptance.lazily import lazily
from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire.cookies import no_cookies
from gateway_acceptance.wire.deadline import Deadline
from gateway_acceptance.wire.exchange import LEFT, Exchange, Headers, Notebook
from gateway_acceptance.wire.ledger import Conduct, Entry, Ledger, Terms, free, tokens_needed, tokens_reported
from gateway_acceptance.wire.raw import RawRequest, exchanged

if TYPE_CHECKING:
    import httpx2

    from gateway_acceptance.wire import connections as below
    from gateway_acceptance.wire import transport
else:  # the annotations of checks lead here; a collection sends nothing
    httpx2, transport = lazily("httpx2"), lazily("gateway_acceptance.wire.transport")
    below = lazily("gateway_acceptance.wire.connections")

__all__ = ["Deadline", "LiveAnswer", "Sender", "tokens_needed", "tokens_reported"]


class Sender:
    """Sends requests of one environment. budget: None for requests that are not the target's cost; conduct:
    shared by all clients of an environment; connections: the transport below, httpcore2's where none is
    given; behind_refusals: whether a connection is used again after a request with a body was refused on it
    (else such a body, left unread, would be the beginning of what is asked next)."""

    def __init__(
        self,
        notebook: Notebook,
        budget: Budget | None,
        deadline: Deadline,
        *,
        conduct: Conduct | None = None,
        connections: httpx2.BaseTransport | None = None,
        behind_refusals: bool = False,
    ) -> None:
        self._notebook, self._budget, self.deadline = notebook, budget, deadline
        self.conduct = conduct or Conduct()
        self._ledger = Ledger(notebook, budget, self.conduct)
        inner = connections or below.Connections(self.conduct.route, behind_refusals=behind_refusals)
        fresh = None if connections else below.Connections(self.conduct.route, kept=0)
        self._client = httpx2.Client(
            transport=transport.LedgerTransport(self._ledger, inner, fresh=fresh),
            trust_env=False,
            follow_redirects=False,
            cookies=no_cookies(),
            headers={"accept-encoding": "identity"},
        )

    def another(self, *, behind_refusals: bool = False) -> Sender:
        """One with connections of its own, and all else the same. Close it."""
        return Sender(
            self._notebook,
            self._budget,
            self.deadline,
            conduct=self.conduct,
            behind_refusals=behind_refusals,
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

        tokens: the most that the request may cost, reserved before and raised where more is reported.
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
        terms = Terms(self.deadline, tokens)
        route = self.conduct.route
        asked = asked.with_headers(route.added(url))
        place = self._ledger.taken()
        try:
            self._ledger.admit(asked.exchange(url), terms, asked.target)
            allowance = self._ledger.allowance(url, terms)
            try:
                exchange = exchanged(url, asked, allowance, route)
            except BaseException:
                if allowance.left_off:
                    left = asked.exchange(url).answered(error=LEFT)
                    self._ledger.note(left, terms)
                raise
        finally:
            free(place)
        self._ledger.note(exchange, terms)
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
        terms = Terms(deadline or self.deadline, tokens, served_by)
        named = (
            [] if any(name.lower() == "user-agent" for name, _ in headers) else [("user-agent", self.agent)]
        )
        request = self._client.build_request(
            method,
            url,
            headers=[*named, *headers],
            content=body or None,
            timeout=transport.timeouts(terms.limit),
            extensions={transport.TERMS: terms},
        )
        live = LiveAnswer(self._client, request)
        try:
            yield live
        finally:
            live.close()

    @property
    def user(self) -> dict[str, str]:
        """What prompts say of who asks: the run's nonce, or nothing."""
        return {"user": self._notebook.nonce} if self._notebook.nonce else {}

    @property
    def agent(self) -> str:
        """The User-Agent of what is sent now."""
        return transport.product_token(self._notebook.agent)


class LiveAnswer:
    """An answer while it arrives. status: None where none came; error: what broke, in words, or empty."""

    def __init__(self, client: httpx2.Client, request: httpx2.Request) -> None:
        self._response: httpx2.Response | None = None
        try:
            self._response = client.send(request, stream=True)
        except httpx2.LocalProtocolError:
            raise  # what we were about to send is no HTTP: our mistake, not the target's
        except httpx2.TransportError:
            pass  # told by the entry, in words
        self._entry: Entry = request.extensions[transport.ENTRY]

    @property
    def status(self) -> int | None:
        """The HTTP status."""
        return self._response.status_code if self._response is not None else None

    @property
    def error(self) -> str:
        """What broke, in words, or empty."""
        return self._entry.error

    def chunks(self) -> Iterator[tuple[float, bytes]]:
        """(seconds since sending, raw bytes) as they arrive, up to the end, the deadline or a break."""
        if self._response is None:
            return
        with contextlib.suppress(httpx2.TransportError):
            for data in self._response.iter_raw():
                yield self._entry.read_at, data

    def close(self) -> None:
        """Disconnect, where the body was not read to its end."""
        if self._response is not None:
            self._response.close()

    def exchange(self) -> Exchange:
        """What was asked and what has arrived."""
        return self._entry.exchange()
