"""A whole release run is READY where the backends answer nobody but the gateway: what BACKEND-BYPASS-001
asks for is a topology, and no gap.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway_acceptance.environment import Environment, load_environment
from lab.loopback_pool import own_net
from tests.live.conftest import ROOT, environment_at, judge

RELEASE_BUDGET_S = 900
"""With the first making of the hosts' file system, which later runs find."""
PROVED = {"passed", "deviation", "waived"}


def require_ready(environment: Environment, runs: Path) -> None:
    """Every claim is proved, the backends among them, and nobody but the gateway reached one."""
    run = judge(environment, runs, "-n", "2", profile="release", budget_s=RELEASE_BUDGET_S)
    assert run.record is not None, run.output
    assert (run.code, run.record["run"]["state"]) == (0, "READY"), run.output
    assert {claim["verdict"] for claim in run.record["claims"]} <= PROVED, run.output
    verdicts = {check: case["verdict"] for check, case in run.cases()}
    assert verdicts["BACKEND-BYPASS-001"] == "passed"
    assert verdicts["BACKEND-REACH-001"] == "not applicable", "by the declaration, and no gap"


def test_closed_backends_are_ready(tmp_path: Path) -> None:
    with own_net() as net:
        require_ready(environment_at(net, tmp_path, embedded=True, of="closed"), tmp_path / "runs")


@pytest.mark.skipif(os.geteuid() != 0, reason="the lab of systemd hosts needs root")
def test_closed_hosts_are_ready(tmp_path: Path) -> None:
    require_ready(load_environment("lab-closed", ROOT, {}), tmp_path / "runs")
