"""A deployment that is taken out again as soon as it is back: the shares are then off in every block, and
the gateway is right.

Whoever gets most of the requests, or all of them by its order, gets most of another client's failing ones as
well. So where chance may take out time and again whoever is missing, the second sample is looked at more
closely: a cooldown lasts, so pieces of a block that are a part of it long differ from each other by far more
than chance, in or out; shares that are wrong are so in all of them alike. Whoever is missing altogether has
its own reading: chance does not take it out a dozen times one after the other, unless nearly all requests
are its.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from gateway_acceptance.balance.cooled import Cooling, cooling_of
from gateway_acceptance.balance.expected_shares import WitnessResolution
from gateway_acceptance.plugin.targets import Target
from suites.backends.balance.cooldown import Second, alike, too_seldom
from suites.backends.balance.evaluation import Evaluation, counts_text
from suites.backends.balance.witness import witness_of

TIMES = 0.5
"""Whoever a failing request takes out with a higher probability may be missing in all blocks: twelve
cooldowns one after the other all hit it in one of 4,096 runs at this one, in one of five at 7/8."""
PIECES = 4
"""Of each block, which is a little longer than a cooldown."""
ALIKE = 0.005
"""How probable it must be that pieces of the same shares differ so much or more (chi-square). Those of a
cooldown that comes and goes differ so little in none of some thousands of runs
(tests/unit/test_balance_recurring)."""
CHANCE = 0.01
"""How improbable it must be that those who are missing altogether are taken out again each time."""


def recurrence(
    target: Target, alias: str, first: Evaluation, counts: Mapping[str, int], second: Second
) -> str:
    """Why a cooldown that comes back may explain what both samples show, in words; empty where it does not.
    counts: by which somebody is missing."""
    router = cooling_in(target, alias, witness_of(target))
    return comes_back(too_seldom(first.null, Counter(counts)), router, second)


def comes_back(missing: set[str], router: Cooling, second: Second) -> str:
    """The same of those who are missing."""
    reason = taken_out_again(missing, router)
    return "" if not reason or unexplained(missing, router, second) else f"{reason}: {seen(second)}"


def seen(second: Second) -> str:
    """What a second sample shows that does not tell it apart."""
    counts = counts_text(Counter(second.served))
    return f"a second sample, over {second.seconds:.0f} s, is what that may leave: {counts}"


def cooling_in(target: Target, alias: str, witness: WitnessResolution) -> Cooling:
    """What the gateway's router does while deployments of a group are out."""
    environment = target.environment
    version = target.preflight().version or environment.gateway.version
    return cooling_of(environment.group(alias), environment.gateway, version, witness)


def taken_out_again(missing: set[str], router: Cooling) -> str:
    """Why those who are missing may be out all the time behind a right gateway; empty where that would be too
    much of a chance."""
    again = router.chance(missing)
    if again <= TIMES:
        return ""
    return (
        f"a failing request hits {' and '.join(sorted(missing))} with a probability of {again:.0%}, and may "
        "do so again as soon as they are back"
    )


def unexplained(missing: set[str], router: Cooling, second: Second) -> bool:
    """Whether the second sample is not what is left where they are taken out and come back."""
    rows = [[one in missing for one in piece] for block in second.blocks for piece in pieces(block)]
    number = sum(map(sum, rows))
    if number >= len(rows):  # of fewer, once in a piece on average, pieces tell nothing
        return alike([["missing" if one else "other" for one in row] for row in rows]) > ALIKE
    return not number and router.chance(missing) ** len(second.blocks) <= CHANCE


def pieces(block: Sequence[str]) -> list[Sequence[str]]:
    """A block in ``PIECES`` parts, each shorter than a cooldown."""
    length = max(1, math.ceil(len(block) / PIECES))
    return [block[start : start + length] for start in range(0, len(block), length)]
