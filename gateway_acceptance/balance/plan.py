"""What judging a group costs and what it can find, before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway_acceptance.balance.calibration import calibrated
from gateway_acceptance.balance.dependence_power import smallest_sticky, smallest_tied
from gateway_acceptance.balance.expected_shares import (
    ExpectedShares,
    UndefinedSharesError,
    WitnessResolution,
    null_of,
)
from gateway_acceptance.balance.fixed import fixed_draws
from gateway_acceptance.balance.ledger import (
    PART_OF_GENERATED,
    equal_part,
    has_outages,
    second_within,
)
from gateway_acceptance.balance.operating import Operating, operating
from gateway_acceptance.balance.second_look import BLOCKS, parts_of, row_draws, second_draws
from gateway_acceptance.balance.sequential import Design
from gateway_acceptance.environment.model import Balance, Environment, Group

DRAWS_FOR_INDEPENDENCE = 120
"""A sample is at least so long, where the most draws allow it: the shares are often decided after fewer, and
half-hearted patterns take more."""
GENERATED_DRAWS = 160
"""Of the generated requests together: ten of them sixteen times each. What sends three of the ten to one of
three deployments was found in 72 of 100 runs with 100 draws, in 200 of 200 with 160 (simulated). Where the
most draws are fewer, none are made: they are beyond the sample, and a budget as small as production's is
better spent on that."""
PATTERNS = 10
"""That a sample is held against: order, time, and eight keys (suites/backends/balance/probes.py)."""
FULL_GROUPS, LEAST_OF_EACH = 10, 40
"""Of more groups than these each has its part of the draws for independence, and never fewer than the least:
blunt patterns are still found, and routing is one piece of code for all of them."""
STEP = 0.01
"""Imbalances are told to a point of a hundred."""
SEARCH_RUNS = 1000
"""Of each simulation of the search for the smallest imbalance: a power of 0.9 is then off by two points."""
TOO_OFTEN_UNDECIDED = 0.05
"""A right gateway that stays inconclusive more often makes runs red for nothing: a caution is due."""


@dataclass(frozen=True, slots=True)
class Detectable:
    """One way to be out of balance. identity: whose share is off; more: by more or by less, the others' in
    proportion; by: the smallest difference that fails with the declared power, None where none does."""

    identity: str
    more: bool
    by: float | None


@dataclass(frozen=True, slots=True)
class BalancePlan:
    """One group. alpha: of this group; draws: at most; healthy: what becomes of a right gateway; detectable:
    what is found; fixed_draws: what a fixed test with the same alpha and power takes for the tolerance,
    None where a single draw of another would do; groups: of the environment."""

    null: ExpectedShares
    design: Design
    healthy: Operating
    detectable: tuple[Detectable, ...]
    fixed_draws: int | None
    groups: int = 1

    @property
    def sample(self) -> int:
        """Draws that are made at least, decided or not."""
        return self.design.paid

    @property
    def generated(self) -> int:
        """Draws of generated requests, beyond the sample, at most."""
        return generated_draws(self.design.most_draws, self.groups)

    @property
    def to_a_second(self) -> int:
        """Requests until BACKEND-BAL-001 has seen a second backend, at most: it gives up where a right
        gateway would have shown one with a probability of 1 - ``MORE_THAN_ONE``."""
        backends: dict[str, float] = {}
        for name, share in self.null.shares.items():
            backend = name.split("/", 1)[0]
            backends[backend] = backends.get(backend, 0.0) + share
        if sum(share > 0 for share in backends.values()) < 2:
            return 0
        return second_within(backends.values())

    @property
    def second_draws(self) -> int:
        """Draws of a second sample, at most: made where the shares or their change are found."""
        return second_draws(self.design.most_draws, self.design.most_draws)

    @property
    def row_draws(self) -> int:
        """Draws of a second row, at most: made where the order is found."""
        return row_draws(self.design.most_draws, self.design.most_draws)

    @property
    def second_backend_draws(self) -> int:
        """Requests of later looks for a second backend, at most: made where the first shows none."""
        return BLOCKS * parts_of(self.to_a_second)

    @property
    def order_alpha(self) -> float:
        """What the order of the draws may spend, one of the patterns of independence."""
        return self.design.alpha * (1 - PART_OF_GENERATED) / PATTERNS

    @property
    def sticky(self) -> float | None:
        """The smallest part of the requests, served by whoever served last, that the sample finds."""
        shares = tuple(share for share in self.design.shares if share > 0)
        return smallest_sticky(shares, self.order_alpha, self.design.power, self._alone)

    @property
    def tied(self) -> float | None:
        """The same of requests that a key (user, connection, text) ties to a deployment."""
        shares = tuple(share for share in self.design.shares if share > 0)
        return smallest_tied(shares, self.order_alpha, self.design.power, self.sample)

    @property
    def _alone(self) -> int:
        """Draws of the shortest sample that have a place in the order: two of three are sent alone."""
        return self.sample * 2 // 3

    @property
    def passes(self) -> dict[str, tuple[int, int]] | None:
        """Identity -> the counts (least, most) that pass, where all draws are made whatever they show."""
        if not self.design.is_fixed:
            return None
        bounds = self.design.bounds(self.design.most_draws)
        return {
            name: (math.ceil(least), math.floor(most))
            for name, (least, most) in zip(self.null.shares, bounds, strict=True)
        }

    @property
    def smallest(self) -> float | None:
        """The smallest imbalance found with the declared power whichever share is off; None: not even the
        largest of each."""
        found = [one.by for one in self.detectable]
        return None if None in found else max(by for by in found if by is not None)

    @property
    def cautions(self) -> list[str]:
        """What a person should know before running it."""
        found = []
        if not self.null.is_balanced:
            found.append("one backend alone is declared to serve: this is no balancing, whatever is drawn")
        if self.healthy.inconclusive > TOO_OFTEN_UNDECIDED:
            found.append(
                f"a right gateway stays inconclusive in {self.healthy.inconclusive:.0%} of runs: "
                "raise balance.most_draws or balance.tolerance"
            )
        missed = [
            f"{one.identity} {'more' if one.more else 'less'}" for one in self.detectable if one.by is None
        ]
        if missed:
            found.append(f"not found with this power, however large: {', '.join(missed)}")
        empty = [
            name
            for name, share, tolerance in zip(
                self.null.shares, self.design.shares, self.design.tolerances, strict=True
            )
            if 0 < share <= tolerance
        ]
        if empty:
            found.append(
                f"the tolerance is as large as the share of {', '.join(empty)}: any smaller share passes "
                "that is not nothing; declare balance.relative_tolerance"
            )
        return found


@dataclass(frozen=True, slots=True)
class NoPlan:
    """A group that cannot be judged, and why."""

    alias: str
    reason: str


def design_of(null: ExpectedShares, balance: Balance, groups: int, *, outages: bool = False) -> Design:
    """The design for one of so many groups of an environment, its threshold calibrated where that can be
    computed. outages: whether those that are left in an outage are judged as well (``ledger``)."""
    return calibrated(
        Design(
            tuple(null.shares.values()),
            equal_part(balance.alpha, groups, outages=outages),
            balance.power,
            balance.tolerance,
            balance.most_draws,
            least_draws(balance.most_draws, groups, balance.independence_draws),
            balance.relative_tolerance,
        )
    )


def design_in(environment: Environment, null: ExpectedShares) -> Design:
    """The design for a group of this environment."""
    return design_of(null, environment.balance, len(environment.groups), outages=has_outages(environment))


def least_draws(most: int, groups: int, independence: int = DRAWS_FOR_INDEPENDENCE) -> int:
    """How long a sample is at least, decided or not. most: ``balance.most_draws``; groups: of the
    environment; independence: ``balance.independence_draws``."""
    return min(most, _of_each(independence, groups))


def generated_draws(most: int, groups: int) -> int:
    """How many draws of generated requests are made of a group, beyond the sample."""
    return _of_each(GENERATED_DRAWS, groups) if most >= GENERATED_DRAWS else 0


def _of_each(draws: int, groups: int) -> int:
    return max(LEAST_OF_EACH, draws * FULL_GROUPS // max(groups, FULL_GROUPS))


def plans_of(environment: Environment, version: str | None = None) -> list[BalancePlan | NoPlan]:
    """A plan for each declared group. version: of the gateway, as measured; else the declared one counts."""
    return [_planned(environment, group, version) for group in environment.groups]


def _planned(environment: Environment, group: Group, version: str | None) -> BalancePlan | NoPlan:
    known, witness = version or environment.gateway.version, WitnessResolution(environment.balance.witness)
    try:
        null = null_of(group, environment.gateway, known, witness)
    except UndefinedSharesError as problem:
        return NoPlan(group.alias, str(problem))
    if not null.can_be_judged:
        reason = "all its deployments stand on one backend: the witness cannot tell them apart" + (
            '; balance.witness = "deployment" could, where their models differ'
            if witness is WitnessResolution.BACKEND
            else ", their models are the same"
        )
        return NoPlan(group.alias, reason)
    return plan(null, environment.balance, len(environment.groups), outages=has_outages(environment))


def plan(null: ExpectedShares, balance: Balance, groups: int, *, outages: bool = False) -> BalancePlan:
    """The plan of one of so many groups."""
    design = design_of(null, balance, groups, outages=outages)
    names = list(null.shares)
    sides = [
        (place, more)
        for place in range(len(names))
        for more in (True, False)
        if design.shares[place] < 1 and (more or design.shares[place] > 0)
    ]
    # equal shares are found alike: each distinct one is computed once
    distinct = {(design.shares[place], more): (place, more) for place, more in sides}
    found = {key: smallest_detectable(design, place, more=more) for key, (place, more) in distinct.items()}
    return BalancePlan(
        null,
        design,
        operating(design, design.shares),
        tuple(Detectable(names[place], more, found[design.shares[place], more]) for place, more in sides),
        max(_fixed(design, place) for place in range(len(names)) if 0 < design.shares[place] < 1)
        if null.is_balanced
        else None,
        groups,
    )


def imbalanced(shares: Sequence[float], place: int, by: float) -> tuple[float, ...]:
    """The shares with one off by ``by`` (negative: less), the others changed in proportion."""
    target = shares[place] + by
    if not -1e-9 <= target <= 1 + 1e-9:
        raise ValueError(f"a share of {target} is none")
    target = min(max(target, 0.0), 1.0)
    rest = 1 - shares[place]
    if rest == 0:
        raise ValueError("nobody is there to take what this one has less")
    return tuple(
        target if index == place else share * (1 - target) / rest for index, share in enumerate(shares)
    )


def smallest_detectable(design: Design, place: int, *, more: bool) -> float | None:
    """The smallest imbalance of one share and direction that fails with the design's power, in steps of a
    hundredth (or the whole share); None where even the largest does not."""
    share = design.shares[place]
    most = 1 - share if more else share
    sign = 1 if more else -1

    def found(by: float) -> bool:
        actual = imbalanced(design.shares, place, sign * by)
        return operating(design, actual, runs=SEARCH_RUNS).failed >= design.power

    if not found(most):
        return None
    low, high = 0, int(most / STEP) + 1  # in steps; the last one stands for the whole share
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if found(min(middle * STEP, most)) else (middle, high)
    return min(round(high * STEP, 2), most)


def _fixed(design: Design, place: int) -> int:
    """Draws of a fixed test that finds this share off by the tolerance, the harder direction."""
    share = design.shares[place]
    by = [min(design.tolerance, 1 - share), -min(design.tolerance, share)]
    return max(
        fixed_draws(design.shares, imbalanced(design.shares, place, one), design.alpha, design.power)
        for one in by
    )
