"""A deployment that is taken out again as soon as it is back: the shares are then off in every block, and
the gateway is right.

Whoever gets most of the requests, or all of them by its order, gets most of another client's failing ones as
well. So where chance may take out time and again whoever is missing, a row of draws in bursts decides: within
a burst, shorter than a cooldown, a right router draws by the declared shares of those that are in. Shares
that are wrong are so within each burst. Whoever is missing altogether has its own reading: chance does not
take it out two dozen times one after the other, unless nearly all requests are its.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from gateway_acceptance.balance.cooled import Cooling, cooling_of
from gateway_acceptance.balance.expected_shares import Witness
from gateway_acceptance.plugin.targets import Target
from suites.backends.balance.cooldown import Second, too_seldom
from suites.backends.balance.evaluation import Judged, counts_text
from suites.backends.balance.later import second_row
from suites.backends.balance.witness import witness_of

TIMES = 0.5
"""Whoever a failing request takes out with a higher probability may be missing in all blocks: twelve
cooldowns one after the other all hit it in one of 4,096 runs at this one, in one of five at 7/8."""
PART_OF_COOLDOWN = 0.5
"""How long a piece of a row is at most: nobody is taken out within it and comes back."""
CHANCE = 0.001
"""How improbable what accuses must be behind a right gateway, whatever cools down when."""


def recurrence(target: Target, alias: str, first: Judged, counts: Mapping[str, int], second: Second) -> str:
    """Why cooldowns that come back may explain what both samples show, in words; empty where they do not.
    Raises NotPermitted."""
    router = cooling_in(target, alias, witness_of(target))
    reason = comes_back(first, counts, router)
    if not reason:
        return ""
    row = second_row(target, alias, first)
    if told_apart(first, counts, router, [second, row], target.environment.outage.cooldown_s):
        return ""
    told = row.unknown or f"a row in bursts does not tell it apart: {counts_text(Counter(row.served))}"
    return f"{reason}; {told}"


def cooling_in(target: Target, alias: str, witness: Witness) -> Cooling:
    """What the gateway's router does while deployments of a group are out."""
    environment = target.environment
    version = target.preflight().version or environment.gateway.version
    return cooling_of(environment.group(alias), environment.gateway, version, witness)


def comes_back(first: Judged, counts: Mapping[str, int], router: Cooling) -> str:
    """Why those who are missing by these counts may be out all the time behind a right gateway; empty where
    that would be too much of a chance."""
    return taken_out_again(too_seldom(first.null, Counter(counts)), router)


def taken_out_again(missing: set[str], router: Cooling) -> str:
    """The same of those that are missing."""
    again = router.chance(missing)
    if again <= TIMES:
        return ""
    return (
        f"a failing request hits {' and '.join(sorted(missing))} with a probability of {again:.0%}, and may "
        "do so again as soon as they are back"
    )


def told_apart(
    first: Judged,
    counts: Mapping[str, int],
    router: Cooling,
    samples: Sequence[Second],
    cooldown_s: float,
) -> bool:
    """Whether no cooldowns leave the last of these samples, whoever is out and when; or whether those who
    are missing are so in all of them, which takes too many hits one after the other."""
    row = samples[-1]
    if row.unknown:
        return False
    windows = [
        window
        for block, span in zip(row.blocks, row.spans, strict=True)
        for window in windows_in(block, span, cooldown_s)
    ]
    if router.unexplained(windows) >= -math.log(CHANCE):
        return True
    missing = too_seldom(first.null, Counter(counts))
    cooldowns = sum(len(sample.blocks) for sample in samples)
    seen = {one for sample in samples for one in sample.served}
    return not missing & seen and router.chance(missing) ** cooldowns <= CHANCE


def windows_in(block: Sequence[str], span: float, cooldown_s: float) -> list[Sequence[str]]:
    """A block, which took so many seconds, in pieces of at most half a cooldown."""
    pieces = max(1, math.ceil(span / (PART_OF_COOLDOWN * cooldown_s))) if cooldown_s > 0 else 1
    length = max(1, len(block) // pieces)
    return [block[start : start + length] for start in range(0, len(block), length)]
