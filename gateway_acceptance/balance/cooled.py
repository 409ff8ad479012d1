"""Whom do another client's failing requests take out, and how surely again?

Whoever fails a request is left out for a while, and the router draws among the others as if they alone were
declared (weights and orders read anew). Of a deployment that gets most of the requests, or all of them by its
order, the next failing request hits it again as soon as it is back: it may be out nearly all the time behind
a right gateway.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from gateway_acceptance.balance.expected_shares import UndefinedSharesError, WitnessResolution, null_of
from gateway_acceptance.environment.model import Gateway, Group

MOST_DEPLOYMENTS, MOST_OUT = 4, 1
"""Of more deployments than these no more than so many are looked at as out at the same time."""
Out = frozenset[int]


@dataclass(frozen=True)
class Cooling:
    """identities: of each deployment, as the null hypothesis calls it; left: who is out -> the share of each
    deployment then (0 of those that are out)."""

    identities: tuple[str, ...]
    left: Mapping[Out, tuple[float, ...]]

    def chance(self, missing: Collection[str]) -> float:
        """The probability that failing requests, one after the other and each drawn as any other, take out
        all deployments of these identities that serve, before they take out anybody else."""
        serving = self.left[Out()]
        wanted = Out(
            place for place, name in enumerate(self.identities) if name in missing and serving[place] > 0
        )
        known: dict[Out, float] = {wanted: 1.0}

        def from_here(out: Out) -> float:
            if out not in known:
                shares = self.left.get(out, serving)
                known[out] = math.fsum(shares[one] * from_here(out | {one}) for one in wanted - out)
            return known[out]

        return from_here(Out()) if wanted else 0.0


def cooling_of(group: Group, gateway: Gateway, version: str | None, witness: WitnessResolution) -> Cooling:
    """Of a declared group, read as the router reads what is left of it. Raises UndefinedSharesError where not
    even the whole group's shares are known."""
    # each deployment by a name of its own, so that those which the witness takes for one are told apart
    members = [
        member.model_copy(update={"backend": str(place), "upstream": ""})
        for place, member in enumerate(group.deployments)
    ]
    left = {}
    for out in outs(len(members)):
        places = [place for place in range(len(members)) if place not in out]
        rest = group.model_copy(update={"deployments": tuple(members[place] for place in places)})
        try:
            shares = null_of(rest, gateway, version, WitnessResolution.BACKEND).shares
        except UndefinedSharesError:
            if not out:
                raise
            shares = {str(place): 1 / len(places) for place in places}  # none counts: all alike
        left[out] = tuple(shares.get(str(place), 0.0) for place in range(len(members)))
    fine = witness is WitnessResolution.DEPLOYMENT
    names = tuple(f"{one.backend}/{one.upstream}" if fine else one.backend for one in group.deployments)
    return Cooling(names, left)


def outs(deployments: int) -> Iterable[Out]:
    """Who may be out; never all of them, for then nobody answers."""
    most = deployments - 1 if deployments <= MOST_DEPLOYMENTS else MOST_OUT
    for number in range(most + 1):
        yield from map(Out, itertools.combinations(range(deployments), number))
