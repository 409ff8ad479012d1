"""``--plan`` of smoke before a real LiteLLM: what it says is what gateway and backends counted themselves."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_acceptance.cli.catalogue import collect
from gateway_acceptance.costs import Costs, load_costs, table
from gateway_acceptance.environment import Environment
from gateway_acceptance.plan import of_fingerprints, planned
from gateway_acceptance.record import Selected
from lab.control_api import ask
from lab.local import start
from lab.loopback_pool import own_net
from lab.patience import patient
from lab.state import LabState, lab_folder, stop
from tests.live.conftest import ROOT, Run, environment_at, judge

ARRIVED = re.compile(
    r' - "(?:[A-Z]+ (?!/mark-)[^\n]* HTTP/1\.[01]"|WebSocket [^\n]*") [0-9]{3}|Invalid HTTP request received'
)
"""A line of LiteLLM's access log, or that of a request which its server could not read."""
WITHIN = 0.1


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[tuple[Environment, LabState]]:
    """A LiteLLM that writes down every request, judged through a plain file, so that nobody else asks it."""
    with own_net() as net:
        embedded = environment_at(net, tmp_path, embedded=True, logs="ordinary")
        state = start(embedded, "", ROOT, print, owner=os.getpid())
        try:
            yield environment_at(net, tmp_path, embedded=False), state
        finally:
            assert stop(state)


def counted(environment: Environment) -> tuple[int, int]:
    """Requests that arrived at the gateway, and those of the suite that arrived at the backends; and the
    tokens of all answers of these. The log is behind: a request of this test's own shows how far it is."""
    lab, mark = lab_folder(ROOT, environment), f"/mark-{secrets.token_hex(8)}"
    httpx.get(environment.gateway.url + mark, trust_env=False, timeout=patient(30))
    ends = time.monotonic() + patient(30)
    while mark not in (log := (lab / "litellm.log").read_text(encoding="utf-8", errors="replace")):
        assert time.monotonic() < ends, "the gateway wrote nothing down"
        time.sleep(0.05)
    counts = ask(lab / "admin.sock", "counts").values()
    arrived = len(ARRIVED.findall(log)) + sum(each["direct"] for each in counts)
    return arrived, sum(each["tokens"] for each in counts)


def measured(environment: Environment, run: Run, seen: Path) -> Costs:
    """The table that ``gateway-acceptance costs --write`` makes of a run of smoke."""
    assert run.record is not None, run.output
    lines = [json.loads(line) for line in seen.read_text(encoding="utf-8").splitlines()]
    once = {name: cost["requests"] for line in lines for name, cost in line["shared"].items()}
    around = run.record["totals"]["requests"] - sum(once.values())
    around -= sum(line["own"]["requests"] + _probes(line) for line in lines)
    look = around - of_fingerprints(len(environment.backends), in_smoke=True)
    path = seen.with_suffix(".json")
    path.write_text(table(lines, environment, {}, look, lines), encoding="utf-8")
    return load_costs(path)


def test_a_plan_of_smoke_is_what_the_lab_counts(
    gateway: tuple[Environment, LabState], tmp_path: Path
) -> None:
    """By a table that was measured with the same checks: to the request, and of what chance draws within what
    is said; within a tenth in tokens."""
    environment, state = gateway
    seen = tmp_path / "seen"
    first = judge(environment, tmp_path / "first", f"--measure-costs={seen}", "-n", "0", key=state.key)
    costs = measured(environment, first, seen)
    catalogue = {check.id: check for check in collect(ROOT).checks}
    cases = [
        Selected(case["nodeid"], check, environment.name, case["parameters"]) for check, case in first.cases()
    ]
    plan = planned(environment, cases, catalogue, costs, "smoke").total
    before = counted(environment)
    again = tmp_path / "seen again"
    run = judge(environment, tmp_path / "second", f"--measure-costs={again}", "-n", "0", key=state.key)
    assert run.record is not None, run.output
    after = counted(environment)
    requests, tokens = after[0] - before[0], after[1] - before[1]
    drawn, probes = beyond(again)
    told = (
        f"planned {plan.requests} requests, {plan.served} tokens; counted {requests}, {tokens}; {drawn} drawn"
    )
    assert run.record["totals"]["requests"] == plan.requests + drawn + probes, told
    assert plan.requests + drawn <= requests <= plan.requests + drawn + probes <= plan.most + probes, told
    assert abs(tokens - plan.served) <= WITHIN * plan.served, told


def beyond(seen: Path) -> tuple[int, int]:
    """Draws until a second backend is seen; and requests that asked whether the gateway still lives: one that
    is too busy to answer need not have noted them."""
    lines = [json.loads(line) for line in seen.read_text(encoding="utf-8").splitlines()]
    return sum(sum(line["own"]["drawn"].values()) for line in lines), sum(_probes(line) for line in lines)


def _probes(line: dict[str, Any]) -> int:
    probes: int = line["own"]["probes"] + sum(one["probes"] for one in line["shared"].values())
    return probes
