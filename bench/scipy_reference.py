"""Writes tests/unit/balance_scipy.json: what SciPy says of the numbers that balance/ computes by itself.

SciPy is no dependency of the project; run this where it is installed, with the project's folder as the
current one: ``python bench/scipy_reference.py``. The tests of balance/ hold their numbers against the file.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import scipy
from scipy import stats

TARGET = Path("tests/unit/balance_scipy.json")


def main() -> None:
    """Write the file."""
    chance = random.Random(5)
    document: dict[str, Any] = {"scipy": scipy.__version__}
    document["chi2_sf"] = [
        [value, freedom, float(stats.chi2.sf(value, freedom))]
        for freedom in (1, 2, 3, 4, 7, 12)
        for value in (0.01, 0.5, 2.0, 7.3, 21.0, 90.0)
    ]
    document["noncentral_chi2_sf"] = [
        [value, freedom, noncentrality, float(stats.ncx2.sf(value, freedom, noncentrality))]
        for freedom in (1, 2, 5)
        for value in (0.5, 6.0, 20.0)
        for noncentrality in (0.3, 5.0, 17.4, 80.0)
    ]
    document["log_e"] = []
    for kinds in (2, 3, 5):
        for _ in range(6):
            counts = [chance.randint(1, 90) for _ in range(kinds)]
            weights = [chance.randint(1, 5) for _ in range(kinds)]
            shares = [weight / sum(weights) for weight in weights]
            concentration = chance.choice((1.0, 4.5, 30.0))
            prior = [concentration * share for share in shares]
            mixture = stats.dirichlet_multinomial.logpmf(counts, prior, sum(counts))
            null = stats.multinomial.logpmf(counts, sum(counts), shares)
            document["log_e"].append([counts, shares, concentration, float(mixture - null)])
    document["log_beta_e"] = [  # the martingale of an interval, at a share
        [count, draws, one, other, share, _beta_e(count, draws, one, other, share)]
        for count, draws in ((0, 7), (20, 60), (60, 60), (300, 900))
        for one, other in ((0.5, 0.5), (2.0, 4.0))
        for share in (0.05, 0.31, 0.8)
    ]
    TARGET.write_text(json.dumps(document, indent=None).replace("], [", "],\n[") + "\n", encoding="utf-8")


def _beta_e(count: int, draws: int, one: float, other: float, share: float) -> float:
    mixture = stats.betabinom.logpmf(count, draws, one, other)
    return float(mixture - stats.binom.logpmf(count, draws, share))


main()
