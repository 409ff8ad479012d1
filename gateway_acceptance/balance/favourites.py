"""A bet with one parameter against independence: each context has a favourite that serves more often than
declared.

With the probability ``s`` the favourite of the context serves, else whoever the declared shares draw:
sticky routing (the context is who served last, its favourite the same), a connection or a text that is
tied to a deployment. The bet is a mixture over ``s`` and over the favourites, divided by the declared
shares, so it is a test martingale where these hold: it reaches 1/alpha with a probability of at most
alpha at any time (Ville). It knows more than the bet on shares of any kind (``dependence``) and finds the
same pattern in fewer draws; where the shares are not the declared ones it proves nothing, and that is the
business of the other test.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

STRENGTHS = (0.2, 0.35, 0.5, 0.75, 0.98)
"""Parts of the requests that the favourite serves in any case: from hardly to nearly always."""


class Favourites:
    """The bet under way. shares: declared, positive, sum 1; fixed: the favourite of a context where it is
    known beforehand (sticky: whoever served last), else any, in proportion to its share."""

    def __init__(self, shares: Sequence[float], *, fixed: Mapping[Hashable, int] | None = None) -> None:
        self._shares, self._fixed = tuple(shares), fixed
        self._logs: dict[Hashable, list[list[float]]] = {}  # context -> per strength, per favourite
        self._context_logs: dict[Hashable, list[float]] = {}
        self._totals = [0.0] * len(STRENGTHS)

    def observe(self, context: Hashable, place: int) -> None:
        """One draw in a context: the place of who served, in the order of the shares."""
        favourites = range(len(self._shares)) if self._fixed is None else (self._fixed[context],)
        logs = self._logs.setdefault(context, [[0.0] * len(favourites) for _ in STRENGTHS])
        before = self._context_logs.setdefault(context, [0.0] * len(STRENGTHS))
        share = self._shares[place]
        for number, strength in enumerate(STRENGTHS):
            row = logs[number]
            for column, favourite in enumerate(favourites):
                row[column] += math.log((1 - strength) + (strength / share if favourite == place else 0.0))
            after = row[0] if self._fixed is not None else self._mixed(row)
            self._totals[number] += after - before[number]
            before[number] = after

    def _mixed(self, row: Sequence[float]) -> float:
        highest = max(row)
        weights = zip(self._shares, row, strict=True)
        return highest + math.log(math.fsum(share * math.exp(one - highest) for share, one in weights))

    @property
    def log_e(self) -> float:
        """Evidence at this draw: the natural logarithm of the e-value."""
        highest = max(self._totals)
        return (
            highest
            + math.log(math.fsum(math.exp(one - highest) for one in self._totals))
            - math.log(len(STRENGTHS))
        )
