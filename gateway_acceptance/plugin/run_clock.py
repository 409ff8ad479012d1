"""When a run began, by the clock of the world and by one that nobody sets."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


def steady_clock() -> float:
    """Seconds by a clock that nobody sets; it counts a machine's sleep where the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass
class RunClock:
    """started: seconds since the epoch."""

    started: float = field(default_factory=time.time)
    _steady: float = field(default_factory=steady_clock)

    def restart(self) -> None:
        """The run's own time begins now: what was prepared before does not count."""
        self.started, self._steady = time.time(), steady_clock()

    @property
    def elapsed_s(self) -> float:
        """Since the start, by the clock that nobody sets."""
        return round(steady_clock() - self._steady, 3)
