"""How surely the later faults of balance are found, run after run.

``python bench/balance_faults.py`` prints a row per fault and design: in how many of so many runs it was found
by all looks together. The faults' own hooks decide who serves, and the suite's own tests judge; only the
network and the gateway are left out, so that twenty runs of each take a minute of one core. Through a real
gateway: ``gateway-acceptance mutation-matrix --repeat 20 --only FAULT …``, some minutes for each run.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway_acceptance.balance.dependence import DRIFT, ORDER, Dependence
from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.balance.ledger import PART_OF_GENERATED
from gateway_acceptance.balance.plan import PATTERNS, design_of
from gateway_acceptance.balance.second_look import BLOCKS, row_draws, second_draws
from gateway_acceptance.balance.sequential import Design, SequentialDecision, Trial
from gateway_acceptance.environment import Balance
from lab.faults import DECLARES, FAULTS
from lab.faults.balance_mutators import BALANCED, DEPLOYMENTS
from lab.message import Request
from suites.backends.balance.cooldown import Second, explained, explained_change
from suites.backends.balance.evaluation import Evaluation
from suites.backends.balance.later import order_explained
from suites.backends.balance.probes import CONCURRENCY, rounds
from suites.backends.balance.sample import Draw, Sample

LATER = (
    *(f"turns-bad-after-{number}" for number in (10, 20, 30, 45)),
    *("deployment-unforeseen-late", "deployment-unforeseen-rare", "zero-share-late"),
    *("cooled-by-anothers-error", "sticky-half", "sticky-third"),
)
PRODUCTION, LOCAL = "production", "local"
BALANCES = {
    PRODUCTION: Balance(),
    LOCAL: Balance(alpha=1e-4, tolerance=0.15, most_draws=700, independence_draws=240),
}
Route = Callable[[str], str]
"""From the mark of a sample to who serves the next request."""


@dataclass(frozen=True)
class Row:
    """One fault by one design: found in so many runs."""

    fault: str
    design: str
    found: int
    runs: int


def null_for(fault: str) -> ExpectedShares:
    """What the environment of the fault declares: the deployments of ``local`` that are left, by weight."""
    members = DECLARES.get(fault, {}).get("deployments", {}).get(BALANCED, [{}] * len(DEPLOYMENTS))
    weights = [member.get("weight", 1) for member in members]
    names = DEPLOYMENTS[: len(members)]
    return ExpectedShares("g", {n: w / sum(weights) for n, w in zip(names, weights, strict=True)}, "")


def route(fault: str, seed: int) -> Route:
    """Who serves with the fault's hook in front of a router that draws all deployments alike."""
    before, chance = FAULTS[fault].before, random.Random(seed)
    assert before is not None

    def served(mark: str) -> str:
        body = {"model": BALANCED, "messages": [{"role": "user", "content": f"{mark} hello"}]}
        asked = before(Request("POST", "/v1/chat/completions", (), json.dumps(body).encode()))
        assert isinstance(asked, Request)
        wanted = str(asked.json["model"])
        return wanted if wanted in DEPLOYMENTS else chance.choice(list(null_for(fault).shares))

    return served


def found(fault: str, null: ExpectedShares, design: Design, mark: str, seed: int) -> bool:
    """Whether all looks together find it, as the checks that name it do. mark: of this run alone."""
    serve = route(fault, seed)
    first = sample(null, design, mark, serve, seed)
    if any(check.endswith("003") for check in FAULTS[fault].detected_by):
        alone = sum(draw.features[CONCURRENCY] == "no" for draw in first.sample.draws)
        row = later(mark, serve, row_draws(alone, design.most_draws))
        return ORDER in first.dependent and not order_explained(first, row)
    second = later(mark, serve, second_draws(len(first.sample.draws), design.most_draws))
    failed = first.trial.outcome is SequentialDecision.FAILED
    if fault.startswith("cooled"):
        return failed and bool(explained(first, second))
    changed = DRIFT in first.dependent and not explained_change(first, second)
    return (failed and not explained(first, second)) or changed


def sample(null: ExpectedShares, design: Design, mark: str, serve: Route, seed: int) -> Evaluation:
    """As the suite draws it, with the tests of shares, order and time at their part of alpha."""
    part = design.alpha * (1 - PART_OF_GENERATED) * 2 / PATTERNS
    trial, dependence, draws = Trial(null, design), Dependence(null, part), list[Draw]()
    asked = itertools.chain.from_iterable(rounds(seed))
    while len(draws) < design.most_draws and (trial.outcome is None or len(draws) < design.paid):
        concurrency = next(asked).features[CONCURRENCY]
        draws.append(Draw({CONCURRENCY: concurrency}, serve(mark)))
        trial.observe(draws[-1].served)
        dependence.observe(draws[-1].served, alone=concurrency == "no")
    dependence.end()
    return Evaluation(Sample(draws), trial, dependence)


def later(mark: str, serve: Route, draws: int) -> Second:
    """A later sample in blocks; the faults count the draws of a mark."""
    each = draws // BLOCKS
    return Second([[serve(mark) for _ in range(each)] for _ in range(BLOCKS)], seconds=1.0)


def rows(runs: int, faults: tuple[str, ...] = LATER) -> Iterator[Row]:
    """By each design: production's sample and that of ``local``, or what the fault's environment declares."""
    for fault in faults:
        null = null_for(fault)
        for name, balance in BALANCES.items():
            own = DECLARES.get(fault, {}).get("balance", {}) if name == LOCAL else {}
            design = design_of(null, balance.model_copy(update=own), 1, outages=name == LOCAL)
            hits = sum(found(fault, null, design, f"{name}-{seed}", seed) for seed in range(runs))
            yield Row(fault, name, hits, runs)


def main() -> int:
    """Print the table; 1 where ``local`` misses a fault in more than one of twenty runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=LATER)
    given = parser.parse_args()
    missed = []
    for row in rows(given.runs, tuple(given.only)):
        print(f"{row.fault:<28} {row.design:<11} found {row.found} of {row.runs}", flush=True)
        if row.design == LOCAL and row.found < 0.95 * row.runs:
            missed.append(row.fault)
    print(f"not surely found by {LOCAL}: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
