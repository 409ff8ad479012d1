"""Right gateways that are slow for a while, or under load, and then no more: no leak, and no defect."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from lab.controls.model import Control
from lab.faults.model import After
from lab.message import Reply, Request

FIRST_S, EACH = 1.5, 0.9
"""How long the first answer takes longer, and of that each further one: after 20 of them it is 0.2 s."""
SLOT_S = 0.01
CHAT = "/chat/completions"
SOAKS = ("API-SOAK-001", "API-SOAK-002", "API-SOAK-003")


def warming_up(clock: Callable[[], float] = time.monotonic) -> After:
    """An after-hook: pools, caches and compiled code are made by the first requests of a load, those that
    are refused among them; and answers are made one after the other, as a backend with one slot does."""
    numbers = itertools.count()
    free, lock = [0.0], threading.Lock()

    def after(request: Request, reply: Reply) -> Reply:
        if not request.at(CHAT) or request.json.get("max_tokens") != 1:  # as a soak asks
            return reply
        with lock:
            now = clock()
            free[0] = max(now, free[0]) + SLOT_S
            return replace(reply, delay_s=free[0] - now + FIRST_S * EACH ** next(numbers))

    return after


WARMING_CONTROLS = (
    Control(
        "right-warming-up",
        "the first answers of a load are slow, and all are made one after the other",
        after=warming_up(),
        checks=("API-SOAK-0",),
        concerns=SOAKS,
    ),
)
