"""The null hypothesis of a balanced group: the exact probability with which each of its members serves.

Source: LiteLLM's ``router_strategy/simple_shuffle.py`` and ``router.py`` as released in 1.74.15 and in
1.106.2 (the two differ, issue 33329), and docs/balance.md. tests/live/test_router_null.py asks both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from packaging.version import InvalidVersion, Version

from gateway_acceptance.environment.model import SIMPLE_SHUFFLE, Deployment, Gateway, Group

METRICS = ("weight", "rpm", "tpm")
"""What simple-shuffle weighs by, in its order of preference."""
SCOPED = "scoped_weight"
"""What comes before them from 1.106.2 on: the weights of the caller's key, or of its team."""
LAST_OF_FIRST = Version("1.74.15")
"""The newest LiteLLM that was read and asks only the first deployment whether there are weights."""
FIRST_OF_ANY = Version("1.106.2")
"""The oldest LiteLLM that was read and takes the first metric that any deployment gives."""
PREMISES = (
    "no request was tried again: retries draw anew among the deployments that are left",
    "no deployment cooled down: its share goes to the others",
    "no answer came from a cache: nobody was drawn for it",
)
"""What must hold while draws are made; where one does not, the judgement is inconclusive."""
BELOW_LIMITS = "no deployment reached its rpm: pre-call checks leave it out then"
"""The premise of a group whose rpm is a limit, too."""


class WitnessResolution(StrEnum):
    """What the witness can tell apart: the server, or each deployment (server and upstream model)."""

    BACKEND = "backend"
    DEPLOYMENT = "deployment"


class UndefinedSharesError(ValueError):
    """The declaration says no probabilities; the message says why and how to fix it."""


class NoSharesError(UndefinedSharesError):
    """The declared strategy promises no shares: who serves depends on what else is under way, on times or on
    costs. Then there is nothing to judge, and nothing to fix: the shares are not applicable."""


@dataclass(frozen=True, slots=True)
class ExpectedShares:
    """shares: identity that the witness can tell apart -> probability of serving, sum 1, in declared order;
    sentence: the hypothesis for people; premises: under which alone it holds; limits: identity -> the lowest
    rpm of its deployments that serve, where an rpm is a limit: whoever reached it is left out for a minute.
    """

    alias: str
    shares: dict[str, float]
    sentence: str
    premises: tuple[str, ...] = PREMISES
    limits: dict[str, int] = field(default_factory=dict)

    @property
    def can_be_judged(self) -> bool:
        """Whether there is anything to tell apart: with one identity every gateway looks balanced."""
        return len(self.shares) > 1

    @property
    def is_balanced(self) -> bool:
        """Whether more than one identity is declared to serve at all."""
        return sum(share > 0 for share in self.shares.values()) > 1


