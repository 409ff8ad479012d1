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

import anyio
import httpcore2

from gateway_acceptance.wire.deadline import CURRENT, Allowance

PIECE = 64 * 1024
"""Bytes that are written at once: after each, the clock is looked at."""

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
    """A connection. serial: its number among those of this process, from 1."""

    def __init__(self, inner: httpcore2.NetworkStream, host: str, serial: int | None = None) -> None:
        self._inner, self._host = inner, host
        self._answered = False
        self.serial = next(_SERIAL) if serial is None else serial

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Up to so many bytes. Raises httpcore2.ReadTimeout where the exchange's time is over."""
        allowance = CURRENT.get()
        if allowance is None:
            return self._inner.read(max_bytes, timeout)
        while True:
            try:
                data = self._inner.read(max_bytes, _slice(allowance))
            except httpcore2.ReadTimeout:
                _be_patient(allowance)
                continue
            self._answered = self._answered or bool(data)
            return _checked(allowance, data)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of it. Raises httpcore2.WriteTimeout where the exchange's time is over."""
        allowance = CURRENT.get()
        _sent_on(allowance, used=self._answered)
        for start in range(0, len(buffer), PIECE):
            if allowance is not None:
                timeout = allowance.left()
                if timeout <= 0:
                    raise httpcore2.WriteTimeout
            self._inner.write(buffer[start : start + PIECE], timeout)

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
        return TimedStream(secured, self._host, self.serial)

    def get_extra_info(self, info: str) -> Any:
        """As httpcore2 has it; ``serial`` beside."""
        return self.serial if info == "serial" else self._inner.get_extra_info(info)


class TimedBackend(httpcore2.NetworkBackend):
    """Connects one address after the other, within one time for all of them."""

    def __init__(self) -> None:
        self._inner = httpcore2.SyncBackend()

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
        for address, number in resolved(host, port, left):
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
        raise failure or httpcore2.ConnectTimeout


class AsyncTimedStream(httpcore2.AsyncNetworkStream):
    """As ``TimedStream``, in an event loop."""

    def __init__(self, inner: httpcore2.AsyncNetworkStream, host: str, serial: int | None = None) -> None:
        self._inner, self._host = inner, host
        self._answered = False
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
                await anyio.to_thread.run_sync(_be_patient, allowance)
                continue
            self._answered = self._answered or bool(data)
            return _checked(allowance, data)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As of ``TimedStream``."""
        allowance = CURRENT.get()
        _sent_on(allowance, used=self._answered)
        await self._inner.write(buffer, timeout if allowance is None else _positive(allowance.left()))

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
        return AsyncTimedStream(secured, self._host, self.serial)

    def get_extra_info(self, info: str) -> Any:
        """As httpcore2 has it; ``serial`` beside."""
        return self.serial if info == "serial" else self._inner.get_extra_info(info)


class AsyncTimedBackend(httpcore2.AsyncNetworkBackend):
    """As ``TimedBackend``, in an event loop."""

    def __init__(self) -> None:
        self._inner = httpcore2.AnyIOBackend()

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
        for address, number in resolved(host, port, left):
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
        raise failure or httpcore2.ConnectTimeout


EXPIRED, NOT_YET_VALID, WRONG_NAME, WRONG_ADDRESS = 10, 9, 62, 64
UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21, 27})
"""Codes of OpenSSL (openssl-verification-options(1), X509_V_ERR_*)."""


def tls_words(error: BaseException, host: str) -> str:
    """What is wrong with the TLS of a host, and how to mend it, in a sentence."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, ssl.SSLError):
        seen = seen.__cause__ or seen.__context__
    if isinstance(seen, ssl.SSLCertVerificationError):
        code = seen.verify_code
        if code == EXPIRED:
            return f"TLS: the certificate of {host} has expired; renew it"
        if code == NOT_YET_VALID:
            return f"TLS: the certificate of {host} is not valid yet; look at both clocks"
        if code in (WRONG_NAME, WRONG_ADDRESS):
            return f"TLS: the certificate is not one of {host} (wrong name); use the name that it holds"
        if code in UNKNOWN_ISSUER:
            return f"TLS: the certificate of {host} is of an unknown CA; name that CA's file in SSL_CERT_FILE"
        return f"TLS: the certificate of {host} is refused: {seen.verify_message}"
    if isinstance(seen, ssl.SSLError):
        reason = (seen.reason or str(seen)).replace("_", " ").lower()
        return f"TLS: no handshake with {host}: {reason}"
    return f"TLS: no handshake with {host}: the connection was closed"


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
    if allowance.silent is None or allowance.patience_s is None:
        return left
    return min(left, allowance.patience_s)


def _be_patient(allowance: Allowance) -> None:
    """Nothing came for a while: whoever wants to look whether anything will, looks now."""
    if allowance.left() <= 0:
        raise httpcore2.ReadTimeout
    if allowance.silent is not None:
        allowance.silent()


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
