"""How often statistics alone make a whole run of a right gateway red: failed by chance, or inconclusive.

A bound: what every test of the account may spend (``ledger``), and what the tests of shares leave undecided,
computed where the possible counts are few, else simulated. No cooldown, no retry: premises hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway_acceptance.balance.expected_shares import (
    ExpectedShares,
    UndefinedSharesError,
    WitnessResolution,
    null_of,
)
from gateway_acceptance.balance.ledger import SHARES, SURVIVORS, alpha_of_each, has_outages, ledger
from gateway_acceptance.balance.operating import Operating, operating
from gateway_acceptance.balance.sequential import Design
from gateway_acceptance.environment.model import SIMPLE_SHUFFLE, Environment

SURVIVORS_TOLERANCE = 0.4
"""The smallest imbalance among survivors that must be found: one of two gets 90 %. With some 60 draws a
smaller one would leave a right gateway undecided now and then (simulated: 1.4 % at 0.3, 0.01 % at 0.4)."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Of a whole run of a right gateway, at most: failed by chance, and inconclusive; exact: whether nothing
    was simulated."""

    failed: float
    inconclusive: float
    exact: bool

    @property
    def red(self) -> float:
        """Either."""
        return self.failed + self.inconclusive

    @property
    def words(self) -> str:
        """For people."""
        how = "computed" if self.exact else "partly simulated"
        return (
            f"a right gateway is red by statistics in at most {self.red:.3%} of runs: "
            f"failed {self.failed:.3%}, inconclusive {self.inconclusive:.3%} ({how})"
        )


def expectation(environment: Environment, healthy: Sequence[tuple[Design, Operating]]) -> Expectation:
    """healthy: each group that is judged, with what becomes of a right gateway there. Where the failures of
    a design are computed they count, else its alpha does."""
    parts = list(healthy)
    left = survivors_design(environment)
    if left is not None:
        parts.append((left, operating(left, left.shares)))
    spent = sum(one.alpha for one in ledger(environment) if one.test not in (SHARES, SURVIVORS))
    failed = sum(found.failed if found.exact else design.alpha for design, found in parts)
    return Expectation(
        spent + failed,
        sum(found.inconclusive_at_most for _, found in parts),
        all(found.exact for _, found in parts),
    )


def survivors_design(environment: Environment) -> Design | None:
    """The test of those that are left in an outage, of the group and the dead backend that leave a right
    gateway undecided most often; None where the policy permits no outage, or nobody is to be compared."""
    if not has_outages(environment):
        return None
    found = []
    for group in environment.groups:
        for dead in {member.backend for member in group.deployments}:
            left = tuple(member for member in group.deployments if member.backend != dead)
            draws = round(environment.outage.requests * len(left) / len(group.deployments))
            if group.strategy == SIMPLE_SHUFFLE and left:
                null = _null(environment, group.alias, left)
                if null is not None and null.is_balanced:
                    found.append(design_of_survivors(environment, null, draws))
    return max(found, key=lambda design: operating(design, design.shares).inconclusive, default=None)


def design_of_survivors(environment: Environment, null: ExpectedShares, draws: int) -> Design:
    """One look at all draws, which are made in any case."""
    return Design(
        tuple(null.shares.values()),
        alpha_of_each(environment),
        environment.balance.power,
        SURVIVORS_TOLERANCE,
        draws,
        draws,
    )


def _null(environment: Environment, alias: str, left: Sequence[object]) -> ExpectedShares | None:
    group = environment.group(alias).model_copy(update={"deployments": tuple(left)})
    try:
        null = null_of(
            group,
            environment.gateway,
            environment.gateway.version,
            WitnessResolution(environment.balance.witness),
        )
    except UndefinedSharesError:
        return None
    return replace(null, alias=alias)
