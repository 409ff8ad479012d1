"""Between what the number of requests lies that chance or time decides, in an environment (docs/plan.md)."""

from __future__ import annotations

from gateway_acceptance.balance.expected_shares import (
    NoSharesError,
    UndefinedSharesError,
    WitnessResolution,
    null_of,
)
from gateway_acceptance.balance.ledger import second_within
from gateway_acceptance.balance.plan import generated_draws, least_draws
from gateway_acceptance.environment import Environment
from gateway_acceptance.wire.meter import Chance

HALVES = 2
"""Of the load of a soak: each has one request at least."""


def between(decides: str, stated: int, environment: Environment) -> tuple[int, int]:
    """At least and at most. stated: the most by whoever waits, where the environment says nothing of it."""
    groups = len(environment.groups)
    balance, soak = environment.balance, environment.soak
    if decides == Chance.SOAK:
        return HALVES, soak.requests
    if decides == Chance.SAMPLE:
        return least_draws(balance.most_draws, groups, balance.independence_draws), balance.most_draws
    if decides == Chance.GENERATED:
        draws = generated_draws(balance.most_draws, groups)
        return draws, draws
    if decides == Chance.SECOND_BACKEND:
        return 0, max((_to_a_second(environment, group.alias) for group in environment.groups), default=0)
    return 0, stated


def _to_a_second(environment: Environment, alias: str) -> int:
    gateway = environment.gateway
    try:
        null = null_of(environment.group(alias), gateway, gateway.version, WitnessResolution.BACKEND)
        return second_within(null.shares.values())
    except (NoSharesError, UndefinedSharesError, ValueError):  # nothing is promised, or one serves alone
        return 0
