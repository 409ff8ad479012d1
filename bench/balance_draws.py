"""How many draws the sequential test takes on clear faults, against fixed tests of the same alpha and
power.

``python bench/balance_draws.py`` prints a table. Two fixed tests stand beside it: one planned for the
tolerance (what one must plan, not knowing the fault), and one planned for exactly this fault (what only an
oracle could).
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from dataclasses import dataclass

from gateway_acceptance.balance.fixed import fixed_draws
from gateway_acceptance.balance.operating import Simulator
from gateway_acceptance.balance.plan import imbalanced
from gateway_acceptance.balance.sequential import Design, SequentialDecision

THIRD = 1 / 3
ALPHA, POWER, TOLERANCE, MOST = 0.001, 0.9, 0.15, 400
MOST_OF_FIXED = 0.6
"""The sequential test must take at most this part of the fixed test's draws."""
FAULTS = {
    "starved": (0.0, 0.5, 0.5),
    "only one serves": (1.0, 0.0, 0.0),
    "60/20/20": (0.6, 0.2, 0.2),
    "50/40/10": (0.5, 0.4, 0.1),
    "at the tolerance": tuple(imbalanced((THIRD,) * 3, 0, TOLERANCE)),
    "40/30/30": (0.4, 0.3, 0.3),
    "healthy": (THIRD,) * 3,
}
CLEAR = ("starved", "only one serves", "60/20/20", "50/40/10")


@dataclass(frozen=True)
class Row:
    """One fault: mean and 95th percentile of the draws until an outcome, share of runs that failed it, and
    the draws of the fixed test for the tolerance and of the oracle's (0: it finds no fault)."""

    fault: str
    mean: float
    most: int
    failed: float
    fixed: int
    oracle: int

    @property
    def part(self) -> float:
        """Of the fixed test's draws."""
        return self.mean / self.fixed


def rows(runs: int, seed: int = 1) -> list[Row]:
    """One row per fault, by simulation."""
    design = Design((THIRD,) * 3, ALPHA, POWER, TOLERANCE, MOST)
    simulator = Simulator(design)
    sized = [imbalanced(design.shares, 0, by) for by in (TOLERANCE, -TOLERANCE)]
    fixed = max(fixed_draws(design.shares, shares, ALPHA, POWER) for shares in sized)
    found = []
    for fault, actual in FAULTS.items():
        chance = random.Random(seed)
        ended = [simulator.run(actual, chance) for _ in range(runs)]
        draws = sorted(count for _, count in ended)
        failed = sum(outcome is SequentialDecision.FAILED for outcome, _ in ended) / runs
        oracle = 0 if fault == "healthy" else fixed_draws(design.shares, actual, ALPHA, POWER)
        row = Row(fault, statistics.fmean(draws), draws[int(0.95 * runs)], failed, fixed, oracle)
        found.append(row)
    return found


def main() -> int:
    """Print the table; 1 where a clear fault takes too many draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5000)
    table = rows(parser.parse_args().runs)
    print(f"three alike, alpha {ALPHA}, power {POWER}, tolerance {TOLERANCE}, at most {MOST} draws")
    print(f"{'fault':<18}{'mean':>7}{'95 %':>6}{'failed':>9}{'fixed':>7}{'part':>7}{'oracle':>8}")
    for row in table:
        print(
            f"{row.fault:<18}{row.mean:>7.1f}{row.most:>6}{row.failed:>9.1%}{row.fixed:>7}"
            f"{row.part:>7.0%}{row.oracle or '':>8}"
        )
    too_many = [row.fault for row in table if row.fault in CLEAR and row.part > MOST_OF_FIXED]
    print(f"more than {MOST_OF_FIXED:.0%} of the fixed test: {', '.join(too_many) or 'no clear fault'}")
    return 1 if too_many else 0


if __name__ == "__main__":
    sys.exit(main())
