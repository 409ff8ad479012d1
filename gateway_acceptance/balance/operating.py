"""What a design does, before it is used: how often it passes, fails or decides nothing, and how soon.

Exact where the counts that can come up are few, since the decision depends on the counts alone; by
simulation with a fixed seed elsewhere.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from gateway_acceptance.balance.sequential import Design, SequentialDecision

MOST_STATES = 60_000
"""Up to so many possible counts the computation is exact."""
RUNS, SEED = 2000, 20_240_607
"""Of a simulation; a probability is then off by about one point (two standard errors at 0.95)."""
STANDARD_ERRORS = 2.0
"""Of the bound that is told of a simulated probability."""


@dataclass(frozen=True, slots=True)
class Operating:
    """Probabilities of the three outcomes, and the draws until one of them on average. runs: of the
    simulation, 0 where they were computed."""

    passed: float
    failed: float
    inconclusive: float
    mean_draws: float
    exact: bool
    runs: int = 0

    @property
    def inconclusive_at_most(self) -> float:
        """What was computed; of a simulation the upper end of Wilson's interval, two standard errors: what
        never came up in 2000 runs may come up in one of 500."""
        if self.exact or not self.runs:
            return self.inconclusive
        part, square = self.inconclusive, STANDARD_ERRORS**2 / self.runs
        width = STANDARD_ERRORS * math.sqrt(part * (1 - part) / self.runs + square / self.runs / 4)
        return min(1.0, (part + square / 2 + width) / (1 + square))


def operating(design: Design, actual: Sequence[float], *, runs: int = RUNS, seed: int = SEED) -> Operating:
    """What the design does with a gateway of these actual shares (sum 1, in the design's order)."""
    kinds = len(design.shares)
    if math.comb(design.most_draws + kinds, kinds) <= MOST_STATES:
        return _exact(design, actual)
    return simulated(design, actual, runs=runs, seed=seed)


def simulated(design: Design, actual: Sequence[float], *, runs: int, seed: int) -> Operating:
    """The same by simulation of so many runs."""
    chance = random.Random(seed)  # noqa: S311 (no secret: the same plan every time)
    simulator = Simulator(design)
    ended = [simulator.run(actual, chance) for _ in range(runs)]
    found = {outcome: sum(1 for one, _ in ended if one is outcome) / runs for outcome in SequentialDecision}
    return _operating(found, sum(draws for _, draws in ended) / runs, runs=runs)


class Simulator:
    """Runs of a design, quickly: the same decisions as ``Design.decision``, draw by draw."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self._bounds = [design.bounds(drawn) for drawn in range(design.most_draws + 1)]

    def run(self, actual: Sequence[float], chance: random.Random) -> tuple[SequentialDecision, int]:
        """The outcome of one run, and the draws it took."""
        design, kinds = self.design, len(self.design.shares)
        counts, places = [0] * kinds, range(kinds)
        e_value, limit = 1.0, math.exp(design.limit)
        drawn_places = chance.choices(places, weights=actual, k=design.most_draws)
        for drawn, place in enumerate(drawn_places):
            e_value *= design.factor(counts[place], drawn, design.shares[place])
            counts[place] += 1
            if e_value >= limit:
                return SequentialDecision.FAILED, drawn + 1
            if drawn + 1 < design.paid:
                continue
            for count, (least, most) in zip(counts, self._bounds[drawn + 1], strict=True):
                if not least <= count <= most:
                    break
            else:
                return SequentialDecision.PASSED, drawn + 1
        return SequentialDecision.INCONCLUSIVE, design.most_draws


_DECISIONS: dict[Design, dict[tuple[int, ...], SequentialDecision | None]] = {}
"""Decisions do not depend on the actual shares, so they serve every alternative."""


def _exact(design: Design, actual: Sequence[float]) -> Operating:
    decisions = _DECISIONS.setdefault(design, {})
    found = dict.fromkeys(SequentialDecision, 0.0)
    mean = 0.0
    level = {(0,) * len(design.shares): 1.0}
    for drawn in itertools.count(1):
        reached: dict[tuple[int, ...], float] = {}
        for counts, probability in level.items():
            for place, share in enumerate(actual):
                if share > 0:
                    after = (*counts[:place], counts[place] + 1, *counts[place + 1 :])
                    reached[after] = reached.get(after, 0.0) + probability * share
        level = {}
        for counts, probability in reached.items():
            if counts not in decisions:
                decisions[counts] = design.decision(counts)
            outcome = decisions[counts]
            if outcome is None:
                level[counts] = probability
            else:
                found[outcome] += probability
                mean += probability * drawn
        if not level:
            return _operating(found, mean)
    raise AssertionError("the last draw decides")


def _operating(found: dict[SequentialDecision, float], mean: float, *, runs: int = 0) -> Operating:
    passed, failed, undecided = (
        found[one]
        for one in (SequentialDecision.PASSED, SequentialDecision.FAILED, SequentialDecision.INCONCLUSIVE)
    )
    return Operating(passed, failed, undecided, mean, exact=not runs, runs=runs)
