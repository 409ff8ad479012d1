"""Pure rules of API-OPS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

TRIES = 3


def late_twice(bound: float, seen: Sequence[float], ask: Callable[[], float]) -> list[float]:
    """Seconds of each answer, asked again up to three times in all, until it is plain whether two are beyond
    the bound. seen: of those that came already; ask: gives the seconds of one more."""
    took = list(seen)
    while len(took) < TRIES and sum(one > bound for one in took) == 1:
        took.append(ask())
    return took
