"""The proxy that makes the faults of gateways: what it changes, and what it passes on."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from lab.faults.model import Fault, gateway_fault
from lab.message import Reply, Request, edit_json
from lab.proxy.gate import EmbeddingGate
from lab.proxy.server import ProxiedGateway
from tests.lab.test_outages import on_a_loop

DOCUMENT = {"object": "list", "data": ["x" * 600]}
EMPTIED = gateway_fault("a-list-emptied", "", {}, after=edit_json("/models", change=lambda _: {"data": []}))


async def _compressing(request: web.Request) -> web.Response:
    """As LiteLLM 1.106.2 does with long answers."""
    response = web.json_response(DOCUMENT)
    if "gzip" in request.headers.get("accept-encoding", ""):
        response.enable_compression(web.ContentCoding.gzip)
    return response


def _address() -> tuple[str, int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return "127.0.0.1", int(taken.getsockname()[1])


@asynccontextmanager
async def view_of(host: str, port: int, fault: Fault | None) -> AsyncIterator[str]:
    """The address of a proxy in front of what listens there."""
    own = "http://{}:{}".format(*_address())
    view = ProxiedGateway(f"http://{host}:{port}", "key", fault, EmbeddingGate(), {})
    await view.start(own)
    try:
        yield own
    finally:
        await view.close()


@asynccontextmanager
async def proxy(fault: Fault | None) -> AsyncIterator[str]:
    """The address of a proxy in front of a gateway that compresses."""
    app = web.Application()
    app.router.add_get("/v1/models", _compressing)
    runner = web.AppRunner(app)
    await runner.setup()
    host, port = _address()
    await web.TCPSite(runner, host, port).start()
    try:
        async with view_of(host, port, fault) as own:
            yield own
    finally:
        await runner.cleanup()


async def asked(address: str) -> tuple[str, bytes]:
    """The coding of the answer to a client that takes gzip, and its body as it came."""
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(f"{address}/v1/models", headers={"accept-encoding": "gzip"}) as answer,
    ):
        return answer.headers.get("content-encoding", ""), await answer.read()


@on_a_loop
async def test_a_defect_reads_also_what_would_come_compressed() -> None:
    async with proxy(EMPTIED) as address:
        coding, body = await asked(address)
    assert (coding, json.loads(body)) == ("", {"data": []})


@pytest.mark.parametrize("fault", [None, gateway_fault("a-defect-elsewhere", "", {})])
@on_a_loop
async def test_without_a_defect_it_comes_as_the_gateway_sent_it(fault: Fault | None) -> None:
    async with proxy(fault) as address:
        coding, body = await asked(address)
    assert (coding, json.loads(gzip.decompress(body))) == ("gzip", DOCUMENT)


def test_what_is_nested_too_deep_is_no_object_and_no_crash() -> None:
    deep = b"[" * 200_000
    assert Request("POST", "/v1/chat/completions", (), deep).json == {}
    assert Reply(200, (), (deep,)).json is None


@asynccontextmanager
async def closing(answers: int) -> AsyncIterator[str]:
    """The address of a proxy in front of a gateway that answers so many requests of each connection, says
    nothing of closing it, and closes it when it is asked once more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(answers):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        async with view_of(host, port, None) as own:
            yield own
    finally:
        server.close()


@on_a_loop
async def test_a_connection_that_the_gateway_closes_meanwhile_is_no_error_of_the_gateway() -> None:
    async with closing(1) as address, aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.post(f"{address}/v1/chat/completions", json={}) as answer:
                assert (answer.status, await answer.read()) == (200, b"{}")


@on_a_loop
async def test_a_gateway_that_hangs_up_is_no_500() -> None:
    async with closing(0) as address, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.post(f"{address}/v1/chat/completions", json={})


async def asked_twice_from(port: int, address: str) -> None:
    """Two requests on one connection from that port, which is free again at once."""
    url = urlsplit(address)
    reader, writer = await asyncio.open_connection(url.hostname, url.port, local_addr=("127.0.0.1", port))
    for _ in range(2):
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"{}")
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()
    await writer.wait_closed()


@on_a_loop
async def test_a_port_that_is_used_again_is_another_connection() -> None:
    """What a fault remembers of a connection would befall a later one, of another check."""
    peers: list[str] = []

    def before(request: Request) -> Reply:
        peers.append(request.peer)
        return Reply(200, (("content-length", "2"),), (b"{}",))

    _, port = _address()
    async with view_of(*_address(), gateway_fault("remembers", "", {}, before=before)) as address:
        for _ in range(2):
            await asked_twice_from(port, address)
    assert peers[0] == peers[1] != peers[2] == peers[3]
    assert all(f", {port})" in peer for peer in peers)