def null_of(
    group: Group,
    gateway: Gateway,
    version: str | None,
    witness: WitnessResolution = WitnessResolution.BACKEND,
) -> ExpectedShares:
    """The null hypothesis of a declared group behind a gateway.

    version: as measured, else as declared, else None: then the oldest and the newest reading must agree.
    Raises NoSharesError for a strategy without independent draws; UndefinedSharesError where no deployment
    can be drawn, or where it matters how the version reads the declaration and that is not known.
    """
    if group.strategy != SIMPLE_SHUFFLE:
        raise NoSharesError(
            f"group {group.alias!r}: {group.strategy} promises no shares: whom it takes depends on load, "
            f"times, costs or what served before. Only the independent draws of {SIMPLE_SHUFFLE} are judged"
        )
    found = [rule(group.deployments, gateway) for rule in _rules(gateway, version)]
    if any(other != found[0] for other in found):
        raise UndefinedSharesError(
            f"group {group.alias!r}: weights or orders are declared in a way that LiteLLM up to "
            f"{LAST_OF_FIRST} reads otherwise than from {FIRST_OF_ANY} on. What version "
            f"{version or '(unknown)'} does is not known: give every deployment a weight and no "
            "order, or declare gateway.version"
        )
    reading = found[0]
    total = sum(reading.weights)
    if total == 0:
        raise UndefinedSharesError(
            f"group {group.alias!r}: every {reading.metric} counts as 0, so no deployment can be drawn; "
            "give one more"
        )
    shares: dict[str, Fraction] = {}
    limits: dict[str, int] = {}
    limited = gateway.pre_call_checks and any(member.rpm is not None for member in group.deployments)
    for deployment, weight in zip(group.deployments, reading.weights, strict=True):
        identity = _identity(deployment, witness)
        shares[identity] = shares.get(identity, Fraction()) + weight / total
        if limited and deployment.rpm is not None and weight > 0:
            limits[identity] = min(deployment.rpm, limits.get(identity, deployment.rpm))
    return ExpectedShares(
        group.alias,
        {name: float(share) for name, share in shares.items()},
        _sentence(group, reading, shares),
        (*PREMISES, BELOW_LIMITS) if limited else PREMISES,
        limits,
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """metric: what counts (empty where nothing does); weights: of each declared deployment by it; drawn: how
    many are left to draw from, those of the lowest order."""

    metric: str
    weights: tuple[Fraction, ...]
    drawn: int


Rule = Callable[[Sequence[Deployment], Gateway], Reading]


def _rules(gateway: Gateway, version: str | None) -> list[Rule]:
    """The readings that this gateway may have; one where its version is known."""
    if gateway.product != "litellm":
        return [_first_of_any]
    try:
        known = Version(version or "")
    except InvalidVersion:
        return [_first_of_any, _of_the_first]
    if known <= LAST_OF_FIRST:
        return [_of_the_first]
    return [_first_of_any] if known >= FIRST_OF_ANY else [_first_of_any, _of_the_first]


def _first_of_any(deployments: Sequence[Deployment], _: Gateway) -> Reading:
    """1.106.2: of the lowest order the first metric with a positive maximum, scoped weights before all; a
    missing value is 0; none: all alike."""
    left = _of_lowest_order(deployments)
    for metric in (SCOPED, *METRICS):
        if max(_weight(member, metric) for member in left) > 0:
            return _reading(deployments, left, metric)
    return _reading(deployments, left, "")


def _of_the_first(deployments: Sequence[Deployment], gateway: Gateway) -> Reading:
    """1.74.15: the first metric that the first deployment has; a missing value of the others is 0. An order
    counts only where pre-call checks are enabled: they alone look at it."""
    left = _of_lowest_order(deployments) if gateway.pre_call_checks else list(deployments)
    for metric in METRICS:
        if getattr(left[0], metric) is not None:
            return _reading(deployments, left, metric)
    return _reading(deployments, left, "")


def _of_lowest_order(deployments: Sequence[Deployment]) -> list[Deployment]:
    """Those that serve while one of them lives; a missing order is the last of all."""
    orders = [member.order for member in deployments if member.order is not None]
    if not orders:
        return list(deployments)
    return [member for member in deployments if member.order == min(orders)]


def _reading(deployments: Sequence[Deployment], left: Sequence[Deployment], metric: str) -> Reading:
    kept = {id(member) for member in left}
    weights = (
        (_weight(member, metric) if metric else Fraction(1)) if id(member) in kept else Fraction()
        for member in deployments
    )
    return Reading(metric, tuple(weights), len(left))


def _weight(deployment: Deployment, metric: str) -> Fraction:
    return Fraction(getattr(deployment, metric) or 0)


def _identity(deployment: Deployment, witness: WitnessResolution) -> str:
    if witness is WitnessResolution.BACKEND:
        return deployment.backend
    return f"{deployment.backend}/{deployment.upstream}"


def _sentence(group: Group, reading: Reading, shares: dict[str, Fraction]) -> str:
    metric = "the weights of the key or its team" if reading.metric == SCOPED else reading.metric
    by = f"in proportion to {metric} (a missing one counts as 0)" if reading.metric else "all alike"
    declared = len(group.deployments)
    of = f"{declared}" if reading.drawn == declared else f"{reading.drawn} (of {declared}, by their order)"
    return f"each request of {group.alias} draws one of {of} deployments by itself, {by}: " + ", ".join(
        f"{name} {_shown(share)}" for name, share in shares.items()
    )


def _shown(share: Fraction) -> str:
    percent = f"{float(share):.1%}"
    return f"{share} ({percent})" if share.denominator <= 100 and share.denominator > 1 else percent
