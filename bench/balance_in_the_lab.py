"""How surely the later faults of balance are found in the lab: a real LiteLLM, real backends, run after run.

``python bench/balance_in_the_lab.py`` runs each fault of ``bench/balance_faults.py`` so many times on one
lab, by the suite's own checks, each with the sample of ``DRAWS``, in which it can be found, and prints in how
many runs it was and what the healthy control said meanwhile. Bounded: 64 to 480 draws of a fault and run, and
240 to 480 of its second look; ``--only``, ``--runs`` and ``--seconds`` take a part. Exit 1 where a fault is
found in less than 95 of 100 runs, or the control is not green. Without network and gateway:
``bench/balance_faults.py``.
"""

from __future__ import annotations

import argparse
import functools
import math
import sys
import tomllib
from pathlib import Path

import tomli_w

from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.usage import UsageProblem
from lab.flakiness import run_repeated

ROOT = Path(__file__).parent.parent
DRAWS = {
    "turns-bad-after-10": 96,
    "turns-bad-after-20": 120,
    "turns-bad-after-30": 160,
    "turns-bad-after-45": 200,
    "deployment-unforeseen-late": 160,
    "deployment-unforeseen-rare": 64,
    "zero-share-late": 120,
    "cooled-by-anothers-error": 240,
    "sticky-half": 240,
    "sticky-third": 480,
}
"""The first sample of each, in which the shares alone show it: 64 are production's."""
WORKERS = 4
"""Cells at a time: most of one is waiting for what may have cooled down."""


def declared(environment: Environment) -> Environment:
    """The environment with production's bounds of balance, and the sample of its fault."""
    document = tomllib.loads(environment.source.read_text(encoding="utf-8"))
    draws = DRAWS.get(environment.name, 64)
    document["balance"] = {"witness": "deployment", "most_draws": draws, "independence_draws": draws}
    environment.source.write_text(tomli_w.dumps(document), encoding="utf-8")
    return load_environment(str(environment.source), ROOT, {})


def main() -> int:
    """Print the table; 1 where a fault is not found surely or the control alarms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", nargs="+", default=list(DRAWS), metavar="FAULT")
    parser.add_argument("--seconds", type=float, default=math.inf, help="after which no further run begins")
    parser.add_argument("--litellm", default="latest", metavar="VERSION")
    given = parser.parse_args()
    unknown = [name for name in given.only if name not in DRAWS]
    if unknown or given.runs < 1:
        parser.error(
            f"there is no such fault here: {', '.join(unknown)}" if unknown else "--runs is 1 or more"
        )
    try:
        rounds = run_repeated(
            ROOT,
            given.only,
            given.litellm,
            given.runs,
            functools.partial(print, flush=True),
            rewritten=declared,
            workers=WORKERS,
            seconds=given.seconds,
            suite="suites/backends/balance",
        )
    except UsageProblem as problem:
        parser.error("; ".join(problem.sentences))
    print(rounds.text())
    return 0 if rounds.sure else 1


if __name__ == "__main__":
    sys.exit(main())
