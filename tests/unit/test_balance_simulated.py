"""The promises of the shares' test, by a simulation of its own: NumPy draws the samples, counts and
decides; of the project only the design's numbers are taken (threshold and concentration of the mixture)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from numpy.random import default_rng

from gateway_acceptance.balance.calibration import calibrated
from gateway_acceptance.balance.sequential import Design

RUNS = 20_000
THIRDS = (1 / 3, 1 / 3, 1 / 3)
DESIGNS = {
    "production": Design((1 / 3, 2 / 3), 0.00015, 0.9, 0.3, 64, 64),
    "production, three told apart": Design(THIRDS, 0.00015, 0.9, 0.3, 64, 64),
    "two alike": Design((0.5, 0.5), 0.01, 0.9, 0.2, 80, 80),
    "two alike, alpha 0.05": Design((0.5, 0.5), 0.05, 0.95, 0.25, 60, 60),
    "one to nine": Design((0.1, 0.9), 0.01, 0.9, 0.3, 90, 90),
    "one to nine, relative": Design((0.1, 0.9), 0.01, 0.9, 0.3, 150, 150, 0.8),
    "four alike": Design((0.25,) * 4, 0.02, 0.9, 0.2, 100, 100),
    "five to one to one": Design((5 / 7, 1 / 7, 1 / 7), 0.02, 0.9, 0.2, 100, 100),
    "sequential thirds": Design(THIRDS, 0.01, 0.9, 0.15, 300, 120),
    "sequential halves": Design((0.5, 0.5), 0.005, 0.9, 0.15, 300, 120),
    "sequential at once": Design((0.6, 0.4), 0.02, 0.95, 0.2, 200),
    "sequential, ten alike": Design((0.1,) * 10, 0.02, 0.9, 0.1, 200, 120, 0.9),
}
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rates:
    """Parts of all runs."""

    failed: float
    passed: float


def simulated(design: Design, actual: tuple[float, ...], seed: int) -> Rates:
    """Every draw of every run; a failure at any draw, a pass at the end of the paid draws or later."""
    chance = default_rng(seed)
    shares, n = np.array(design.shares), design.most_draws
    who = chance.choice(len(shares), size=(RUNS, n), p=actual).astype(np.int8)
    counts = np.zeros((RUNS, len(shares)), dtype=np.int64)
    log_e = np.zeros(RUNS)
    failed = np.zeros(RUNS, dtype=bool)
    passed = np.zeros(RUNS, dtype=bool)
    rows = np.arange(RUNS)
    for drawn in range(n):
        place = who[:, drawn]
        before = counts[rows, place]
        prior = design.concentration * shares[place]
        log_e += np.log((prior + before) / ((design.concentration + drawn) * shares[place]))
        counts[rows, place] += 1
        failed |= ~passed & (log_e >= design.limit)
        if drawn + 1 >= max(design.paid, 1):
            within = np.ones(RUNS, dtype=bool)
            for column, (share, tolerance) in enumerate(zip(design.shares, design.tolerances, strict=True)):
                once = design.paid >= n
                within &= shown(share, tolerance, drawn + 1, 1 - design.power, once)[counts[:, column]]
            passed |= ~failed & within
    return Rates(float(failed.mean()), float(passed.mean()))


def shown(share: float, tolerance: float, n: int, error: float, once: bool) -> npt.NDArray[np.bool_]:
    """For each count of n draws whether it shows a share to be within its tolerance: looked at once by exact
    binomial tails, else by the likelihood ratio against the nearest share out of it. Who should serve must
    have served."""
    count = np.arange(n + 1)
    good = (count > 0) | (share == 0)
    for edge, above in ((share + tolerance, True), (share - tolerance, False)):
        if not 0 < edge < 1:
            continue
        if once:
            factorials = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n + 1)))))
            logs = factorials[n] - factorials[count] - factorials[n - count]
            part = np.exp(logs + count * np.log(edge) + (n - count) * np.log(1 - edge))
            tail = np.cumsum(part) if above else np.cumsum(part[::-1])[::-1]
            good &= tail <= error
        else:
            hit = np.log(share / edge) if share else 0.0
            ratio = count * hit + (n - count) * np.log((1 - share) / (1 - edge))
            good &= ratio >= -np.log(error)
    return good


def off(shares: tuple[float, ...], place: int, by: float) -> tuple[float, ...]:
    """One share off by so much, the others in proportion."""
    kept = 1 - shares[place]
    rest = 1 - shares[place] - by
    return tuple(one + by if at == place else one * rest / kept for at, one in enumerate(shares))


def at_most(promised: float) -> float:
    """What a rate that is promised may show among the runs: four standard errors."""
    return promised + 4 * math.sqrt(promised * (1 - promised) / RUNS)


@pytest.mark.parametrize("name", DESIGNS)
def test_false_alarms_stay_at_alpha(name: str) -> None:
    design = calibrated(DESIGNS[name])
    assert simulated(design, design.shares, 1).failed <= at_most(design.alpha)


@pytest.mark.parametrize("name", DESIGNS)
def test_what_is_out_of_tolerance_passes_no_oftener_than_declared(name: str) -> None:
    design = calibrated(DESIGNS[name])
    for place, tolerance in enumerate(design.tolerances):
        for by in (tolerance, -tolerance):
            if 0 <= design.shares[place] + by <= 1:
                actual = off(design.shares, place, by)
                assert simulated(design, actual, 2).passed <= at_most(1 - design.power), (place, by)
        if len(set(design.shares)) == 1:
            break  # the others are alike


def test_a_healthy_production_run_is_hardly_ever_red() -> None:
    design = calibrated(DESIGNS["production"])
    rates = simulated(design, design.shares, 3)
    assert rates.passed >= 1 - 2 / 2000
