"""Are draws independent? Routing may be wrong although its proportions are right.

The null hypothesis is that of ``null.py``: independent draws with the declared shares. Against it stand bets
on what comes next, one per pattern. Each bet's capital is a test martingale, their average too; the average
reaches 1/alpha with a probability of at most alpha, at any time. The pattern whose capital is largest names
the deviation.

What tells the patterns apart: sticky serves who served last; round-robin serves who served some turns ago, or
anyone but the last; keyed serves who served the last request with the same key (the content, the connection).
Keys must come in an order of chance, several times each: in turns they would make keyed routing look like
round-robin.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway_acceptance.balance.null import Null

LONGEST_CYCLE = 12
"""Turns after which a round-robin begins anew, at most: 12 covers weights such as 3:2:1 (6) and 5:4:3."""
STRENGTHS = (0.3, 0.6, 0.95)
"""How surely a bet expects its pattern: from a tendency to a rule."""
MOST_CAPITAL = 1e200
"""Capital is not counted further: everything was proven long before, and floats end."""

STICKY = "sticky"
ROUND_ROBIN = "round-robin"


def keyed(name: str) -> str:
    """The pattern of routing by a key, such as ``keyed by content``."""
    return f"keyed by {name}"


@dataclass
class _Bet:
    """turns: which earlier draw is expected again (0: that with the same key); away: anyone but that one."""

    pattern: str
    turns: int = 0
    key: str = ""
    away: bool = False
    capital: list[float] = field(default_factory=lambda: [1.0] * len(STRENGTHS))

    def settle(self, expected: str | None, drawn: str, shares: Mapping[str, float]) -> None:
        if expected is None:
            return
        if self.away:
            others = 1 - shares[expected]
            gain = 1 / others if drawn != expected and others > 0 else 0.0
            if others <= 0:
                return
        else:
            gain = 1 / shares[drawn] if drawn == expected else 0.0
        for place, strength in enumerate(STRENGTHS):
            grown = self.capital[place] * (1 - strength + strength * gain)
            self.capital[place] = min(grown, MOST_CAPITAL)

    @property
    def value(self) -> float:
        return sum(self.capital) / len(self.capital)


class Dependence:
    """A test under way: tell it who served each request, in the order in which they were sent, one after the
    other. alpha: of this test; keys: the names of what requests are keyed by, known before the first."""

    def __init__(self, null: Null, alpha: float, keys: Sequence[str] = ()) -> None:
        self.null, self.alpha = null, alpha
        self.history: list[str] = []
        self._last_of: dict[tuple[str, Hashable], str] = {}
        self._keys = tuple(keys)
        self._bets = {
            STICKY: [_Bet(STICKY, turns=1)],
            ROUND_ROBIN: [
                _Bet(ROUND_ROBIN, turns=1, away=True),
                *(_Bet(ROUND_ROBIN, turns=turns) for turns in range(2, LONGEST_CYCLE + 1)),
            ],
        } | {keyed(name): [_Bet(keyed(name), key=name)] for name in self._keys}
        self.largest = 1.0
        self.pattern: str | None = None

    def observe(self, identity: str, keys: Mapping[str, Hashable] | None = None) -> str | None:
        """One more draw; the pattern that is proven, None while independence stands.

        Identities with a share of zero, or none, are the business of the other test, and pass by here.
        Raises ValueError where a key is missing.
        """
        given = keys or {}
        if set(given) != set(self._keys):
            raise ValueError(f"each draw needs the keys {self._keys}, got {tuple(given)}")
        if self.null.shares.get(identity, 0.0) <= 0:
            return self.pattern
        for bets in self._bets.values():
            for bet in bets:
                bet.settle(self._expected(bet, given), identity, self.null.shares)
        self.history.append(identity)
        for name, value in given.items():
            self._last_of[name, value] = identity
        self.largest = max(self.largest, self.e_value)
        if self.pattern is None and self.e_value >= 1 / self.alpha:
            self.pattern = max(self.capital, key=lambda name: self.capital[name])
        return self.pattern

    def _expected(self, bet: _Bet, keys: Mapping[str, Hashable]) -> str | None:
        if bet.key:
            return self._last_of.get((bet.key, keys[bet.key]))
        return self.history[-bet.turns] if len(self.history) >= bet.turns else None

    @property
    def capital(self) -> dict[str, float]:
        """Pattern -> what betting on it has made of 1."""
        return {name: sum(bet.value for bet in bets) / len(bets) for name, bets in self._bets.items()}

    @property
    def e_value(self) -> float:
        """The average over the patterns: evidence against independence at this draw."""
        values = self.capital.values()
        return sum(values) / len(values)

    def sentence(self) -> str:
        """What the draws prove, for people."""
        if self.pattern is None:
            return f"{len(self.history)} draws show no dependence (largest e-value {self.largest:.2g})"
        return f"draws are not independent but {self.pattern} (largest e-value {self.largest:.2g})"
