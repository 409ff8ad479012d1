"""What a cooldown may explain beside shares: neighbours alike, and a second backend that is not seen."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence

from gateway_acceptance.balance.dependence import STICKY, way_of
from gateway_acceptance.balance.fixed import runs_test_of_blocks
from gateway_acceptance.balance.second_look import LEAST_BLOCKS, SLACK, blocks_in, parts_of, row_draws
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import Inconclusive
from suites.backends.balance.cooldown import Second, Wanted, drawn_once, too_long
from suites.backends.balance.evaluation import Evaluation
from suites.backends.balance.probes import CONCURRENCY
from suites.backends.balance.sample import pause

CONFIRMS = 0.001
"""How improbable the neighbours alike of the second row must be by chance. What the first row shows has had
its alpha; this one says that no cooldown did it."""
WINDOW = 4
"""How many draws in a row are compared with each other: whoever cools down hardly changes within so few.
Of longer windows a right gateway with two of three out was called sticky
(tests/unit/test_balance_cooldown)."""


def row_of(found: Evaluation) -> list[str]:
    """Who served the draws that were alone, in order."""
    return [draw.served for draw in found.sample.draws if draw.features[CONCURRENCY] == "no"]


def second_row(target: Target, alias: str, first: Evaluation) -> Second:
    """Bursts of requests, one right after the other, more than a cooldown apart: who cools down hardly
    changes within one."""
    draws = row_draws(len(row_of(first)), first.trial.design.most_draws)
    return drawn_once(target, alias, first, "second row", Wanted(draws, paced=False))


def order_explained(first: Evaluation, second: Second) -> str:
    """Why a cooldown may explain that who serves depends on who served before, in words; empty where the
    second row shows the same way within windows of a few draws, each by its own counts."""
    if second.unknown:
        return second.unknown
    few, many = runs_test_of_blocks([row for block in second.blocks for row in windows(block)])
    way = way_of(row_of(first))
    if (many if way == STICKY else few) <= CONFIRMS:
        return ""
    return (
        f"a second row, in {len(second.blocks)} bursts over {second.seconds:.0f} s, does not show that it is "
        f"{way}: {shown_bursts(second)}"
    )


def windows(block: Sequence[str]) -> list[Sequence[str]]:
    """A burst in pieces of ``WINDOW`` draws."""
    return [block[start : start + WINDOW] for start in range(0, len(block), WINDOW)]


def shown_bursts(second: Second) -> str:
    """The neighbours alike of all bursts, of how many."""
    pairs = sum(max(0, len(block) - 1) for block in second.blocks)
    alike = sum(one == other for block in second.blocks for one, other in itertools.pairwise(block))
    return f"{alike} of {pairs} neighbours are alike"


def later_looks(
    target: Target, seen: Counter[str], ask: Callable[[], str], enough: Callable[[], bool]
) -> float:
    """Ask again at moments that are more than a cooldown apart, until ``enough``: whoever was left out
    is back by then. Adds to what was seen; returns the seconds that it took. Raises Inconclusive where the
    declared cooldown is too long for that."""
    cooldown_s = target.environment.outage.cooldown_s * SLACK
    looks, each = blocks_in(cooldown_s), parts_of(seen.total())
    if looks < LEAST_BLOCKS:
        raise Inconclusive(f"a deployment may have been cooling down: {too_long(target)}")
    begun = time.monotonic()
    for number in range(looks):
        pause(begun + cooldown_s * (number + 1) - time.monotonic())
        for _ in range(each):
            seen[ask()] += 1
            if enough():
                return time.monotonic() - begun
    return time.monotonic() - begun
