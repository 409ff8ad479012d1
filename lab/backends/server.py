"""A backend's transport: aiohttp applications, the addresses they listen at, and faulty connections."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import struct
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from aiohttp import web

from lab.backends.answers import BackendAnswer, error
from lab.backends.backend import BackendServer
from lab.backends.compatible import DONE, METHODS, NATIVE, answer
from lab.backends.models import normalise
from lab.backends.requests import Body, Refused, parsed
from lab.backends.scenario import HEALTHY, Call, Connection, Json, Scenario
from lab.backends.scenarios import EMBEDDING, INFERENCE, scenario_named

SCENARIO_HEADER = "x-lab-scenario"
COUNTS = "/lab/counts"
THE_SUITE = "gateway-acceptance/"
"""How the User-Agent of its requests begins."""
"""Not Ollama's: what the backend served, as environments declare it (``counts``)."""
MAX_BODY = 64 * 1024**2  # bytes; prompts longer than any context window must get through
SHUTDOWN_S = 0.2  # how long a closing address waits for its handlers; silent ones never end by themselves
GONE_POLL_S = 0.05  # how often a silent connection looks whether its client left, where nothing cancels it

JSON_TYPE = "application/json; charset=utf-8"
STREAM_TYPE = "application/x-ndjson"
EVENTS_TYPE = "text/event-stream"
TEXT_TYPE = "text/plain; charset=utf-8"


def build_app(backend: BackendServer, scenario: str | None = None) -> web.Application:
    """An application that speaks for ``backend``; ``scenario`` is in force for all its requests.

    Without one, the header ``x-lab-scenario`` chooses for each request, and for embeddings without header
    that did not come from the suite itself ``backend.embed_scenario``. Run it with
    ``handler_cancellation=True`` (as ``listen`` does), so that a client that leaves ends its handler at once.
    Raises ValueError for an unknown scenario.
    """
    own = scenario_named(scenario) if scenario else None

    async def handle(request: web.Request) -> web.StreamResponse:
        return await _handle(backend, own, request)

    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_route("*", "/{path:.*}", handle)
    app.on_response_prepare.append(_without_server_header)
    return app


@dataclass
class Listener:
    """An address where a backend listens; an asynchronous context manager that closes itself."""

    backend: BackendServer
    scenario: str | None
    host: str
    port: int
    _runner: web.AppRunner

    @property
    def connections(self) -> int:
        """Connections that are open."""
        server = self._runner.server
        return len(server.connections) if server is not None else 0

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://{self.host}:{self.port}"

    async def close(self) -> None:
        """Stop listening and end what is still being answered."""
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def listen(backend: BackendServer, host: str, port: int, scenario: str | None = None) -> Listener:
    """Let ``backend`` listen at one more address; port 0 takes a free one.

    Raises ValueError for an address that is not loopback and for an unknown scenario, OSError where the
    address is taken.
    """
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"backend {backend.name}: {host} is not a loopback address")
    return await listen_on_host(backend, host, port, scenario)


async def listen_on_host(
    backend: BackendServer, host: str, port: int, scenario: str | None = None
) -> Listener:
    """The same at any address: for a host of the lab, which has a network of its own."""
    app = build_app(backend, scenario)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return Listener(backend, scenario, host, int(runner.addresses[0][1]), runner)


async def _handle(backend: BackendServer, own: Scenario | None, request: web.Request) -> web.StreamResponse:
    """Count the request, then answer it as its scenario wants, holding a slot where a model is asked."""
    endpoint = request.path
    if _directly(request):
        backend.counts.came_directly()
    if endpoint == COUNTS:
        return _counted(backend, own, request)
    body = await _body(request)
    given: Json = {} if isinstance(body, Refused) else body
    name = given.get("model") or given.get("name") or ""
    call = Call(backend.name, endpoint, normalise(name), backend.counts.next_index(), given)
    try:
        scenario = own or _chosen(backend, request)
    except ValueError as unknown:
        return _complete(HEALTHY, call, error(400, str(unknown)))
    as_native = replace(call, endpoint=NATIVE.get(endpoint, endpoint))
    scenario = scenario if scenario.applies(as_native) else HEALTHY
    backend.counts.served(call.index, endpoint, call.model, scenario.name)
    try:
        if NATIVE.get(endpoint, endpoint) not in INFERENCE:
            return await _answered(backend, scenario, call, request, body)
        backend.counts.inferred(call.model, json.dumps(given, ensure_ascii=False))
        with backend.slot(call.model, scenario.name):
            try:
                return await _answered(backend, scenario, call, request, body)
            except asyncio.CancelledError:
                _run_on(backend, scenario, call.model)
                raise
    except asyncio.CancelledError:
        backend.counts.left()
        raise


def _counted(backend: BackendServer, own: Scenario | None, request: web.Request) -> web.Response:
    """The backend's count, which is not counted itself; at a faulty address the defect's fixed one."""
    if own is not None and own.fixed is not None and COUNTS in (own.endpoints or ()):
        return web.json_response(own.fixed.body, status=own.fixed.status)
    return web.json_response({"models": backend.counts.marked(request.query.get("mark", ""))})


