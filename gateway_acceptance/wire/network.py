"""Connections below the HTTP client: what is read, written or looked up ends with its exchange's allowance.

httpcore2 takes a backend of one's own; these two wrap its own ones, for the synchronous and the asynchronous
client. Without an allowance in force they do what httpcore2 does.
"""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
from collections.abc import Iterable
from typing import Any

import httpcore2

from gateway_acceptance.wire.deadline import CURRENT, Allowance
from gateway_acceptance.wire.identified import Identified, NotDeclared
from gateway_acceptance.wire.tls_words import after_the_handshake, alert_words, tls_words

PIECE = 64 * 1024
"""Bytes that are written at once: after each, the clock is looked at."""

ALERT_S = 0.5
"""Seconds that the last words of a server may take, once its connection is broken."""

SocketOptions = Iterable[Any] | None

_SERIAL = itertools.count(1)


def resolved(host: str, port: int, timeout: float | None) -> list[tuple[str, int]]:
    """The addresses of a name, in the system's order. Raises httpcore2.ConnectError, ConnectTimeout.

    The system's resolver takes no deadline and no signal ends it, so it is waited for in a thread that the
    program's end does not wait for.
    """
    answers: list[list[tuple[str, int]]] = []
    errors: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.append(list(dict.fromkeys((str(entry[4][0]), port) for entry in found)))
        except (OSError, UnicodeError) as error:
            errors.append(error)

    if _is_a_number(host):
        return [(host, port)]
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(timeout)
    if answers:
        return answers[0]
    if errors:
        why = getattr(errors[0], "strerror", None) or str(errors[0])
        raise httpcore2.ConnectError(f"the name {host} cannot be resolved: {why}") from errors[0]
    raise httpcore2.ConnectTimeout(f"the name {host} was not resolved within {timeout:g} s")


