"""What must hold of load that was held: answers in, problems out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

from gateway_acceptance.problem import Problem
from suites.api.soak.hold import TOO_MANY, HeldAnswer

LEAST_SLOWER_S = 0.3
"""A difference that nobody minds, and that a busy machine makes by itself."""
SHOWN = 3


def lost(answers: Sequence[HeldAnswer], what: str) -> list[Problem]:
    """Every one was answered with 200, and by a model. Those that were refused as too many are told by
    themselves: a limit that nobody declared is no defect (``plugin/limited.py``), and hides none."""
    limited = [one for one in answers if one.status == TOO_MANY]
    failed = [one for one in answers if one.status not in (200, TOO_MANY)]
    empty = [one for one in answers if one.empty]
    return [
        *_counted(failed, len(answers), what, "not answered with 200"),
        *_counted(empty, len(answers), what, "answered without a word of a model"),
        *_counted(limited, len(answers), what, "refused as too many"),
    ]


def refused_otherwise(first: Sequence[HeldAnswer], then: Sequence[HeldAnswer]) -> list[Problem]:
    """Every one was answered as those of its kind were at first, to the last, or refused for being too many.
    Which status a mistake deserves is for other checks (API-ERR)."""
    problems = []
    for kind in dict.fromkeys(one.kind for one in first):
        known = sorted({one.status for one in first if one.kind == kind and one.status is not None})
        those = [one for one in then if one.kind == kind]
        wrong = [one for one in those if one.status not in (*known, TOO_MANY)]
        at_first = " or ".join(map(str, known)) or "no answer at all"
        problems += _counted(
            wrong, len(those), f"requests of {kind}", f"not answered with {at_first}, as at first"
        )
    return problems


def failing(answers: Sequence[HeldAnswer]) -> int:
    """How many were refused, or failed: what was served was no such request."""
    return sum(one.status != 200 for one in answers)


def slower(first: Sequence[HeldAnswer], then: Sequence[HeldAnswer], times: float, when: str) -> list[Problem]:
    """By the medians. times: how much longer they may be. Raises nothing where nothing was answered: that is
    another rule's."""
    was, now = (_median(answers) for answers in (first, then))
    if was is None or now is None or now <= max(times * was, was + LEAST_SLOWER_S):
        return []
    return [
        Problem("", f"{when}, an answer takes {now:.2f} s, it took {was:.2f} s (soak.slower = {times:g})")
    ]


def _median(answers: Sequence[HeldAnswer]) -> float | None:
    times = [one.seconds for one in answers if one.served]
    return median(times) if times else None


def _counted(wrong: Sequence[HeldAnswer], of: int, what: str, how: str) -> list[Problem]:
    kinds = Counter(f"{one.status or 'no answer'}: {one.said}" for one in wrong).most_common(SHOWN)
    seen = "; ".join(f"{count} times {kind}" for kind, count in kinds)
    return [Problem("", f"of {of} {what}, {len(wrong)} were {how}: {seen}")] if wrong else []
