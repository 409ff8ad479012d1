"""The transport below every HTTP client, the official SDK's included: one ledger, one clock, one size.

``LedgerTransport`` and ``AsyncLedgerTransport`` enter each exchange in a ``Ledger`` and hold its limits; the
bytes go through httpcore2 over connections that know the exchange's allowance.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Iterator

import httpx2

from gateway_acceptance import __version__
from gateway_acceptance.wire.deadline import Deadline, within
from gateway_acceptance.wire.exchange import LEFT
from gateway_acceptance.wire.ledger import LARGEST_BODY, Entry, Ledger, Terms, TooMuch, reservation

TERMS = "gateway_acceptance.terms"
"""The extension of a request that holds its ``Terms``."""
ENTRY = "gateway_acceptance.entry"
"""The extension in which a request finds its ``Entry``."""
UNDONE = {"gzip", "x-gzip", "deflate"}


def product_token(agent: str) -> str:
    """The User-Agent of a request: what this is, and for whom; agent: run and check, or empty."""
    return f"gateway-acceptance/{__version__}" + (f" ({agent})" if agent else "")


class Dropped(Exception):  # noqa: N818  (a finding about a connection)
    """A connection that had been used before was closed without a byte of an answer (RFC 9112 section 9.5: a
    server may close it at any time, and who sends just then cannot know)."""


class LedgerTransport(httpx2.BaseTransport):
    """Enters each exchange, and holds its limits. default: the terms of requests that bring none (the
    SDK's); fresh: where a request is asked again, once, whose used connection was dropped: an exchange of its
    own."""

    def __init__(
        self,
        ledger: Ledger,
        inner: httpx2.BaseTransport,
        default: Terms | None = None,
        fresh: httpx2.BaseTransport | None = None,
    ) -> None:
        self._ledger, self._inner, self._default, self._fresh = ledger, inner, default, fresh

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises NotPermitted before sending; httpx2.TransportError, in words, where no head came."""
        try:
            return self._sent(request, self._inner, again=self._fresh is not None)
        except Dropped:
            assert self._fresh is not None
            return self._sent(request, self._fresh)

    def _sent(
        self, request: httpx2.Request, inner: httpx2.BaseTransport, *, again: bool = False
    ) -> httpx2.Response:
        entry = _opened(self._ledger, request, request.read(), self._default)
        try:
            with within(entry.allowance):
                response = inner.handle_request(request)
        except httpx2.LocalProtocolError:  # what we were about to send is no HTTP: our mistake
            entry.abandon()
            raise
        except httpx2.TransportError as failure:
            words = in_words(failure, entry.terms.limit)
            _closed(entry, failure, words, again=again)
            raise type(failure)(words, request=request) from failure
        except BaseException:
            entry.close(LEFT)
            raise
        _head(entry, response)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _NotedStream(response.stream, entry, _reader(entry, response))
        return response

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()
        if self._fresh is not None:
            self._fresh.close()


class AsyncLedgerTransport(httpx2.AsyncBaseTransport):
    """As ``LedgerTransport``, in an event loop."""

    def __init__(
        self,
        ledger: Ledger,
        inner: httpx2.AsyncBaseTransport,
        default: Terms,
        fresh: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._ledger, self._inner, self._default, self._fresh = ledger, inner, default, fresh

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """As of ``LedgerTransport``."""
        try:
            return await self._sent(request, self._inner, again=self._fresh is not None)
        except Dropped:
            assert self._fresh is not None
            return await self._sent(request, self._fresh)

    async def _sent(
        self, request: httpx2.Request, inner: httpx2.AsyncBaseTransport, *, again: bool = False
    ) -> httpx2.Response:
        entry = _opened(self._ledger, request, await request.aread(), self._default)
        try:
            with within(entry.allowance):
                response = await inner.handle_async_request(request)
        except httpx2.LocalProtocolError:
            entry.abandon()
            raise
        except httpx2.TransportError as failure:
            words = in_words(failure, entry.terms.limit)
            _closed(entry, failure, words, again=again)
            raise type(failure)(words, request=request) from failure
        except BaseException:
            entry.close(LEFT)
            raise
        _head(entry, response)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _AsyncNotedStream(response.stream, entry, _reader(entry, response))
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()
        if self._fresh is not None:
            await self._fresh.aclose()


def _opened(ledger: Ledger, request: httpx2.Request, body: bytes, default: Terms | None) -> Entry:
    terms = request.extensions.get(TERMS) or default
    assert isinstance(terms, Terms), "a request without terms"
    if default is not None:
        terms = Terms(terms.limit, reservation(body), terms.served_by, terms.undone)
    own = product_token(ledger.notebook.agent)
    theirs = request.headers.get("user-agent", "")
    if default is not None and not theirs.startswith(own):
        request.headers["user-agent"] = f"{own} {theirs}".strip()
    for name, value in ledger.conduct.route.added(str(request.url)):
        request.headers[name] = value
    headers = tuple(request.headers.multi_items())
    entry = ledger.open(request.method, str(request.url), headers, body, terms)
    request.extensions[ENTRY] = entry
    return entry


def _closed(entry: Entry, failure: httpx2.TransportError, words: str, *, again: bool) -> None:
    """No head came. Raises Dropped where that is to be asked again."""
    allowance = entry.allowance
    broke = isinstance(failure, httpx2.NetworkError | httpx2.RemoteProtocolError)
    entry.dropped = again and broke and allowance.reused and not allowance.came
    entry.close(f"{words} (a connection used before; asked again on a fresh one)" if entry.dropped else words)
    if entry.dropped:
        raise Dropped(words) from failure


def _head(entry: Entry, response: httpx2.Response) -> None:
    stream = response.extensions.get("network_stream")
    serial = stream.get_extra_info("serial") if stream is not None else None
    entry.head(response.status_code, tuple(response.headers.multi_items()), serial or 0)


Reader = Callable[[bytes], None]


def _reader(entry: Entry, response: httpx2.Response) -> Reader:
    """What notes a piece of the body: as it is, or with its content-encoding undone. Raises TooMuch."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if not entry.terms.undone or encoding in ("", "identity"):

        def as_it_is(data: bytes) -> None:
            entry.read(data)

        return as_it_is
    if encoding not in UNDONE:

        def refused(data: bytes) -> None:
            entry.read(data)
            raise TooMuch(f"the answer's content-encoding is {encoding[:60]!r}, which was not asked for")

        return refused
    return _Inflated(entry, encoding)


class _Inflated:
    """Undoes gzip and deflate piece by piece, never more at once than an answer may hold."""

    def __init__(self, entry: Entry, encoding: str) -> None:
        self._entry, self._encoding, self._begun, self._raw = entry, encoding, False, 0
        self._machine = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def __call__(self, data: bytes) -> None:
        self._raw += len(data)
        if self._raw > LARGEST_BODY:
            raise TooMuch(f"the answer is larger than {LARGEST_BODY} bytes")
        if self._machine.eof:
            return
        try:
            inflated = self._inflated(data)
        except zlib.error as error:
            self._entry.read(data)
            raise TooMuch(f"the answer is not what its content-encoding says: {error}") from error
        if inflated:
            self._entry.read(inflated)

    def _inflated(self, data: bytes) -> bytes:
        try:
            inflated = self._machine.decompress(data, LARGEST_BODY + 1)
        except zlib.error:
            if self._begun or self._encoding != "deflate":
                raise
            self._machine = zlib.decompressobj(-zlib.MAX_WBITS)  # raw deflate, as some servers send it
            inflated = self._machine.decompress(data, LARGEST_BODY + 1)
        self._begun = True
        return inflated


class _NotedStream(httpx2.SyncByteStream):
    """Passes the bytes on, keeps them with their times, and tells when it is closed."""

    def __init__(self, inner: httpx2.SyncByteStream, entry: Entry, note: Reader) -> None:
        self._inner, self._entry, self._note = inner, entry, note

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self._inner)
        while True:
            try:
                with within(self._entry.allowance):
                    data = next(pieces, None)
                if data is None:
                    self._entry.whole = True
                    return
                self._note(data)
            except (httpx2.TransportError, TooMuch) as failure:
                raise _described(self._entry, failure) from failure
            yield data

    def close(self) -> None:
        try:
            with within(self._entry.allowance):
                self._inner.close()
        finally:
            self._entry.close()


class _AsyncNotedStream(httpx2.AsyncByteStream):
    """As ``_NotedStream``, in an event loop."""

    def __init__(self, inner: httpx2.AsyncByteStream, entry: Entry, note: Reader) -> None:
        self._inner, self._entry, self._note = inner, entry, note

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._inner)
        while True:
            try:
                with within(self._entry.allowance):
                    data = await anext(pieces, None)
                if data is None:
                    self._entry.whole = True
                    return
                self._note(data)
            except (httpx2.TransportError, TooMuch) as failure:
                raise _described(self._entry, failure) from failure
            yield data

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            self._entry.close()


def _described(entry: Entry, failure: Exception) -> httpx2.TransportError:
    """The failure in words, kept with the exchange."""
    if isinstance(failure, httpx2.TransportError):
        entry.error = in_words(failure, entry.terms.limit)
        return type(failure)(entry.error)
    entry.error = str(failure)
    return httpx2.ReadError(entry.error)


def in_words(failure: Exception, limit: Deadline) -> str:
    """A transport failure as an operator would say it."""
    detail = str(failure).strip()
    if detail.startswith(("the proxy ", "TLS: ")):
        return detail
    if isinstance(failure, httpx2.ConnectTimeout):
        return detail if "resolved" in detail else f"no connection within {limit.connect_s:g} s"
    if isinstance(failure, httpx2.ConnectError):
        if "cannot be resolved" in detail:
            return detail
        return "connection refused" if "refused" in detail.lower() else f"no connection: {detail}"
    if isinstance(failure, httpx2.TimeoutException):
        return f"no answer within {limit.total_s:g} s"
    if isinstance(failure, httpx2.RemoteProtocolError):
        return f"the connection broke or the answer is not HTTP: {detail}"
    return f"the connection broke: {detail or type(failure).__name__}"


def timeouts(limit: Deadline) -> httpx2.Timeout:
    """The sockets' own timeouts: none is longer than the whole."""
    return httpx2.Timeout(limit.total_s, connect=min(limit.connect_s, limit.total_s))
