"""Forwards on loopback into the hosts' network: the only way in, and no packet goes out."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
from concurrent.futures import ThreadPoolExecutor

CLONE_NEWNET = 0x40000000
PIECE = 65536


class Forwards:
    """Listeners on loopback, each to one address in the network namespace of a process."""

    def __init__(self, pid: int) -> None:
        """pid: a process in the namespace. Needs CAP_SYS_ADMIN."""
        self._inside = ThreadPoolExecutor(1, initializer=_enter_network, initargs=(pid,))
        self._servers: list[asyncio.Server] = []
        self._relays: set[asyncio.Task[None]] = set()

    async def add(self, listens: tuple[str, int], target: tuple[str, int]) -> None:
        """Forward a loopback address and port. Raises ValueError for another address, OSError where taken."""
        if not listens[0].startswith("127."):
            raise ValueError(f"{listens[0]} is no loopback address")

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(self._relay(reader, writer, target))
            self._relays.add(task)
            task.add_done_callback(self._relays.discard)

        self._servers.append(await asyncio.start_server(accept, *listens))

    async def connect(self, target: tuple[str, int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection from inside the namespace. Raises OSError."""
        loop = asyncio.get_running_loop()
        inner = await loop.run_in_executor(self._inside, _new_socket)
        try:
            await loop.sock_connect(inner, target)
            return await asyncio.open_connection(sock=inner)
        except OSError:
            inner.close()
            raise

    async def close(self) -> None:
        """Close listeners and connections."""
        for server in self._servers:
            server.close()
        for task in list(self._relays):
            task.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)
        self._inside.shutdown()

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: tuple[str, int]
    ) -> None:
        try:
            inner_reader, inner_writer = await self.connect(target)
        except OSError:
            writer.transport.abort()  # a reset: nobody answers there
            return
        try:
            await asyncio.gather(
                _pass(reader, inner_writer, writer), _pass(inner_reader, writer, inner_writer)
            )
        finally:
            for end in (writer, inner_writer):
                end.close()


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, other: asyncio.StreamWriter
) -> None:
    """Pass on every piece at once; an end as an end, an abort as an abort."""
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
    except OSError:
        writer.transport.abort()
        other.transport.abort()


def _new_socket() -> socket.socket:
    """A socket belongs to the namespace of the thread that makes it."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _enter_network(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "the network namespace cannot be entered")
    finally:
        os.close(descriptor)
