"""The HTTP connections below the one transport: httpcore2's, each timed by the exchange that uses it.

No retry; a proxy only where the ``Route`` has one for the host: in absolute form for http, in a tunnel
for https.
"""

from __future__ import annotations

from typing import Any

import httpcore2
import httpx2

from gateway_acceptance.wire.exchange import REFUSED_FROM
from gateway_acceptance.wire.network import AsyncTimedBackend, AsyncTimedStream, TimedBackend, TimedStream
from gateway_acceptance.wire.route import Proxy, Route
from gateway_acceptance.wire.tunnel import AsyncTunnelBackend, TunnelBackend

IDLE_S = 2.0
"""An idle connection is used again for so long and no longer. Servers may close one, and many do after 5 s
(uvicorn, under LiteLLM): who sends just then gets no answer, and it is nobody's fault."""

MOST_CONNECTIONS = 100


def _options(route: Route, kept: int | None) -> dict[str, Any]:
    return {
        "ssl_context": route.context,
        "max_connections": MOST_CONNECTIONS,
        "max_keepalive_connections": kept,
        "keepalive_expiry": IDLE_S,
        "retries": 0,
    }


def _of_a_proxy(proxy: Proxy, route: Route) -> dict[str, Any]:
    return {
        "proxy_url": proxy.url,
        "proxy_headers": {"Proxy-Authorization": proxy.authorization} if proxy.authorization else None,
        "proxy_ssl_context": route.context if proxy.secure else None,
    }


class _Pooled(httpx2.HTTPTransport):
    """httpx2's own transport over a pool of ours."""

    def __init__(self, route: Route, pool: httpcore2.ConnectionPool) -> None:
        super().__init__(verify=route.context, trust_env=False)
        self._pool = pool


class _AsyncPooled(httpx2.AsyncHTTPTransport):
    """As ``_Pooled``, in an event loop."""

    def __init__(self, route: Route, pool: httpcore2.AsyncConnectionPool) -> None:
        super().__init__(verify=route.context, trust_env=False)
        self._pool = pool


class Connections(httpx2.BaseTransport):
    """Connections of one client. kept: how many idle ones are kept to be used again, None for all; 0: each
    request has a connection of its own; behind_refusals: as of ``Sender``."""

    def __init__(self, route: Route, kept: int | None = None, *, behind_refusals: bool = False) -> None:
        self._route, options, proxy = route, _options(route, kept), route.proxy
        self._behind_refusals = behind_refusals
        pools = {"": httpcore2.ConnectionPool(network_backend=TimedBackend(whom=route.whom), **options)}
        if proxy is not None:
            named = TimedBackend(f"the proxy {proxy.named}")
            forward = _of_a_proxy(proxy, route)
            pools["http"] = httpcore2.HTTPProxy(network_backend=named, **forward, **options)
            pools["https"] = httpcore2.ConnectionPool(network_backend=TunnelBackend(proxy, route), **options)
        self._ways = {way: _Pooled(route, pool) for way, pool in pools.items()}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it, past the proxy or through it."""
        through = self._route.proxy_of(request.url.host) is not None
        response = self._ways[request.url.scheme if through else ""].handle_request(request)
        return response if self._behind_refusals else _parted(request, response)

    def close(self) -> None:
        """Close all of them."""
        for way in self._ways.values():
            way.close()


class AsyncConnections(httpx2.AsyncBaseTransport):
    """As ``Connections``, in an event loop."""

    def __init__(self, route: Route, kept: int | None = None) -> None:
        self._route, options, proxy = route, _options(route, kept), route.proxy
        pools = {
            "": httpcore2.AsyncConnectionPool(network_backend=AsyncTimedBackend(whom=route.whom), **options)
        }
        if proxy is not None:
            named = AsyncTimedBackend(f"the proxy {proxy.named}")
            forward = _of_a_proxy(proxy, route)
            pools["http"] = httpcore2.AsyncHTTPProxy(network_backend=named, **forward, **options)
            pools["https"] = httpcore2.AsyncConnectionPool(
                network_backend=AsyncTunnelBackend(proxy, route), **options
            )
        self._ways = {way: _AsyncPooled(route, pool) for way, pool in pools.items()}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """As of ``Connections``."""
        through = self._route.proxy_of(request.url.host) is not None
        response = await self._ways[request.url.scheme if through else ""].handle_async_request(request)
        return _parted(request, response)

    async def aclose(self) -> None:
        """As of ``Connections``."""
        for way in self._ways.values():
            await way.aclose()


def _parted(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
    """The answer; where it refuses a request that had a body, its connection is not used again. A server that
    refuses early may have left the body unread, and take it for the next request: that is API-OPS-010's
    finding, and of no other check that asks next."""
    stream = response.extensions.get("network_stream")
    bodied = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    if bodied and response.status_code >= REFUSED_FROM and isinstance(stream, TimedStream | AsyncTimedStream):
        stream.spent = True
    return response
