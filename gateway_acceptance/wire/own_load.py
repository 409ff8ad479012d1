"""How much later a run sees what it sees because its own machine is busy.

An answer that waits for a processor of the client's machine is not a gateway's silence.
"""

from __future__ import annotations

import os

WAITING_PER_CORE = 2.0
"""So many processes that run or wait for each core make nobody late by seconds."""
MOST = 4.0


def lateness() -> float:
    """The factor, 1 to ``MOST``, for waits that silence ends: 1 on a machine with time to spare,
    2 where four processes want each core. Source: the load average of the last minute."""
    return factor(os.getloadavg()[0], len(os.sched_getaffinity(0)))


def factor(load: float, cores: int) -> float:
    """load: processes that run or wait to; cores: those that this process may use."""
    return min(MOST, max(1.0, load / (WAITING_PER_CORE * cores)))
