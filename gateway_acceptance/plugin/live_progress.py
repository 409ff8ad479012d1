"""How far a run has come: what a person sees while it goes on (docs/results.md). Knows no terminal."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway_acceptance.verdict import Verdict

SLOW_S = 2.0
"""A case that took longer is among the slow ones."""
SHOWN = 3
"""So many cases are shown as running, slow or red; the others are counted."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What one environment's run has used of what its policy allows. seconds: since the run began."""

    environment: str
    requests: int
    tokens: int
    seconds: float
    allowed_requests: int
    allowed_tokens: int
    allowed_seconds: float


@dataclass(frozen=True, slots=True)
class ProgressSnapshot:
    """One look at a run. running: case and for how long, in seconds, the longest first; slow: ended cases,
    the slowest first; red: check and first line of what it saw, in the order of their coming."""

    total: int
    done: int
    counts: Mapping[Verdict, int]
    running: Sequence[tuple[str, float]]
    slow: Sequence[tuple[str, float]]
    red: Sequence[tuple[str, str]]
    red_count: int


@dataclass
class Progress:
    """Counts the cases of a run as they begin and end. The terminal is drawn from another thread."""

    total: int = 0
    counts: Counter[Verdict] = field(default_factory=Counter)
    _running: dict[str, tuple[str, float]] = field(default_factory=dict)
    _ended: list[tuple[float, str]] = field(default_factory=list)
    _red: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begins(self, nodeid: str, name: str, now: float) -> None:
        """A case begins. name: as it is shown; now: seconds of a steady clock."""
        with self._lock:
            self._running[nodeid] = (name, now)

    def ends(self, nodeid: str, check: str, verdict: Verdict, message: str, now: float) -> None:
        """A case has ended."""
        with self._lock:
            name, began = self._running.pop(nodeid, (check, now))
            self.counts[verdict] += 1
            if now - began >= SLOW_S:
                self._ended = sorted([*self._ended, (now - began, name)], reverse=True)[:SHOWN]
            if verdict.red:
                self._red.append((check, message.strip().splitlines()[0] if message.strip() else verdict))

    def seen(self, now: float) -> ProgressSnapshot:
        """What can be said now."""
        with self._lock:
            running = sorted(((now - began, name) for name, began in self._running.values()), reverse=True)
            return ProgressSnapshot(
                self.total,
                self.counts.total(),
                dict(self.counts),
                [(name, for_s) for for_s, name in running],
                [(name, for_s) for for_s, name in self._ended],
                self._red[:SHOWN],
                len(self._red),
            )
