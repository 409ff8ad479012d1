"""Confidence sequences: intervals for a share that hold at every draw at once.

The shares that a beta-binomial mixture martingale has not yet excluded (Howard, Ramdas, McAuliffe and Sekhon,
Annals of Statistics 2021, section 3; the mixture is Robbins's).
"""

from __future__ import annotations

import math
from collections.abc import Callable

LEAST_PRIOR = 0.5
"""Of each side of the mixture: any fixed prior is valid, and one of zero would exclude nothing."""
HALVINGS = 40
"""Of the search for an end: 2^-40 is far below what is shown."""


def interval(
    count: int, draws: int, centre: float, level: float, concentration: float
) -> tuple[float, float]:
    """The shares that ``count`` of ``draws`` leave possible; level: probability of ever being wrong.

    centre, concentration: of the mixture, fixed before the first draw; they decide where the interval is
    narrow, never whether it is right.
    """
    hits, misses = max(concentration * centre, LEAST_PRIOR), max(concentration * (1 - centre), LEAST_PRIOR)
    mixture = _log_beta(hits + count, misses + draws - count) - _log_beta(hits, misses)
    bound = mixture + math.log(level)  # shares with a log likelihood at or below this are excluded

    def excluded(share: float) -> bool:
        return _log_likelihood(count, draws, share) <= bound

    best = count / draws if draws else centre
    low = 0.0 if not excluded(0.0) else _edge(best, 0.0, excluded)
    high = 1.0 if not excluded(1.0) else _edge(best, 1.0, excluded)
    return low, high


def _edge(inside: float, outside: float, excluded: Callable[[float], bool]) -> float:
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        if excluded(middle):
            outside = middle
        else:
            inside = middle
    return outside


def _log_beta(one: float, other: float) -> float:
    return math.lgamma(one) + math.lgamma(other) - math.lgamma(one + other)


def _log_likelihood(count: int, draws: int, share: float) -> float:
    if (count and share == 0) or (draws - count and share == 1):
        return -math.inf
    hit = count * math.log(share) if count else 0.0
    miss = (draws - count) * math.log(1 - share) if draws - count else 0.0
    return hit + miss
