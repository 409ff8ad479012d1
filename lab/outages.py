"""Outages of a lab's backends, by a lease: they last as long as the connection that asked for them.

One JSON object per line on a unix socket, one answer each. Whoever holds the connection may take backends
away; when it ends, be it that its process was killed, everything that it took is given back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from gateway_acceptance.disruptor import Load, OutageKind
from gateway_acceptance.embedded import NotStarted
from lab.backends import BackendServer
from lab.listeners import Listeners
from lab.sockets import bound, short

SOCKET = "outages.sock"
ANSWER_BUDGET_S = 20
"""Seconds for one outage to be in force."""

SCENARIOS: Mapping[OutageKind, str] = {
    OutageKind.REFUSE: "backend-down",
    OutageKind.BLACK_HOLE: "black-hole",
    OutageKind.SLOW: "slower-than-patience",
    OutageKind.BUSY: "error-429",
    OutageKind.BROKEN: "error-500",
    OutageKind.DROP: "stream-dies-late",
    OutageKind.SWAP: "model-swapped",
}
"""The backends' defect of each kind; a killed backend has none: nobody listens there."""


class OutageLab(Protocol):
    """Where outages happen: the backends of a lab."""

    async def begin(self, kind: OutageKind, backend: str) -> None:
        """Returns when the outage is in force; it replaces another one."""
        ...  # pragma: no cover

    async def end(self, backend: str) -> None:
        """Returns when the backend serves again."""
        ...  # pragma: no cover

    async def load(self, backend: str) -> Load:
        """What the backend holds."""
        ...  # pragma: no cover


class Outages:
    """Serves leases at a socket; a line is ``{"do": "apply", "backend": …, "kind": …}``, or so."""

    def __init__(self, path: Path, stage: OutageLab) -> None:
        self._path, self._stage = path, stage
        self._server: asyncio.Server | None = None
        self._lock = asyncio.Lock()
        self._leases: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; a left-over socket is replaced."""

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            lease = asyncio.get_running_loop().create_task(self._lease(reader, writer))
            self._leases.add(lease)
            lease.add_done_callback(self._leases.discard)

        self._server = await asyncio.start_unix_server(accept, sock=bound(self._path))

    async def close(self) -> None:
        """Stop serving; what is taken is given back."""
        if self._server is not None:
            self._server.close()
        for lease in list(self._leases):
            lease.cancel()
        await asyncio.gather(*self._leases, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _lease(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken: set[str] = set()
        try:
            while line := await reader.readline():
                answer = await self._done(json.loads(line), taken)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            pass  # whoever asked is gone, or talks nonsense: the lease is over
        finally:
            for backend in taken:
                with contextlib.suppress(OSError, KeyError):  # of one: the others come back all the same
                    await self._stage.end(backend)
            writer.close()

    async def _done(self, asked: Mapping[str, str], taken: set[str]) -> dict[str, Any]:
        backend = asked["backend"]
        async with self._lock:
            try:
                if asked["do"] == "apply":
                    taken.add(backend)
                    await self._stage.begin(OutageKind(asked["kind"]), backend)
                elif asked["do"] == "restore":
                    await self._stage.end(backend)
                    taken.discard(backend)
                else:
                    found = await self._stage.load(backend)
                    return {"slots": found.slots, "connections": found.connections}
            except (OSError, KeyError) as error:
                return {"error": f"{type(error).__name__}: {error}"}
        return {}


class Lease:
    """The other end, in the process of a check: a ``Disruptor``. Raises NotStarted where no lab listens, or
    where it cannot do what is asked."""

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_BUDGET_S)
        try:
            with contextlib.ExitStack() as stack:
                stack.callback(self._socket.close)
                with short(folder / SOCKET) as at:
                    self._socket.connect(at)
                stack.pop_all()
        except OSError as error:
            raise NotStarted(f"no lab takes outages at {folder / SOCKET} ({error.strerror})") from None
        self._lines = self._socket.makefile("rb")

    def apply(self, kind: OutageKind, backend: str) -> None:
        """See ``Disruptor``."""
        self._ask(do="apply", kind=kind.value, backend=backend)

    def restore(self, backend: str) -> None:
        """See ``Disruptor``."""
        self._ask(do="restore", backend=backend)

    def load(self, backend: str) -> Load:
        """See ``Disruptor``."""
        return Load(**self._ask(do="load", backend=backend))

    def close(self) -> None:
        """See ``Disruptor``."""
        self._lines.close()
        self._socket.close()

    def _ask(self, **asked: str) -> dict[str, Any]:
        try:
            self._socket.sendall(json.dumps(asked).encode() + b"\n")
            line = self._lines.readline()
        except OSError as error:
            raise NotStarted(f"the lab did not answer to {asked}: {error}") from None
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the lab has ended"}
        if "error" in answer:
            raise NotStarted(f"the lab could not {asked['do']} {asked['backend']}: {answer['error']}")
        return answer


class LocalStage:
    """The backends of a lab on loopback: objects of the supervisor's own process."""

    def __init__(self, backends: Mapping[str, BackendServer], views: Listeners) -> None:
        self._backends, self._views = backends, views

    async def begin(self, kind: OutageKind, backend: str) -> None:
        """See ``OutageLab``."""
        if kind is OutageKind.KILL:
            await self._views.stop_backend(backend)
            self._backends[backend].outage = None
        else:
            await self._views.start_backend(backend)
            self._backends[backend].outage = SCENARIOS[kind]

    async def end(self, backend: str) -> None:
        """See ``OutageLab``."""
        self._backends[backend].outage = None
        await self._views.start_backend(backend)

    async def load(self, backend: str) -> Load:
        """See ``OutageLab``."""
        return Load(self._backends[backend].in_flight, self._views.connections(backend))
