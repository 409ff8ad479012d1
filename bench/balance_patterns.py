"""After how many draws the test of independence finds a pattern of wrong routing, by its first bet alone.

``python bench/balance_patterns.py`` prints the table of docs/balance.md: the draws after which half of the
runs, and nine in ten, have found it. Alpha is 0.0009 for ten patterns.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway_acceptance.balance.dependence import DRIFT, ORDER, Dependence
from gateway_acceptance.balance.expected_shares import ExpectedShares

ALPHA_OF_EACH = 0.0009 / 10
MOST, SEED = 400, 20_261_127
KEY = "key"
BOTH = {
    "three alike": {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3},
    "1/3 and 2/3": {"a": 1 / 3, "b": 2 / 3},
}
Draw = tuple[str, int]
"""Who serves, and the value of the key."""


@dataclass(frozen=True, slots=True)
class Routing:
    """How one draw comes about. shares: as declared; chance: of this run."""

    shares: dict[str, float]
    chance: random.Random

    def drawn(self) -> str:
        """A deployment by the declared shares."""
        return self.chance.choices(list(self.shares), weights=list(self.shares.values()))[0]

    def turns(self) -> Iterator[Draw]:
        """In turns, each as often as its share says."""
        names = [name for name, share in self.shares.items() for _ in range(round(3 * share))]
        while True:
            yield from ((name, 0) for name in names)

    def by_text(self) -> Iterator[Draw]:
        """Each of six texts has its own, as many of them as the share says."""
        names = [name for name, share in self.shares.items() for _ in range(round(6 * share))]
        while True:
            value = self.chance.randrange(6)
            yield names[value], value

    def mostly_by_text(self) -> Iterator[Draw]:
        """The same, in three of four requests."""
        for tied, value in self.by_text():
            yield (tied if self.chance.random() < 0.75 else self.drawn()), value

    def one_value(self, favourite: str) -> Iterator[Draw]:
        """One of two values of a key goes to a favourite, the other is drawn."""
        while True:
            value = self.chance.randrange(2)
            yield (favourite if value else self.drawn()), value

    def again(self, part: float) -> Iterator[Draw]:
        """The last one serves again in this part of the requests."""
        last = self.drawn()
        while True:
            yield last, 0
            last = last if self.chance.random() < part else self.drawn()

    def after(self, draws: int) -> Iterator[Draw]:
        """After so many draws one gets all."""
        for _ in range(draws):
            yield self.drawn(), 0
        while True:
            yield "a", 0


PATTERNS: dict[str, tuple[str, Callable[[Routing], Iterator[Draw]]]] = {
    "in turns": (ORDER, Routing.turns),
    "each text (of six) has its own": (KEY, Routing.by_text),
    "the same in three of four requests": (KEY, Routing.mostly_by_text),
    "one of two values goes to the first": (KEY, lambda routing: routing.one_value("a")),
    "one of two values goes to the second": (KEY, lambda routing: routing.one_value("b")),
    "the last one again, in three of four": (ORDER, lambda routing: routing.again(0.75)),
    "the last one again, in one of two": (ORDER, lambda routing: routing.again(0.5)),
    "after forty draws the first gets all": (DRIFT, lambda routing: routing.after(40)),
}


def draws_until_found(pattern: str, shares: dict[str, float], runs: int) -> list[int]:
    """The draws of each run, ascending; ``MOST`` where it is not found."""
    looked_for, routed = PATTERNS[pattern]
    chance = random.Random(SEED)
    found = []
    for _ in range(runs):
        patterns = 3  # order, time and the key
        test = Dependence(ExpectedShares("g", shares, ""), ALPHA_OF_EACH * patterns, (KEY,))
        for identity, value in routed(Routing(shares, chance)):
            test.observe(identity, {KEY: value})
            if looked_for in test.found or test.draws == MOST:
                break
        found.append(test.found.get(looked_for, MOST))
    return sorted(found)


def main() -> int:
    """Print the table; 1 where a pattern is not found in nine of ten runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    runs, missed = parser.parse_args().runs, 0
    print(f"{'draws: half of the runs, nine in ten':<40}" + "".join(f"{name:>16}" for name in BOTH))
    for pattern in PATTERNS:
        cells = []
        for shares in BOTH.values():
            found = draws_until_found(pattern, shares, runs)
            half, most = found[runs // 2], found[int(0.9 * runs)]
            missed += most == MOST
            cells.append("always " + str(half) if found[0] == found[-1] else f"{half}, {most}")
        print(f"{pattern:<40}" + "".join(f"{cell:>16}" for cell in cells))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
