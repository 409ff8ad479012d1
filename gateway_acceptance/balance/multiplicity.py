"""One alpha for several groups: the more groups are judged, the more often chance alone would fail one.

A sequential p-value is one over the largest e-value so far; it may be used like any other.
"""

from __future__ import annotations

from collections.abc import Mapping


def alpha_of_each(alpha: float, groups: int) -> float:
    """What each group may spend when all are judged apart, before the others are known (Bonferroni)."""
    if groups < 1:
        raise ValueError("alpha is shared by at least one group")
    return alpha / groups


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p-values: those at most alpha are rejected, and then the probability of even one false
    alarm is at most alpha, however the groups depend on each other (Holm 1979)."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda one: p_values[one])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def e_bh(e_values: Mapping[str, float], alpha: float) -> set[str]:
    """The groups that e-BH rejects: of them at most alpha are false alarms on average, however the groups
    depend on each other (Wang and Ramdas, JRSS B 2022)."""
    ranked = sorted(e_values, key=lambda name: -e_values[name])
    rejected = 0
    for rank, name in enumerate(ranked, 1):
        if rank * e_values[name] >= len(ranked) / alpha:
            rejected = rank
    return set(ranked[:rejected])