class TimedStream(httpcore2.NetworkStream):
    """A connection. serial: its number among those of this process, from 1; given where TLS begins on it;
    spent: nothing more is asked on it."""

    def __init__(self, inner: httpcore2.NetworkStream, host: str, serial: int | None = None) -> None:
        self._inner, self._host = inner, host
        self._secure, self._answered, self._last = serial is not None, False, ""
        self.spent = False
        self.serial = next(_SERIAL) if serial is None else serial

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Up to so many bytes. Raises httpcore2.ReadTimeout where the exchange's time is over."""
        allowance = CURRENT.get()
        if allowance is None:
            return self._inner.read(max_bytes, timeout)
        while True:
            if self._last:
                raise httpcore2.ReadError(self._last)
            try:
                data = self._inner.read(max_bytes, _slice(allowance))
            except httpcore2.ReadTimeout:
                _be_patient(allowance)
                continue
            except httpcore2.ReadError as error:
                raise self._described(error) from error
            self._answered = self._answered or bool(data)
            return _checked(allowance, data)

    def _described(self, error: httpcore2.NetworkError) -> httpcore2.NetworkError:
        """The failure of a connection in words, where they can be had."""
        words = alert_words(error, self._host)
        if not words and self._secure and not self._answered:
            try:  # what the server said before it ended the connection may still be there to be read
                self._inner.read(1, ALERT_S)
            except (httpcore2.NetworkError, httpcore2.TimeoutException) as last:
                words = alert_words(last, self._host) or after_the_handshake(self._host)
        self._last = words  # httpcore2 goes on to read after a write that failed
        return type(error)(words) if words else error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of it. Raises httpcore2.WriteTimeout where the exchange's time is over."""
        allowance = CURRENT.get()
        _sent_on(allowance, used=self._answered)
        for start in range(0, len(buffer), PIECE):
            if allowance is not None:
                timeout = allowance.left()
                if timeout <= 0:
                    raise httpcore2.WriteTimeout
            try:
                self._inner.write(buffer[start : start + PIECE], timeout)
            except httpcore2.WriteError as error:
                raise self._described(error) from error

    def close(self) -> None:
        """Disconnect."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """The handshake, within what is left to connect. Raises httpcore2.ConnectError in words."""
        allowance = CURRENT.get()
        if allowance is not None:
            timeout = _positive(allowance.left_to_connect())
        try:
            secured = self._inner.start_tls(ssl_context, server_hostname, timeout)
        except httpcore2.ConnectError as error:
            raise httpcore2.ConnectError(tls_words(error, server_hostname or self._host)) from error
        return TimedStream(secured, server_hostname or self._host, self.serial)

    def get_extra_info(self, info: str) -> Any:
        """As httpcore2 has it; ``serial`` beside. A spent connection says that it has ended: a pool closes an
        idle one that can be read from."""
        if info == "serial":
            return self.serial
        return (info == "is_readable" and self.spent) or self._inner.get_extra_info(info)


class TimedBackend(httpcore2.NetworkBackend):
    """Connects one address after the other, within one time for all of them. called: what an error says of
    the server that it connects to, where that is none of the target's (a proxy); whom: must be reached."""

    def __init__(self, called: str = "", whom: Identified | None = None) -> None:
        self._inner, self._called, self._whom = httpcore2.SyncBackend(), called, whom

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore2.NetworkStream:
        """A connection. Raises httpcore2.ConnectError, ConnectTimeout."""
        allowance = CURRENT.get()
        left = timeout if allowance is None else allowance.connecting()
        failure: Exception | None = None
        for address, number in _resolved(self._called, host, port, left, self._whom):
            if allowance is not None:
                left = allowance.left_to_connect()
                if left <= 0:
                    break
            try:
                stream = self._inner.connect_tcp(address, number, left, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
                continue
            return TimedStream(stream, host)
        raise _named(self._called, failure or httpcore2.ConnectTimeout())


class AsyncTimedStream(httpcore2.AsyncNetworkStream):
    """As ``TimedStream``, in an event loop."""

    def __init__(self, inner: httpcore2.AsyncNetworkStream, host: str, serial: int | None = None) -> None:
        self._inner, self._host = inner, host
        self._secure, self._answered = serial is not None, False
        self.spent = False
        self.serial = next(_SERIAL) if serial is None else serial

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As of ``TimedStream``."""
        allowance = CURRENT.get()
        if allowance is None:
            return await self._inner.read(max_bytes, timeout)
        while True:
            try:
                data = await self._inner.read(max_bytes, _slice(allowance))
            except httpcore2.ReadTimeout:
                if allowance.left() <= 0:
                    raise
                import anyio  # here alone, and most runs never come to it

                await anyio.to_thread.run_sync(_be_patient, allowance)
                continue
            except httpcore2.ReadError as error:
                raise self._described(error) from error
            except ssl.SSLError as error:  # anyio hands on what TLS says after the handshake as it is
                raise self._described(httpcore2.ReadError(str(error)), error) from error
            self._answered = self._answered or bool(data)
            return _checked(allowance, data)

    def _described(
        self, error: httpcore2.NetworkError, said: ssl.SSLError | None = None
    ) -> httpcore2.NetworkError:
        """As of ``TimedStream``; an event loop has dropped what a broken connection still held.

        said: what TLS itself says, where that is known.
        """
        words = alert_words(said or error, self._host)
        if not words and self._secure and not self._answered:
            words = after_the_handshake(self._host)
        return type(error)(words) if words else error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As of ``TimedStream``."""
        allowance = CURRENT.get()
        _sent_on(allowance, used=self._answered)
        try:
            await self._inner.write(buffer, timeout if allowance is None else _positive(allowance.left()))
        except httpcore2.WriteError as error:
            raise self._described(error) from error
        except ssl.SSLError as error:
            raise self._described(httpcore2.WriteError(str(error)), error) from error

    async def aclose(self) -> None:
        """Disconnect."""
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """As of ``TimedStream``."""
        allowance = CURRENT.get()
        if allowance is not None:
            timeout = _positive(allowance.left_to_connect())
        try:
            secured = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except httpcore2.ConnectError as error:
            raise httpcore2.ConnectError(tls_words(error, server_hostname or self._host)) from error
        return AsyncTimedStream(secured, server_hostname or self._host, self.serial)

    def get_extra_info(self, info: str) -> Any:
        """As httpcore2 has it; ``serial`` beside. A spent connection says that it has ended: a pool closes an
        idle one that can be read from."""
        if info == "serial":
            return self.serial
        return (info == "is_readable" and self.spent) or self._inner.get_extra_info(info)


class AsyncTimedBackend(httpcore2.AsyncNetworkBackend):
    """As ``TimedBackend``, in an event loop."""

    def __init__(self, called: str = "", whom: Identified | None = None) -> None:
        self._inner, self._called, self._whom = httpcore2.AnyIOBackend(), called, whom

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore2.AsyncNetworkStream:
        """As of ``TimedBackend``."""
        allowance = CURRENT.get()
        left = timeout if allowance is None else allowance.connecting()
        failure: Exception | None = None
        for address, number in _resolved(self._called, host, port, left, self._whom):
            if allowance is not None:
                left = allowance.left_to_connect()
                if left <= 0:
                    break
            try:
                stream = await self._inner.connect_tcp(address, number, left, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
                continue
            return AsyncTimedStream(stream, host)
        raise _named(self._called, failure or httpcore2.ConnectTimeout())


def _resolved(
    called: str, host: str, port: int, timeout: float | None, whom: Identified | None
) -> list[tuple[str, int]]:
    try:
        found = resolved(host, port, timeout)
        return found if whom is None else whom.among(host, found)
    except NotDeclared as unexpected:
        raise httpcore2.ConnectError(str(unexpected)) from unexpected
    except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
        raise _named(called, error) from error


def _named(called: str, failure: Exception) -> Exception:
    """The failure with the server that it is of, where that is none of the target's."""
    if not called:
        return httpcore2.ConnectError("connection refused") if _refused(failure) else failure
    words = "connection refused" if _refused(failure) else str(failure)
    return type(failure)(f"{called} cannot be reached: {words or 'no connection in time'}")


def _refused(failure: BaseException | None) -> bool:
    """Whether nobody listens there; anyio says so in its cause alone."""
    while failure is not None:
        if isinstance(failure, ConnectionRefusedError):
            return True
        failure = failure.__cause__ or failure.__context__
    return False


def _is_a_number(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return True
    return False


def _slice(allowance: Allowance) -> float:
    left = allowance.left()
    if left <= 0:
        raise httpcore2.ReadTimeout
    if allowance.silent is None or allowance.poll_s is None:
        return left
    return min(left, allowance.poll_s)


def _be_patient(allowance: Allowance) -> None:
    """Nothing came for a while: whoever wants to look whether anything will, looks now."""
    if allowance.left() <= 0:
        raise httpcore2.ReadTimeout
    allowance.poll()


def _sent_on(allowance: Allowance | None, *, used: bool) -> None:
    """Something of a request leaves on a connection; used: whether it has carried an answer."""
    if allowance is not None and not allowance.came:
        allowance.reused = used


def _checked(allowance: Allowance, data: bytes) -> bytes:
    if not allowance.arrived(len(data)):
        raise httpcore2.ReadError("the head of the answer has no end")
    return data


def _positive(seconds: float) -> float:
    """A socket without a timeout waits for ever, and 0 means not to wait at all."""
    return max(seconds, 0.001)
