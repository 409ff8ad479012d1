"""How fast and how many at once: kept over all workers of a run, through files in its private folder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from pathlib import Path

from gateway_acceptance.environment.model import Policy
from gateway_acceptance.verdict import NotPermitted
from gateway_acceptance.wire.exchange import Exchange

SPARE = 1.05
"""Times the interval of the declared pace: a limit counts when requests arrive, which is less even than they
leave, and of a pace that is just the limit one request of a window would be one too many."""
LONGEST_HOLD_S = 30.0
"""Of a Retry-After, so much is waited for; what asks for more is told, not waited for."""
TURN_S = 0.02
"""Seconds between two looks for a free place."""
PLACE_S = 60.0
"""Seconds after which nobody waits for a free place any more: who holds them all waits for itself."""
SOON_S = 3.0
"""A turn that is further away than this keeps nobody from its own answer."""
_INSTEAD: ContextVar[bool] = ContextVar("instead", default=False)


class Pace:
    """policy: ``requests_per_second`` and ``concurrency``; folder: private to the run, shared by workers;
    ends: Unix seconds when the budget of seconds is used up."""

    def __init__(self, folder: Path, environment: str, policy: Policy, ends: float) -> None:
        self._next = folder / f"pace-{environment}"
        self._places = [folder / f"place-{environment}-{number}" for number in range(policy.concurrency or 0)]
        self._every_s = SPARE / policy.requests_per_second if policy.requests_per_second else 0.0
        self._policy, self._ends = policy, ends

    def wait(self) -> None:
        """Until the next request may leave."""
        if not self._every_s and not self._next.exists():
            return
        with self._next.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            now = time.time()
            turn = max(now, _read(file.fileno()))
            _write(file.fileno(), turn + self._every_s)
        if turn > now:
            time.sleep(turn - now)

    def observe(self, exchange: Exchange) -> None:
        """A 429 or 503 that says when to ask again: nobody asks before, where that fits the budget."""
        if exchange.status not in (429, 503):
            return
        seconds = retry_after(exchange.header("retry-after") or "")
        if seconds is None or not 0 < seconds <= LONGEST_HOLD_S or time.time() + seconds > self._ends:
            return
        with self._next.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _write(file.fileno(), max(time.time() + seconds, _read(file.fileno())))

    def soon(self) -> bool:
        """Whether the next request may leave within moments: nobody told this run to wait."""
        if not self._next.exists():
            return True
        with self._next.open("r", encoding="utf-8") as file:
            return _read(file.fileno()) - time.time() <= SOON_S

    @contextmanager
    def instead(self) -> Iterator[None]:
        """What is asked inside is asked while a request of this thread waits for its answer, and because of
        it: it needs no place, for that request holds one, and would wait for itself."""
        token = _INSTEAD.set(True)
        try:
            yield
        finally:
            _INSTEAD.reset(token)

    @property
    def beyond(self) -> bool:
        """Whether what is asked now may be one more than is allowed at once: a 429 to it means nothing."""
        return bool(self._places) and _INSTEAD.get()

    def place(self) -> int | None:
        """A place among those that may be asked at once, to be given back; None where they are not counted,
        or ``instead`` of what holds one. Raises NotPermitted where none became free."""
        if not self._places or _INSTEAD.get():
            return None
        until = time.monotonic() + PLACE_S
        while True:
            for path in self._places:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    os.close(descriptor)
                    continue
                return descriptor
            if time.monotonic() > until:
                raise NotPermitted(
                    f"the policy lets {len(self._places)} requests be asked at once (policy.concurrency)"
                )
            time.sleep(TURN_S)


def says_when(exchange: Exchange) -> bool:
    """Whether it is a 429 that names a time which is waited for."""
    seconds = retry_after(exchange.header("retry-after") or "") if exchange.status == 429 else None
    return seconds is not None and seconds <= LONGEST_HOLD_S


def retry_after(value: str) -> float | None:
    """Seconds of a Retry-After (RFC 9110 section 10.2.3), a number or a date; None for what is neither."""
    if value.strip().isdecimal():
        return float(value)
    try:
        return parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None


def _read(descriptor: int) -> float:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return float(os.read(descriptor, 64) or b"0")


def _write(descriptor: int, turn: float) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, repr(turn).encode(), 0)
