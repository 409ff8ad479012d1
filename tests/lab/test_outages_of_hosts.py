"""Outages of the lab of hosts, without hosts: a stand-in obeys at its socket, the stage tells it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway_acceptance.disruptor import Load, OutageKind
from lab.hosts import outages
from lab.hosts.machine import Leader
from lab.hosts.outages import HostsStage, control_of
from lab.hosts.stand_in import StandInBackend
from tests.lab.test_backends_client import make_backend
from tests.lab.test_outages import ENOUGH_S, KINDS, on_a_loop, patience_for, seen_at

NAME = "llm-01"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[HostsStage, int]]:
    """The stage, and the port of its one backend."""
    control, port = folder / "control.sock", free_port()
    server = StandInBackend(make_backend(), "127.0.0.1", port)
    await server.become(listens=True, outage=None)
    monkeypatch.setattr(outages, "control_of", lambda _: str(control))
    async with await asyncio.start_unix_server(server.obey, str(control)):
        yield HostsStage({NAME: Leader(0)}), port
    await server.become(listens=False, outage=None)


@pytest.mark.parametrize(("kind", "expected"), KINDS)
@on_a_loop
async def test_each_kind_is_what_it_says_until_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: OutageKind, expected: str
) -> None:
    async with stand_in(tmp_path, monkeypatch) as (stage, port):
        await stage.begin(kind, NAME)
        assert await seen_at(port, patience_for(expected)) == expected
        await stage.end(NAME)
        assert await seen_at(port) == "200"


@on_a_loop
async def test_one_replaces_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stand_in(tmp_path, monkeypatch) as (stage, port):
        for kind, expected in (
            (OutageKind.BUSY, "429"),
            (OutageKind.KILL, "closed"),
            (OutageKind.BROKEN, "500"),
        ):
            await stage.begin(kind, NAME)
            assert await seen_at(port) == expected


@on_a_loop
async def test_its_load_is_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stand_in(tmp_path, monkeypatch) as (stage, port):
        assert await stage.load(NAME) == Load(0, 0)
        await stage.begin(OutageKind.BLACK_HOLE, NAME)
        asked = asyncio.ensure_future(seen_at(port))
        held = Load(0, 0)
        async with asyncio.timeout(ENOUGH_S):
            while not asked.done() and not held.slots:
                held = await stage.load(NAME)
        assert held == Load(1, 1)
        asked.cancel()
        await stage.begin(OutageKind.KILL, NAME)
        assert await stage.load(NAME) == Load(0, 0)


@on_a_loop
async def test_what_it_cannot_do_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stand_in(tmp_path, monkeypatch) as (stage, port):
        await stage.begin(OutageKind.KILL, NAME)
        with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError, match=f"{NAME}: .*in use"):
            await stage.end(NAME)
        with pytest.raises(KeyError):
            await stage.begin(OutageKind.KILL, "llm-09")


@on_a_loop
async def test_a_service_that_ends_instead_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    monkeypatch.setattr(outages, "control_of", lambda _: str(tmp_path / "control.sock"))
    async with await asyncio.start_unix_server(leave, str(tmp_path / "control.sock")):
        with pytest.raises(OSError, match=f"{NAME}: its service has ended|Broken pipe|reset"):
            await HostsStage({NAME: Leader(0)}).begin(OutageKind.KILL, NAME)


def test_its_socket_is_found_by_its_process() -> None:
    here = Leader(os.getpid())
    with pytest.raises(FileNotFoundError, match="does not run"):
        control_of(here)
    said = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", said, *outages.SERVES]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert control_of(here) == f"/proc/{process.pid}/root/tmp/outages.sock"
        process.communicate()
