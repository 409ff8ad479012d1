"""Who may use an environment now: many cases at a time, or one that takes something of it down.

A readers-writer lock over the workers of a run: two files in its private folder, locked by ``flock``, so that
the kernel gives them back when a worker dies. Whoever wants the environment alone first closes a turnstile:
those who come later wait behind it, and nobody starves.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_S = 300.0
"""The longest that a case waits for others: longer than any one case may take."""
POLL_S = 0.02


class LockTimeout(RuntimeError):  # noqa: N818
    """Others held the environment for longer than any case may take: an error of the suite's own."""


class EnvironmentLock:
    """The lock of one environment. folder: private to the run, shared by its workers."""

    def __init__(self, folder: Path, environment: str, wait_s: float = WAIT_S) -> None:
        self._turnstile = folder / f"turnstile-{environment}"
        self._room = folder / f"room-{environment}"
        self._environment, self._wait_s = environment, wait_s

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Use the environment beside others. Raises LockTimeout."""
        ends = time.monotonic() + self._wait_s
        with self._locked(self._turnstile, fcntl.LOCK_EX, ends):
            room = self._take(self._room, fcntl.LOCK_SH, ends)
        try:
            yield
        finally:
            os.close(room)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the environment alone. Raises LockTimeout."""
        ends = time.monotonic() + self._wait_s
        with (
            self._locked(self._turnstile, fcntl.LOCK_EX, ends),
            self._locked(self._room, fcntl.LOCK_EX, ends),
        ):
            yield

    @contextmanager
    def _locked(self, path: Path, how: int, ends: float) -> Iterator[None]:
        descriptor = self._take(path, how, ends)
        try:
            yield
        finally:
            os.close(descriptor)

    def _take(self, path: Path, how: int, ends: float) -> int:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while True:
            try:
                fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > ends:
                    os.close(descriptor)
                    raise LockTimeout(
                        f"other cases held the environment {self._environment} for {self._wait_s:g} s; run "
                        "the checks of effect disrupt by themselves (-m disrupt)"
                    ) from None
                time.sleep(POLL_S)
            else:
                return descriptor
