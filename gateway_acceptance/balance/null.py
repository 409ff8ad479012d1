"""The null hypothesis of a balanced group: the exact probability with which each of its members serves.

Source: LiteLLM's ``router_strategy/simple_shuffle.py`` as released in 1.74.15 and in 1.106.2 (the two differ,
issue 33329), and docs/balance.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from packaging.version import InvalidVersion, Version

from gateway_acceptance.environment.model import Deployment, Gateway, Group

METRICS = ("weight", "rpm", "tpm")
"""What simple-shuffle weighs by, in its order of preference."""
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


class Witness(StrEnum):
    """What the witness can tell apart: the server, or each deployment (server and upstream model)."""

    BACKEND = "backend"
    DEPLOYMENT = "deployment"


class UndefinedNullError(ValueError):
    """The declaration says no probabilities; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Null:
    """shares: identity that the witness can tell apart -> probability of serving, sum 1, in declared order;
    sentence: the hypothesis for people; premises: under which alone it holds."""

    alias: str
    shares: dict[str, float]
    sentence: str
    premises: tuple[str, ...] = PREMISES

    @property
    def can_be_judged(self) -> bool:
        """Whether there is anything to tell apart: with one identity every gateway looks balanced."""
        return len(self.shares) > 1

    @property
    def is_balanced(self) -> bool:
        """Whether more than one identity is declared to serve at all."""
        return sum(share > 0 for share in self.shares.values()) > 1


def null_of(group: Group, gateway: Gateway, version: str | None, witness: Witness = Witness.BACKEND) -> Null:
    """The null hypothesis of a declared group behind a gateway.

    version: as measured, else as declared, else None: then the oldest and the newest reading must agree.
    Raises UndefinedNullError where no deployment can be drawn, or where it matters how the version reads the
    declaration and that is not known.
    """
    found = [rule(group.deployments) for rule in _rules(gateway, version)]
    if any(other != found[0] for other in found):
        raise UndefinedNullError(
            f"group {group.alias!r}: the weights are declared for some deployments only, and LiteLLM up to "
            f"{LAST_OF_FIRST} reads that otherwise than from {FIRST_OF_ANY} on. What version "
            f"{version or '(unknown)'} does is not known: give every deployment a weight, or declare "
            "gateway.version"
        )
    metric, weights = found[0]
    total = sum(weights)
    if total == 0:
        raise UndefinedNullError(
            f"group {group.alias!r}: every {metric} counts as 0, so no deployment can be drawn; give one more"
        )
    shares: dict[str, Fraction] = {}
    for deployment, weight in zip(group.deployments, weights, strict=True):
        identity = _identity(deployment, witness)
        shares[identity] = shares.get(identity, Fraction()) + weight / total
    return Null(
        group.alias,
        {name: float(share) for name, share in shares.items()},
        _sentence(group, metric, shares),
    )


Reading = tuple[str, list[Fraction]]
"""The metric that counts (empty where none does), and the weight of each deployment by it."""


def _rules(gateway: Gateway, version: str | None) -> list[Callable[[Sequence[Deployment]], Reading]]:
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


def _first_of_any(deployments: Sequence[Deployment]) -> Reading:
    """1.106.2: the first metric with a positive maximum; a missing value is 0; none: all alike."""
    for metric in METRICS:
        weights = _weights(deployments, metric)
        if max(weights) > 0:
            return metric, weights
    return "", [Fraction(1)] * len(deployments)


def _of_the_first(deployments: Sequence[Deployment]) -> Reading:
    """1.74.15: the first metric that the first deployment has; a missing value of the others is 0."""
    for metric in METRICS:
        if getattr(deployments[0], metric) is not None:
            return metric, _weights(deployments, metric)
    return "", [Fraction(1)] * len(deployments)


def _weights(deployments: Sequence[Deployment], metric: str) -> list[Fraction]:
    return [Fraction(getattr(deployment, metric) or 0) for deployment in deployments]


def _identity(deployment: Deployment, witness: Witness) -> str:
    if witness is Witness.BACKEND:
        return deployment.backend
    return f"{deployment.backend}/{deployment.upstream}"


def _sentence(group: Group, metric: str, shares: dict[str, Fraction]) -> str:
    by = f"in proportion to {metric} (a missing one counts as 0)" if metric else "all alike"
    return (
        f"each request of {group.alias} draws one of {len(group.deployments)} deployments by itself, {by}: "
        + ", ".join(f"{name} {_shown(share)}" for name, share in shares.items())
    )


def _shown(share: Fraction) -> str:
    percent = f"{float(share):.1%}"
    return f"{share} ({percent})" if share.denominator <= 100 and share.denominator > 1 else percent
