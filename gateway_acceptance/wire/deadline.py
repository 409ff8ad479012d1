"""How long one exchange may take, whole: a clock that every read and write looks at.

Timeouts of sockets count the wait for the next byte. A server that sends one a second is never late by them;
so what is counted here is the whole, head and body, whatever arrives meanwhile (docs/safety.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

LARGEST_HEAD = 256 * 1024
"""Bytes up to the end of a head, interim answers (100 Continue) included; h11 bounds a head itself lower."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Seconds: to connect, and for the whole exchange up to the last byte."""

    connect_s: float
    total_s: float


class Allowance:
    """What one exchange may still take. silent: called after each ``poll_s`` seconds in which nothing came,
    with the seconds since the last byte; it may raise, which ends the wait. reused: whether it was sent on a
    connection that had carried an answer before; came: whether any byte of its answer did; left_off: whether
    silent raised."""

    __slots__ = (
        *("_connect_by", "_ends", "_head", "_heard", "begun", "came", "left_off", "limit", "poll_s"),
        *("reused", "silent"),
    )

    def __init__(
        self,
        limit: Deadline,
        *,
        poll_s: float | None = None,
        silent: Callable[[float], None] | None = None,
    ) -> None:
        self.limit, self.poll_s, self.silent = limit, poll_s, silent
        self.begun = self._heard = time.monotonic()
        self._ends = self.begun + limit.total_s
        self._connect_by = self._ends
        self._head: int | None = 0
        self.reused, self.came, self.left_off = False, False, False

    def left(self) -> float:
        """Seconds that are left for all of it; 0 or less where there are none."""
        return self._ends - time.monotonic()

    def poll(self) -> None:
        """Nothing came for a while. Raises what ``silent`` does."""
        if self.silent is None:
            return
        try:
            self.silent(time.monotonic() - self._heard)
        except BaseException:
            self.left_off = True
            raise

    def connecting(self) -> float:
        """A connection begins now. Seconds that it may take, name and TLS included."""
        self._connect_by = min(self._ends, time.monotonic() + self.limit.connect_s)
        return self.left_to_connect()

    def left_to_connect(self) -> float:
        """Seconds that are left of those."""
        return self._connect_by - time.monotonic()

    def head_has_come(self) -> None:
        """What arrives from here on is the body."""
        self._head = None

    def arrived(self, size: int) -> bool:
        """So many bytes came; False where that is too much for a head."""
        self._heard = time.monotonic()
        self.came = self.came or size > 0
        if self._head is None:
            return True
        self._head += size
        return self._head <= LARGEST_HEAD


CURRENT: ContextVar[Allowance | None] = ContextVar("allowance", default=None)
"""The allowance of the exchange whose bytes are moved just now, in this thread or task."""


@contextmanager
def within(allowance: Allowance) -> Iterator[None]:
    """What is read and written inside counts against this allowance."""
    token = CURRENT.set(allowance)
    try:
        yield
    finally:
        CURRENT.reset(token)
