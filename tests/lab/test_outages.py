"""Backends taken away by lease: each kind as a client sees it, and everything back when the lease ends."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway_acceptance.disruptor import Disruptor, Load, OutageKind
from gateway_acceptance.embedded import NotStarted
from lab.backends import BackendServer, Listener, listen
from lab.outages import SCENARIOS, SOCKET, Lease, LocalStage, Outages
from lab.patience import patient
from tests.lab.test_backends_client import chat, make_backend

HOLDS = """
import pathlib, sys
from gateway_acceptance.disruptor import OutageKind
from lab.outages import Lease
lease = Lease(pathlib.Path(sys.argv[1]))
lease.apply(OutageKind.KILL, "llm-01")
print("away", flush=True)
sys.stdin.read()
"""
PATIENCE_S = 0.3
"""Seconds after which a client calls it silence."""
ENOUGH_S = patient(10)
KINDS = [
    (OutageKind.KILL, "closed"),
    (OutageKind.REFUSE, "reset"),
    (OutageKind.BLACK_HOLE, "silence"),
    (OutageKind.SLOW, "silence"),
    (OutageKind.BUSY, "429"),
    (OutageKind.BROKEN, "500"),
    (OutageKind.DROP, "broken off"),
    (OutageKind.SWAP, "404"),
]
"""What a client sees of each."""


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """An asynchronous test, run to its end."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        asyncio.run(test(*arguments, **named))

    return run


class OneView:
    """The listener of one backend, as ``lab.listeners.Listeners`` holds many."""

    def __init__(self, backend: BackendServer) -> None:
        self.backend, self.port = backend, 0
        self.listener: Listener | None = None

    async def start_backend(self, _: str) -> None:
        if self.listener is None:
            self.listener = await listen(self.backend, "127.0.0.1", self.port)
            self.port = self.listener.port

    async def stop_backend(self, _: str) -> None:
        if self.listener is not None:
            await self.listener.close()
            self.listener = None

    def connections(self, _: str) -> int:
        return self.listener.connections if self.listener is not None else 0

    async def seen(self, patience_s: float = ENOUGH_S) -> str:
        return await seen_at(self.port, patience_s)


async def seen_at(port: int, patience_s: float = ENOUGH_S) -> str:
    """What a client sees of a backend: a status, or how it ended."""
    timeout = aiohttp.ClientTimeout(total=patience_s)
    body = {**chat("Count from 1 to 40"), "stream": True}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(f"http://127.0.0.1:{port}/api/chat", json=body) as answer,
        ):
            await answer.read()
            return str(answer.status)
    except TimeoutError:
        return "silence"
    except aiohttp.ClientPayloadError:
        return "broken off"
    except aiohttp.ClientConnectorError:
        return "closed"
    except aiohttp.ClientError:
        return "reset"


@asynccontextmanager
async def outages(folder: Path) -> AsyncIterator[OneView]:
    backend = make_backend()
    view = OneView(backend)
    await view.start_backend(backend.name)
    served = Outages(folder / SOCKET, LocalStage({backend.name: backend}, view))  # type: ignore[arg-type]
    await served.start()
    try:
        yield view
    finally:
        await served.close()
        await view.stop_backend(backend.name)


def patience_for(expected: str) -> float:
    """Only what is silent for ever is left soon: another answer may take its time on a busy machine."""
    return PATIENCE_S if expected == "silence" else ENOUGH_S


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(ENOUGH_S):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("kind", "expected"), KINDS)
@on_a_loop
async def test_each_kind_is_what_it_says_until_it_is_restored(
    tmp_path: Path, kind: OutageKind, expected: str
) -> None:
    async with outages(tmp_path) as view:
        lease = await asyncio.to_thread(Lease, tmp_path)
        await asyncio.to_thread(lease.apply, kind, "llm-01")
        assert await view.seen(patience_for(expected)) == expected
        await asyncio.to_thread(lease.restore, "llm-01")
        assert await view.seen() == "200"
        lease.close()


def test_every_kind_is_known_to_the_lab() -> None:
    assert {*SCENARIOS, OutageKind.KILL} == set(OutageKind)


@on_a_loop
async def test_one_outage_replaces_another(tmp_path: Path) -> None:
    async with outages(tmp_path) as view:
        lease = await asyncio.to_thread(Lease, tmp_path)
        for kind, expected in (
            (OutageKind.BUSY, "429"),
            (OutageKind.KILL, "closed"),
            (OutageKind.BROKEN, "500"),
        ):
            await asyncio.to_thread(lease.apply, kind, "llm-01")
            assert await view.seen() == expected
        lease.close()


@on_a_loop
async def test_what_was_taken_is_given_back_when_the_lease_ends(tmp_path: Path) -> None:
    async with outages(tmp_path) as view:
        lease = await asyncio.to_thread(Lease, tmp_path)
        await asyncio.to_thread(lease.apply, OutageKind.KILL, "llm-01")
        assert view.listener is None
        lease.close()
        await until(lambda: view.listener is not None)


@on_a_loop
async def test_and_when_its_process_is_killed(tmp_path: Path) -> None:
    async with outages(tmp_path) as view:
        holder = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", HOLDS, str(tmp_path)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"away\n"
        assert view.listener is None
        os.kill(holder.pid, signal.SIGKILL)
        await holder.wait()
        await until(lambda: view.listener is not None)


@on_a_loop
async def test_the_load_is_what_the_backend_holds(tmp_path: Path) -> None:
    async with outages(tmp_path) as view:
        lease: Disruptor = await asyncio.to_thread(Lease, tmp_path)
        assert await asyncio.to_thread(lease.load, "llm-01") == Load(0, 0)
        await asyncio.to_thread(lease.apply, OutageKind.BLACK_HOLE, "llm-01")
        asked = asyncio.ensure_future(view.seen())
        await until(lambda: view.backend.in_flight == 1)
        assert await asyncio.to_thread(lease.load, "llm-01") == Load(1, 1)
        asked.cancel()
        await until(lambda: view.backend.in_flight == 0)
        lease.close()


@on_a_loop
async def test_a_backend_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with outages(tmp_path):
        lease = await asyncio.to_thread(Lease, tmp_path)
        with pytest.raises(NotStarted, match="could not apply llm-09"):
            await asyncio.to_thread(lease.apply, OutageKind.KILL, "llm-09")
        lease.close()


def test_without_a_lab_there_is_no_lease(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="no lab takes outages at"):
        Lease(tmp_path)


class Stubborn:
    """A stage one of whose backends does not come back."""

    def __init__(self) -> None:
        self.away: set[str] = set()

    async def begin(self, _: OutageKind, backend: str) -> None:
        self.away.add(backend)

    async def end(self, backend: str) -> None:
        if backend == "stuck":
            raise OSError("its port was taken meanwhile")
        self.away.discard(backend)

    async def load(self, _: str) -> Load:
        return Load(0, 0)


@on_a_loop
async def test_one_that_does_not_come_back_keeps_no_other_away(tmp_path: Path) -> None:
    stage = Stubborn()
    outages = Outages(tmp_path / SOCKET, stage)
    await outages.start()
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / SOCKET))
    names = ("stuck", "llm-01", "llm-02")
    for name in names:
        writer.write(
            json.dumps({"do": "apply", "kind": OutageKind.KILL.value, "backend": name}).encode() + b"\n"
        )
        assert json.loads(await reader.readline()) == {}
    assert stage.away == {*names}
    writer.close()
    await reader.read()  # until the lease is over
    await outages.close()
    assert stage.away == {"stuck"}
