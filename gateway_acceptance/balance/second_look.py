"""How many requests a second look takes: made only where a first one shows something, to tell it from a
cooldown (docs/balance.md)."""

from __future__ import annotations

import math

BLOCKS, LEAST_BLOCKS = 12, 9
"""Of a second sample, and the fewest that are enough where the declared cooldown is long. With six, of
right gateways of which one deployment or another cools down at any time one in a hundred was accused
(tests/unit/test_balance_cooldown)."""
LEAST_DRAWS, TIMES = 240, 2
"""Twenty of each block, and twice as many as the first sample where ``most_draws`` allows it: what one
shows, the other shall not miss."""
LEAST_ROW = 360
"""Draws of a second row of the order."""
PARTS = 6
"""Each later look for a second backend asks a sixth of what the first one did. A backend that is out at
every other moment is missed twelve times then in one of a thousand runs (production)."""
SLACK = 1.2
"""Of the declared cooldown: a router takes what cooled down back a little later."""
LONGEST_S = 150.0
"""A second look takes no longer; where the declared cooldown is too long for that, nobody is accused."""


SPREAD, SPREAD_PART = 2.0, 0.05
"""A first sample is spread over two cooldowns with their slack, where all samples of the run together take no
more than a twentieth of its seconds for that: what cools down then is missing from a part of it alone."""


def spread_of(cooldown_s: float, seconds: float, groups: int) -> float:
    """Over how many seconds a first sample is spread. seconds: the run's; groups: the balanced ones."""
    return min(SPREAD * cooldown_s * SLACK, SPREAD_PART * seconds / max(1, groups))


def second_draws(first: int, most: int) -> int:
    """How long a second sample is. first: draws of the first one; most: ``balance.most_draws``."""
    return max(LEAST_DRAWS, min(TIMES * first, most))


def row_draws(first: int, most: int) -> int:
    """How long a second row is. first: draws of the first one that were alone."""
    return max(LEAST_ROW, second_draws(first, most))


def blocks_in(cooldown_s: float) -> int:
    """How many blocks of this length ``LONGEST_S`` has room for."""
    return BLOCKS if cooldown_s * (BLOCKS + 1) <= LONGEST_S else max(0, int(LONGEST_S / cooldown_s) - 1)


def parts_of(first: int) -> int:
    """Requests of each later look for a second backend, where the first one took so many."""
    return math.ceil(first / PARTS)
