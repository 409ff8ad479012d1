"""The lab of systemd hosts, for real: up, judged, down, killed; nothing is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import Environment, load_environment
from lab.hosts import cgroups
from lab.hosts.machine import leader_of
from lab.hosts.provider import PROVIDER
from lab.state import LabState, lab_folder, stop
from tests.live.conftest import ROOT

ENVIRONMENT = load_environment("lab", ROOT, {})
GONE_BUDGET_S = 15
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the lab of systemd hosts needs root")


@pytest.fixture
def hosts() -> Iterator[LabState]:
    state = PROVIDER.start(ENVIRONMENT, "", ROOT, print, owner=os.getpid())
    yield state
    stop(state)


def left_of(state: LabState) -> list[str]:
    """Processes, cgroups, listeners of a lab; namespaces and mounts live only as long as its processes."""
    found = [repr(process) for process in psutil.process_iter() if _of_the_lab(process, state)]
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    for root in cgroups.hierarchies(mounts).roots:
        found += [str(path) for path in root.glob(f"{cgroups.PREFIX}{state.pid}")]
    found += [row for row in mounts.splitlines() if str(lab_folder(ROOT, ENVIRONMENT)) in row]
    return found + [str(c.laddr) for c in psutil.net_connections("tcp") if "127.37.0." in str(c.laddr)]


def wait_until_gone(state: LabState) -> list[str]:
    """What is left when the lab's processes have had their time to end."""
    processes = [process for process in psutil.process_iter() if _of_the_lab(process, state)]
    psutil.wait_procs(processes, timeout=GONE_BUDGET_S)
    return left_of(state)


def _of_the_lab(process: psutil.Process, state: LabState) -> bool:
    own = (str(lab_folder(ROOT, ENVIRONMENT)), f"{cgroups.PREFIX}{state.pid}")
    try:
        words = " ".join(process.cmdline())
        return process.status() != psutil.STATUS_ZOMBIE and any(word in words for word in own)
    except psutil.Error:
        return False


def over_ssh(name: str, command: str) -> str:
    config = lab_folder(ROOT, ENVIRONMENT) / "ssh_config"
    done = subprocess.run(
        ["ssh", "-F", str(config), name, command], capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip()


@as_root
def test_four_hosts_run_and_serve_and_go_without_a_trace(hosts: LabState) -> None:
    for machine in ENVIRONMENT.machines.values():
        assert (
            over_ssh(machine.name or "", "systemctl is-system-running; hostname")
            == f"running\n{machine.name}"
        )
    again = leader_of(lab_folder(ROOT, ENVIRONMENT), "gateway").run(
        "/opt/HX-Infrastructure-/api-gateway/scripts/deployment/deploy-litellm-gateway.sh"
        " --wheelhouse /srv/wheelhouse",
        timeout=60,
        environment={
            "HX_GATEWAY_ADDRESS": "198.51.100.39",
            **{
                f"HX_{backend.name.upper().replace('-', '_')}_URL": backend.called
                for backend in ENVIRONMENT.backends
            },
        },
    )
    assert again.returncode == 0, again.stderr
    assert "nothing to do" in again.stdout, "the deployment script is not idempotent"
    assert stop(hosts)
    assert wait_until_gone(hosts) == []


@as_root
def test_a_killed_lab_leaves_nothing(hosts: LabState) -> None:
    os.kill(hosts.pid, signal.SIGKILL)
    assert wait_until_gone(hosts) == []


def test_without_root_one_sentence_says_what_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    environment: Environment = ENVIRONMENT
    with pytest.raises(NotStarted, match=r"needs root .* pytest --env local"):
        PROVIDER.start(environment, "", ROOT, print, owner=os.getpid())
