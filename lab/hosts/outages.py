"""Outages of the lab's hosts: their backends are told through a socket in the /tmp of their own unit."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any

import psutil

from gateway_acceptance.disruptor import Load, OutageKind
from lab.hosts.machine import Leader
from lab.hosts.stand_in import CONTROL
from lab.outages import SCENARIOS

SERVES = ["/usr/local/bin/ollama", "serve"]
"""How the command line of a backend's process ends."""


class HostsStage:
    """The backends of the lab of hosts, by the inits of their hosts. A killed one has its port closed and its
    connections broken; its process lives on, so that it still knows what it had served."""

    def __init__(self, leaders: Mapping[str, Leader]) -> None:
        self._leaders = leaders

    async def begin(self, kind: OutageKind, backend: str) -> None:
        """See ``lab.outages.Stage``."""
        await self._send(backend, {"listens": kind is not OutageKind.KILL, "outage": SCENARIOS.get(kind)})

    async def end(self, backend: str) -> None:
        """See ``lab.outages.Stage``."""
        await self._send(backend, {"listens": True, "outage": None})

    async def load(self, backend: str) -> Load:
        """See ``lab.outages.Stage``."""
        return Load(**await self._send(backend, {}))

    async def _send(self, backend: str, asked: Mapping[str, object]) -> dict[str, Any]:
        """Raises KeyError for no backend, OSError where its service is not there or cannot do it."""
        path = control_of(self._leaders[backend])
        reader, writer = await asyncio.open_unix_connection(path)
        with contextlib.closing(writer):
            writer.write(json.dumps(asked).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
        reply: dict[str, Any] = json.loads(line) if line else {"error": "its service has ended"}
        if "error" in reply:
            raise OSError(f"{backend}: {reply['error']}")
        return reply


def control_of(leader: Leader) -> str:
    """The control socket of a host's backend, as this machine's root reaches it. Raises OSError."""
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(leader.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if process.cmdline()[-len(SERVES) :] == SERVES:
                    return f"/proc/{process.pid}/root{CONTROL}"
    raise FileNotFoundError("its service does not run")
