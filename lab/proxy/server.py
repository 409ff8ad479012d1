"""The proxy itself: one listener per view, all in front of the same real gateway."""

from __future__ import annotations

import asyncio
import itertools
import weakref
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from aiohttp.http import SERVER_SOFTWARE
from multidict import CIMultiDict

from lab.backends import SCENARIO_HEADER
from lab.backends.server import abort
from lab.faults.model import Fault
from lab.message import Headers, Reply, Request
from lab.proxy.gate import EmbeddingGate

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "host"})
OF_A_KEY = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
"""What the real gateway takes a key from: of a request that is handed on for its owner, none stays."""
FAILED = 429
LARGEST_REQUEST = 64 * 1024 * 1024


def upstream_session() -> aiohttp.ClientSession:
    """For what stands behind a front: it decodes nothing and waits without end, and each request has a
    connection of its own, for one that is kept may be closed just as it is asked."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
        trust_env=False,
    )


class ProxiedGateway:
    """One address of the real gateway with (at most) one defect.

    moved: base URL of a backend -> its URL in this view, so that attribution headers name the view's own.
    """

    def __init__(
        self, upstream: str, key: str, fault: Fault | None, gate: EmbeddingGate, moved: Mapping[str, str]
    ) -> None:
        self._upstream, self._fault, self._gate, self._moved = upstream, fault, gate, moved
        self._authorization = f"Bearer {key}"
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._connections = weakref.WeakKeyDictionary[asyncio.Transport, int]()
        self._numbers = itertools.count(1)

    def _carries_the_key(self, sent: str) -> bool:
        """Whatever the case of the scheme: RFC 9110 section 11.1."""
        scheme, _, key = sent.partition(" ")
        return f"{scheme.capitalize()} {key}" == self._authorization

    async def start(self, url: str) -> None:
        """Listen; a fault that does not listen leaves the port closed."""
        if self._fault is not None and not self._fault.listens:
            return
        self._session = upstream_session()
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.on_response_prepare.append(_without_own_name)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        parts = urlsplit(url)
        await web.TCPSite(self._runner, parts.hostname, parts.port, reuse_address=True).start()

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _handle(self, incoming: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(incoming)
        except aiohttp.ClientError:
            abort(incoming)  # the gateway hung up instead of answering: so do we
            return web.Response()

    async def _answer(self, incoming: web.Request) -> web.StreamResponse:
        request = Request(
            incoming.method,
            incoming.raw_path,
            tuple((name, value) for name, value in incoming.headers.items()),
            await incoming.read(),
            self._carries_the_key(incoming.headers.get("authorization", "")),
            self._peer(incoming.transport),
        )
        fault = self._fault
        if fault is not None and fault.before is not None:
            changed = fault.before(request)
            if isinstance(changed, Reply):
                return await _send(incoming, changed)
            request = changed
        if fault is not None and fault.asks_twice is not None and fault.asks_twice(request):
            async with self._ask(request) as other:
                await other.read()
        async with self._scenario_for(request), self._ask(request) as answer:
            if fault is None or (fault.after is None and not fault.repeats):
                return await self._pass_on(incoming, answer)
            reply = await self._read_all(answer)
        for _ in range(fault.repeats):
            if reply.status >= FAILED:
                async with self._ask(request) as answer:
                    reply = await self._read_all(answer)
        return await _send(incoming, fault.after(request, reply) if fault.after else reply)

    def _peer(self, transport: asyncio.Transport | None) -> str:
        if transport is None:
            return ""
        number = self._connections.setdefault(transport, next(self._numbers))
        return f"{transport.get_extra_info('peername')} {number}"

    async def _read_all(self, answer: aiohttp.ClientResponse) -> Reply:
        return Reply(answer.status, self._headers(answer), (await answer.read(),))

    def _scenario_for(self, request: Request) -> AbstractAsyncContextManager[None]:
        """LiteLLM forwards no headers when it embeds: there the scenario is told by a gate instead."""
        if not request.at("/embeddings"):
            return nullcontext()
        return self._gate.hold(self._fault.scenario if self._fault else None)

    def _ask(self, request: Request) -> Any:
        assert self._session is not None
        left_out = {*HOP_BY_HOP, "content-length"}
        if self._fault is not None and self._fault.after is not None:
            left_out.add("accept-encoding")  # a defect changes what it can read
        headers = [(name, value) for name, value in request.headers if name.lower() not in left_out]
        if request.as_owner:
            headers = [pair for pair in headers if pair[0].lower() not in OF_A_KEY]
            headers.append(("authorization", self._authorization))
        if self._fault is not None and self._fault.scenario is not None:
            headers.append((SCENARIO_HEADER, self._fault.scenario))
        return self._session.request(
            request.method,
            self._upstream + request.path,
            headers=headers,
            data=request.body or None,
            allow_redirects=False,
            skip_auto_headers=("content-type", "user-agent", "accept", "accept-encoding"),
        )

    async def _pass_on(self, incoming: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=_multi(self._headers(answer)))
        await response.prepare(incoming)
        try:
            async for data in answer.content.iter_any():
                await response.write(data)
        except aiohttp.ClientPayloadError:
            abort(incoming)  # the gateway broke off: so do we
        else:
            await response.write_eof()
        return response

    def _headers(self, answer: aiohttp.ClientResponse) -> Headers:
        kept = []
        for name, value in answer.headers.items():
            if name.lower() in HOP_BY_HOP or name.lower() == "content-length":
                continue
            kept.append((name, self._moved.get(value.rstrip("/"), value)))
        return tuple(kept)


async def _send(incoming: web.Request, reply: Reply) -> web.StreamResponse:
    if reply.delay_s:
        await asyncio.sleep(reply.delay_s)
    response = web.StreamResponse(status=reply.status, headers=_multi(reply.headers))
    await response.prepare(incoming)
    for number, chunk in enumerate(reply.chunks):
        if reply.pause_s and number == 1:
            await asyncio.sleep(reply.pause_s)
        await response.write(chunk)
    if reply.aborted:
        abort(incoming)
    else:
        await response.write_eof()
    if reply.hung_up and incoming.transport is not None:
        incoming.transport.close()
    return response


async def _without_own_name(_request: web.Request, response: web.StreamResponse) -> None:
    """aiohttp adds a Server header where the gateway sent none: the proxy must not be seen."""
    if response.headers.get("server") == SERVER_SOFTWARE:
        del response.headers["server"]


def _multi(headers: Headers) -> CIMultiDict[str]:
    return CIMultiDict(headers)
