"""A tunnel through a proxy (RFC 9110, section 9.3.6): for TLS, and for what must arrive as it is written."""

from __future__ import annotations

import h11
import httpcore2

from gateway_acceptance.wire.network import AsyncTimedBackend, SocketOptions, TimedBackend
from gateway_acceptance.wire.route import Proxy, Route

PART = 65536


class TunnelBackend(httpcore2.NetworkBackend):
    """Connects to servers through a proxy's tunnels."""

    def __init__(self, proxy: Proxy, route: Route) -> None:
        self._proxy, self._route = proxy, route
        self._inner = TimedBackend(f"the proxy {proxy.named}")

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore2.NetworkStream:
        """A connection to a server. Raises httpcore2.ProxyError where the proxy makes none,
        httpcore2.NetworkError and TimeoutException where there is no proxy."""
        asking = _Asking(self._proxy, host, port)
        stream = self._inner.connect_tcp(*self._proxy.place, timeout, local_address, socket_options)
        try:
            if self._proxy.secure:
                stream = stream.start_tls(self._route.context, self._proxy.place[0], timeout)
            stream.write(asking.request(), timeout)
            while not asking.answered():
                asking.received(stream.read(PART, timeout))
        except BaseException:
            stream.close()
            raise
        return stream


class AsyncTunnelBackend(httpcore2.AsyncNetworkBackend):
    """As ``TunnelBackend``, in an event loop."""

    def __init__(self, proxy: Proxy, route: Route) -> None:
        self._proxy, self._route = proxy, route
        self._inner = AsyncTimedBackend(f"the proxy {proxy.named}")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore2.AsyncNetworkStream:
        """As of ``TunnelBackend``."""
        asking = _Asking(self._proxy, host, port)
        stream = await self._inner.connect_tcp(*self._proxy.place, timeout, local_address, socket_options)
        try:
            if self._proxy.secure:
                stream = await stream.start_tls(self._route.context, self._proxy.place[0], timeout)
            await stream.write(asking.request(), timeout)
            while not asking.answered():
                asking.received(await stream.read(PART, timeout))
        except BaseException:
            await stream.aclose()
            raise
        return stream


class _Asking:
    """One CONNECT, without its bytes' way."""

    def __init__(self, proxy: Proxy, host: str, port: int) -> None:
        self._called = f"the proxy {proxy.named}"
        self._place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._authorization = proxy.authorization
        self._machine = h11.Connection(h11.CLIENT)

    def request(self) -> bytes:
        headers = [("host", self._place)]
        if self._authorization:
            headers.append(("proxy-authorization", self._authorization))
        return self._machine.send(h11.Request(method="CONNECT", target=self._place, headers=headers)) or b""

    def received(self, data: bytes) -> None:
        if not data:
            raise httpcore2.ReadError(f"{self._called} closed the connection")
        self._machine.receive_data(data)

    def answered(self) -> bool:
        """Whether the tunnel is there; False where more is to be read. Raises ProxyError where there is
        none."""
        try:
            event = self._machine.next_event()
            while isinstance(event, h11.InformationalResponse):
                event = self._machine.next_event()
        except h11.RemoteProtocolError as failure:
            raise httpcore2.ReadError(f"{self._called} answers no HTTP: {failure}") from failure
        if not isinstance(event, h11.Response):
            return False
        if event.status_code // 100 != 2:
            raise httpcore2.ProxyError(
                f"{self._called} makes no tunnel to {self._place} (CONNECT: {event.status_code})"
            )
        return True
