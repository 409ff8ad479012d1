"""How surely the judgement of balance finds its faults, and how often it alarms on a right gateway.

``python bench/balance_detection.py`` prints two tables for both LiteLLM versions, measured on real gateways.
Bounded: 20 runs of each fault that a check of balance finds, on one lab; and 200 healthy runs, each of which
judges every group of the environment ``balance`` once, its shares and its independence, with the alpha that
``[balance]`` declares for all of them together. How many draws that takes against fixed tests:
``bench/balance_draws.py``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from gateway_acceptance.balance.dependence import Dependence
from gateway_acceptance.balance.expected_shares import ExpectedShares, null_of
from gateway_acceptance.balance.plan import design_of
from gateway_acceptance.balance.sequential import SequentialDecision, Trial
from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.wire.attribution import name_of
from lab.faults import FAULTS
from lab.flakiness import run_repeated
from lab.local import start
from lab.state import stop

ROOT = Path(__file__).parent.parent
VERSIONS = ("1.74.15", "latest")
BALANCE = "BACKEND-BAL-"
DEPENDENT = "dependent"


@dataclass
class Healthy:
    """Judgements of a right gateway. runs: of the whole environment, all of whose groups passed, and others;
    groups: outcome -> groups; alarms: what was said of those that did not pass."""

    runs: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    alarms: list[str] = field(default_factory=list)
    draws: list[int] = field(default_factory=list)

    def add(self, judged: list[tuple[str, str, int]]) -> None:
        """One run: (outcome, sentence, draws) of each group."""
        outcomes = {outcome for outcome, _, _ in judged}
        worst = next(
            (
                one
                for one in (SequentialDecision.FAILED, DEPENDENT, SequentialDecision.INCONCLUSIVE)
                if one in outcomes
            ),
            "",
        )
        self.runs[worst or SequentialDecision.PASSED] += 1
        self.groups.update(outcome for outcome, _, _ in judged)
        self.alarms += [sentence for outcome, sentence, _ in judged if outcome != SequentialDecision.PASSED]
        self.draws.append(sum(draws for _, _, draws in judged))


def healthy(environment: Environment, version: str, runs: int) -> Healthy:
    """So many runs over all groups of an environment that this starts and ends."""
    state = start(environment, version, ROOT, print, owner=os.getpid())
    found = Healthy()
    try:
        with httpx.Client(
            base_url=environment.gateway.url, headers={"authorization": f"Bearer {state.key}"}, timeout=20
        ) as client:
            nulls = [null_of(group, environment.gateway, state.version) for group in environment.groups]
            for _ in range(runs):
                found.add([judged(client, environment, null) for null in nulls])
    finally:
        stop(state)
    return found


def judged(client: httpx.Client, environment: Environment, null: ExpectedShares) -> tuple[str, str, int]:
    """One group, once: its shares, and the independence of the same draws."""
    design = design_of(null, environment.balance, len(environment.groups))
    trial, order = Trial(null, design), Dependence(null, design.alpha)
    body = {"model": null.alias, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 1}
    while trial.outcome is None:
        answer = client.post("/v1/chat/completions", json=body).raise_for_status()
        server = name_of(answer.headers["x-litellm-model-api-base"], environment.backends)
        trial.observe(server)
        order.observe(server)
    if trial.outcome is not SequentialDecision.PASSED:
        return trial.outcome, f"{null.alias}: {trial.sentence()}", trial.draws
    if order.found:
        return DEPENDENT, f"{null.alias}: {', '.join(order.found)} decides who serves", trial.draws
    return SequentialDecision.PASSED, "", trial.draws


def shown(counted: Counter[str]) -> str:
    """Outcomes and how often, for people."""
    return ", ".join(f"{outcome} {times}" for outcome, times in counted.items())


def main() -> int:
    """Print both tables; 1 where a fault is not found surely or a right gateway is alarmed at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="of each fault; 0: none")
    parser.add_argument("--healthy", type=int, default=200, help="runs, half of each version; 0: none")
    parser.add_argument("--env", default="balance", help="the environment of the healthy runs")
    parser.add_argument("--litellm", action="append", help=f"versions (default: {' and '.join(VERSIONS)})")
    arguments = parser.parse_args()
    versions = arguments.litellm or VERSIONS
    good = True
    faults = [
        name
        for name, fault in FAULTS.items()
        if any(check.startswith(BALANCE) for check in fault.detected_by)
    ]
    for version in versions:
        if arguments.runs:
            rounds = run_repeated(ROOT, faults, version, arguments.runs, print)
            print(rounds.text())
            good = good and rounds.sure
        if arguments.healthy:
            begun = time.monotonic()
            environment = load_environment(arguments.env, ROOT, {})
            seen = healthy(environment, version, arguments.healthy // len(versions))
            took = (time.monotonic() - begun) / len(seen.draws)
            print(f"healthy {version}: runs {shown(seen.runs)}; groups {shown(seen.groups)}")
            print(f"  {statistics.fmean(seen.draws):.0f} draws and {took:.1f} s a run")
            print("".join(f"  {alarm}\n" for alarm in seen.alarms), end="")
            good = good and set(seen.runs) == {SequentialDecision.PASSED}
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
