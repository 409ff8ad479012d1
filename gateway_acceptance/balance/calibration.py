"""The smallest threshold that keeps the promise of alpha, where the possible counts are few enough to
compute it.

Ville's inequality promises that a right gateway's e-process ever reaches 1/alpha with a probability of at
most alpha, for any number of draws. Of a sample of a known length the probability can be computed
exactly, draw by draw, and a lower threshold found that still keeps it: the same false alarms, more power.
"""

from __future__ import annotations

import functools
import math
from dataclasses import replace

from gateway_acceptance.balance.sequential import Design

MOST_COUNTS = 4000
"""Up to so many possible counts of a whole sample the threshold is computed; of more, it is 1/alpha."""
HALVINGS = 30
"""Of the search: the threshold's logarithm is then known to a billionth of its range."""


@functools.lru_cache(maxsize=64)
def calibrated(design: Design) -> Design:
    """The design with the smallest threshold whose false alarms stay at alpha, over all its draws."""
    if not can_be_computed(design) or sum(share > 0 for share in design.shares) < 2:
        return design
    low, high = 0.0, -math.log(design.alpha)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if crossing(design, middle) <= design.alpha:
            high = middle
        else:
            low = middle
    return replace(design, threshold=high)


def can_be_computed(design: Design) -> bool:
    """Whether the possible counts of a whole sample are few."""
    kinds = len(design.shares)
    return math.comb(design.most_draws + kinds, kinds) <= MOST_COUNTS


def crossing(design: Design, threshold: float) -> float:
    """The probability that the e-process of a right gateway reaches a threshold (natural logarithm) at any of
    all draws; computed exactly, by the counts that have not reached it."""
    reached = 0.0
    level = {(0,) * len(design.shares): 1.0}
    for _ in range(design.most_draws):
        after: dict[tuple[int, ...], float] = {}
        for counts, probability in level.items():
            for place, share in enumerate(design.shares):
                if share > 0:
                    counted = (*counts[:place], counts[place] + 1, *counts[place + 1 :])
                    after[counted] = after.get(counted, 0.0) + probability * share
        level = {}
        for counts, probability in after.items():
            if _log_e(design, counts) >= threshold:
                reached += probability
            else:
                level[counts] = probability
    return reached


@functools.lru_cache(maxsize=50_000)
def _log_e(design: Design, counts: tuple[int, ...]) -> float:
    return design.log_e(counts)
