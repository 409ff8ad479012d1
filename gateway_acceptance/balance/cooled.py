"""Can cooldowns alone explain who served? What a right router does while any of its deployments are out.

Whoever fails a request is left out for a while, and the router draws among the others as if they alone were
declared (weights and orders read anew). Of a deployment that gets most of the requests, or all of them by its
order, the next failing request hits it again as soon as it is back: it may be out nearly all the time behind
a right gateway. So where chance may take those out who are missing time and again (``chance``), their
absence accuses nobody. What does accuse is a row of draws that no sequence of cooldowns produces
(``unexplained``): declared shares within each stretch, whoever is out in it, against shares of any kind that
stay the same all the time.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway_acceptance.balance.expected_shares import UndefinedNullError, Witness, null_of
from gateway_acceptance.environment.model import Gateway, Group

MOST_DEPLOYMENTS, MOST_OUT = 4, 1
"""Of more deployments than these no more than so many are looked at as out at the same time."""
PRIOR = 0.5
"""Of each share in the mixture (Jeffreys)."""
NEVER = -1e4
"""For the logarithm of nothing: differences of sums stay numbers. More than any window of draws loses."""
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

    def unexplained(self, windows: Iterable[Sequence[str]]) -> float:
        """Evidence that no sequence of cooldowns produced these draws (natural logarithm of an e-value): the
        Dirichlet-multinomial mixture over shares that stay the same, divided by the most that cooldowns give
        them. windows: draws in a row, each shorter than a cooldown."""
        names = list(dict.fromkeys(self.identities))
        counts, mixture, most, drawn = dict.fromkeys(names, 0), 0.0, 0.0, 0
        for window in windows:
            for one in window:
                if one not in counts:
                    return math.inf
                mixture += math.log((counts[one] + PRIOR) / (drawn + PRIOR * len(names)))
                counts[one] += 1
                drawn += 1
            most += self._most(window)
        return mixture - most

    def _most(self, window: Sequence[str]) -> float:
        """The log likelihood of a window's draws where cooldowns fit them best: before, between and after
        two moments, each with somebody out or nobody. Within less than a cooldown nobody goes and comes
        back, so whoever is out in between is out before or after as well."""
        ends = len(window) + 1
        sums = {out: self._sums(out, window) for out in self.left}
        best = -math.inf
        for before, after in itertools.product(sums, repeat=2):
            union = before | after
            for between in (out for out in sums if out <= union):
                first, second, third = sums[before], sums[between], sums[after]
                # the best first moment for each second one
                highest = -math.inf
                for end in range(ends):
                    highest = max(highest, first[end] - second[end])
                    best = max(best, highest + second[end] + third[-1] - third[end])
        return best

    def _sums(self, out: Out, window: Sequence[str]) -> list[float]:
        """The log likelihood of the first draws of a window, for each number of them."""
        by_name = dict.fromkeys(self.identities, 0.0)
        for name, share in zip(self.identities, self.left[out], strict=True):
            by_name[name] += share
        logs = {name: math.log(share) if share > 0 else NEVER for name, share in by_name.items()}
        return [0.0, *itertools.accumulate(logs[one] for one in window)]


def cooling_of(group: Group, gateway: Gateway, version: str | None, witness: Witness) -> Cooling:
    """Of a declared group, read as the router reads what is left of it. Raises UndefinedNullError where not
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
            shares = null_of(rest, gateway, version, Witness.BACKEND).shares
        except UndefinedNullError:
            if not out:
                raise
            shares = {str(place): 1 / len(places) for place in places}  # none counts: all alike
        left[out] = tuple(shares.get(str(place), 0.0) for place in range(len(members)))
    fine = witness is Witness.DEPLOYMENT
    names = tuple(f"{one.backend}/{one.upstream}" if fine else one.backend for one in group.deployments)
    return Cooling(names, left)


def outs(deployments: int) -> Iterable[Out]:
    """Who may be out; never all of them, for then nobody answers."""
    most = deployments - 1 if deployments <= MOST_DEPLOYMENTS else MOST_OUT
    for number in range(most + 1):
        yield from map(Out, itertools.combinations(range(deployments), number))
