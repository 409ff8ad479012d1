"""A command on a pseudo-terminal, and what a person sees there: through a terminal emulator."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte

from lab.patience import patient

COLUMNS, LINES = 320, 50
WHOLE = 3000
"""Lines of a terminal that scrolls nothing away."""
ENDS_WITHIN_S = 120


@dataclass(frozen=True)
class Screen:
    """What stands on a terminal once a command has ended. last: the rows of its screen; whole: all rows, as a
    terminal shows them that nothing scrolls out of; title: of its window; raw: what was written to it."""

    code: int
    last: Sequence[str]
    whole: Sequence[str]
    title: str
    raw: bytes

    @property
    def shown(self) -> str:
        """The rows of the last screen, as one text."""
        return "\n".join(self.last)


def seen(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Screen:
    """Run a command to its end on a terminal of its own; raises TimeoutExpired where it does not end."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as reader:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**variables, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES)},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        try:
            raw = _all(reader.fileno())
            code = process.wait(patient(ENDS_WITHIN_S))
        finally:
            process.kill()
            process.wait()
    return screen_of(raw, code)


def screen_of(raw: bytes, code: int = 0) -> Screen:
    """What a terminal shows of these bytes."""
    last, whole = pyte.Screen(COLUMNS, LINES), pyte.Screen(COLUMNS, WHOLE)
    for screen in (last, whole):
        pyte.ByteStream(screen).feed(raw)
    rows = [[row.rstrip() for row in screen.display] for screen in (last, whole)]
    return Screen(code, rows[0], rows[1], last.title, raw)


def _all(descriptor: int) -> bytes:
    """Everything that is written to a terminal until nobody holds it any more (Linux says EIO then)."""
    found = bytearray()
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:
            return bytes(found)
        if not piece:
            return bytes(found)
        found += piece