def _run_on(backend: BackendServer, scenario: Scenario, model: str) -> None:
    """Keep the slot of a client that left, where the scenario does not notice that."""
    if scenario.runs_on_s:
        backend.occupy(model, scenario.name)
        asyncio.get_running_loop().call_later(scenario.runs_on_s, backend.release, model, scenario.name)


async def _body(request: web.Request) -> Body | Refused:
    """The JSON object sent, or why there is none; empty where the endpoint takes none."""
    raw = await request.read()
    if request.method != "POST" or "POST" not in METHODS.get(request.path, ()):
        return {}
    try:
        return parsed(raw, request.path)
    except Refused as refused:
        return refused


def _directly(request: web.Request) -> bool:
    """Whether the suite asks past the gateway."""
    return request.headers.get("User-Agent", "").startswith(THE_SUITE)


def _chosen(backend: BackendServer, request: web.Request) -> Scenario:
    """The scenario of a request at an address without its own. What the suite asks past the gateway belongs
    to no request of a gateway, whichever is under way. Raises ValueError for an unknown name."""
    name = backend.outage or request.headers.get(SCENARIO_HEADER)
    embeds = NATIVE.get(request.path, request.path) in EMBEDDING and not _directly(request)
    if name is None and embeds and backend.embed_scenario is not None:
        name = backend.embed_scenario()
    return scenario_named(name) if name else HEALTHY


async def _answered(
    backend: BackendServer, scenario: Scenario, call: Call, request: web.Request, body: Body | Refused
) -> web.StreamResponse:
    if scenario.connection is Connection.RESET:
        _reset(request)
        return web.Response()
    if scenario.connection is Connection.SILENT:
        await _client_gone(request)
        backend.counts.left()
        return web.Response()
    await asyncio.sleep(scenario.delay_s)
    if scenario.fixed is not None:
        status, fixed = scenario.fixed.status, scenario.fixed.body
        made = (
            BackendAnswer(status, text=fixed) if isinstance(fixed, str) else BackendAnswer(status, (fixed,))
        )
        return _complete(HEALTHY, call, made)
    made = answer(backend, scenario, call, request.method, body)
    backend.counts.spent(made.tokens)
    delay_s = backend.token_delay_s if scenario.token_delay_s is None else scenario.token_delay_s
    delay_s = max(delay_s, made.token_delay_s)
    if made.stream:
        return await _stream(backend, scenario, call, request, made, delay_s)
    await asyncio.sleep(delay_s * made.eval_tokens)
    return _complete(scenario, call, made)


def _complete(scenario: Scenario, call: Call, made: BackendAnswer) -> web.Response:
    """An answer in one piece."""
    headers = {"Allow": made.allow} if made.allow else {}
    if made.text is not None:
        return web.Response(
            status=made.status, body=made.text.encode(), headers={**headers, "Content-Type": TEXT_TYPE}
        )
    body = b"".join(scenario.lines([_encoded(item) for item in made.objects], call))
    return web.Response(status=made.status, body=body, headers={**headers, "Content-Type": JSON_TYPE})


async def _stream(
    backend: BackendServer,
    scenario: Scenario,
    call: Call,
    request: web.Request,
    made: BackendAnswer,
    delay_s: float,
) -> web.StreamResponse:
    """An answer line by line, until its end, its defect, or the client's leaving."""
    kind = EVENTS_TYPE if made.events else STREAM_TYPE
    response = web.StreamResponse(status=made.status, headers={"Content-Type": kind})
    lines = scenario.lines(_framed(made), call)
    try:
        await response.prepare(request)
        for number, line in enumerate(lines):
            if number == scenario.abort_after_lines:
                abort(request)
                break
            await asyncio.sleep(delay_s)  # also with 0: others get their turn, a client's leaving is seen
            await response.write(line)
    except ConnectionResetError:
        backend.counts.left()
    return response


def _framed(made: BackendAnswer) -> list[bytes]:
    """A stream's objects, one line or one event each."""
    if not made.events:
        return [_encoded(item) + b"\n" for item in made.objects]
    return [*(b"data: " + _encoded(item) + b"\n\n" for item in made.objects), DONE]


def _encoded(item: Json) -> bytes:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()


async def _client_gone(request: web.Request) -> None:
    """Wait until the client leaves."""
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(GONE_POLL_S)


def abort(request: web.Request) -> None:
    """End the connection where it is."""
    if request.transport is not None:
        request.transport.abort()


def _reset(request: web.Request) -> None:
    """End the connection with a reset (RST), as a host does on which nobody listens any more."""
    sock: socket.socket | None = request.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    abort(request)


async def _without_server_header(_request: web.Request, response: web.StreamResponse) -> None:
    """Ollama names no server."""
    response.headers.pop("Server", None)
