"""The lab's unix sockets, wherever it lies: the address of a socket holds 107 bytes, a path may be longer."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def short(path: Path) -> Iterator[str]:
    """The path for a socket's address, in the block. Raises OSError where its folder is not there."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def bound(path: Path) -> socket.socket:
    """A stream socket at the path, for a server; a left-over one is replaced. Raises OSError."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX)
    try:
        with short(path) as at:
            made.bind(at)
    except OSError:
        made.close()
        raise
    return made
