"""Of two labs at the same addresses the second waits for the first, or says who holds them.

Each lab's supervisor listens at an abstract unix socket that is named after the gateway's address. The kernel
takes it back however the process ends, tells others its pid, and scopes it as it scopes the addresses: to a
network namespace.
"""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import Environment
from lab.patience import patient
from lab.ports import place
from lab.state import lab_folder

WAIT_BUDGET_S = 600
"""Of an idle machine: a nightly run takes two minutes."""
ASK_AGAIN_S = 0.1
BACKLOG = 64
"""Runs that wait at a time."""


@contextmanager
def held_addresses(environment: Environment, say: Callable[[str], None]) -> Iterator[socket.socket]:
    """The socket that stands for the environment's addresses; a supervisor inherits it and holds it on.

    Waits while another run holds it, and says so. Raises NotStarted where a lab holds it that is kept
    running, or where the wait takes too long.
    """
    host, port = place(environment.gateway.url)
    name = f"\0gateway-acceptance-{host}:{port}"
    until = time.monotonic() + patient(WAIT_BUDGET_S)
    announced = False
    while True:
        held = socket.socket(socket.AF_UNIX)
        with contextlib.ExitStack() as stack:
            stack.callback(held.close)
            try:
                held.bind(name)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                holder = _holder(name)
            else:
                yield held
                return
        if holder is not None:
            with holder as connection:
                who = _refuse_kept(connection, environment)
                if not announced:
                    say(f"{environment.name}: {host}:{port} is held by {who}; waiting for its end ...")
                    announced = True
                _wait_for_end(connection, until)
        else:
            time.sleep(ASK_AGAIN_S)  # it is just starting, or has just ended
        if time.monotonic() >= until:
            raise NotStarted(
                f"{environment.name}: {host}:{port} is still held by another run of it; end that, or copy "
                "the environment file and give it other addresses of 127.0.0.0/8"
            )


def _holder(name: str) -> socket.socket | None:
    """A connection to whoever holds the name; None where nobody listens there (yet, or any more)."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(name)
    except OSError:
        connection.close()
        return None
    return connection


def _refuse_kept(connection: socket.socket, environment: Environment) -> str:
    """Who holds the addresses, for people. Raises NotStarted where they are not given back by themselves."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid = struct.unpack("3i", packed)[0]
    try:
        root = psutil.Process(pid).cwd()
        state = json.loads((lab_folder(Path(root), environment) / "state.json").read_text(encoding="utf-8"))
    except (psutil.Error, OSError, ValueError):
        return f"another run of it (process {pid})"
    if state.get("pid") == pid and state.get("owner") is None:
        raise NotStarted(
            f"{environment.name}: its addresses are held by the lab that {root} keeps running "
            f"(process {pid}); run `gateway-acceptance lab down` there, or copy the environment file and "
            "give it other addresses"
        )
    return f"a run of {root} (process {pid})"


def _wait_for_end(connection: socket.socket, until: float) -> None:
    """Returns when the holder has ended, or the time is up."""
    connection.settimeout(max(ASK_AGAIN_S, until - time.monotonic()))
    with contextlib.suppress(OSError):
        connection.recv(1)  # nothing is ever sent: it returns when the holder's end closes it
