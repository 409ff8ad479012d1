"""Timeouts are for what hangs: on a busy machine everything takes longer, and nothing hangs for that."""

from __future__ import annotations

import os

LEAST = 2.0
"""Times the seconds of an idle machine, always: load is an average of a minute, and may just begin."""
MOST = 12.0
"""Beyond that, nobody would wait for the verdict."""


def patient(seconds: float) -> float:
    """The timeout on this machine, as busy as it is, of what takes ``seconds`` at most on two idle cores."""
    return seconds * factor(os.getloadavg()[0], len(os.sched_getaffinity(0)))


def factor(load: float, cores: int) -> float:
    """How much longer things may take. load: processes that run or wait to, each with its share."""
    return min(MOST, max(LEAST, LEAST * (1 + load) / cores))
