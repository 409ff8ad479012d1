"""A lab starts once, is found again, says what stands in its way, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.environment import Environment
from lab.local import PROVIDER, start
from lab.loopback_pool import own_net
from lab.patience import patient
from lab.state import lab_folder, read_state, stop
from tests.live.conftest import ROOT, command, environment_at, judge
from tests.signals import hear_ctrl_c

GONE_BUDGET_S = 20
STARTED_BUDGET_S = 60


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    """An embedded environment of this test's own; whatever the test leaves is ended."""
    with own_net() as net:
        declared = environment_at(net, tmp_path, embedded=True)
        yield declared
        left = read_state(lab_folder(ROOT, declared))
        if left is not None:
            stop(left)


def console(*words: str) -> subprocess.CompletedProcess[str]:
    """The console command, from the project's folder."""
    program = Path(sys.executable).parent / "gateway-acceptance"
    return subprocess.run(
        [str(program), *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=patient(120)
    )


def processes_of(environment: Environment) -> list[psutil.Process]:
    """The supervisor of the environment's lab and all below it."""
    state = read_state(lab_folder(ROOT, environment))
    assert state is not None
    supervisor = psutil.Process(state.pid)
    found = [supervisor, *supervisor.children(recursive=True)]
    assert len(found) >= 2, "LiteLLM is a process of its own"
    return found


def all_gone(processes: list[psutil.Process]) -> bool:
    """Wait until the processes are gone; False where the budget runs out."""
    _, alive = psutil.wait_procs(processes, timeout=patient(GONE_BUDGET_S))
    return not alive


def test_a_lab_that_is_up_is_found_used_and_ended(environment: Environment, tmp_path: Path) -> None:
    up = console("lab", "up", "--env", str(environment.source))
    assert up.returncode == 0, up.stderr
    processes = processes_of(environment)
    assert environment.gateway.url in console("lab", "status").stdout
    for _ in range(2):
        run = judge(environment, tmp_path / "runs")
        assert run.code == 0, run.output
        assert "using the lab that is up" in run.output
    assert processes[0].is_running(), "a run must not end a lab that it found"
    state = read_state(lab_folder(ROOT, environment))
    assert state is not None
    assert stop(state)
    assert all_gone(processes)
    assert environment.gateway.url not in console("lab", "status").stdout


def test_a_lab_of_another_version_is_not_used(environment: Environment) -> None:
    state = start(environment, "", ROOT, print, owner=None)
    with pytest.raises(NotStarted, match=r"runs LiteLLM 1\.108\.7.*lab down"):
        PROVIDER.acquire(environment, options={"litellm": "1.74.15"}, root=ROOT, say=print)
    assert stop(state)


def test_a_run_ends_the_lab_that_it_started(environment: Environment, tmp_path: Path) -> None:
    run = judge(environment, tmp_path / "runs", "-n", "2")
    assert run.code == 0, run.output
    assert run.output.count("starting live-") == 1
    assert read_state(lab_folder(ROOT, environment)) is None
    assert not listening(environment)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_nothing_stays_behind_when_the_run_ends_early(
    environment: Environment, tmp_path: Path, sent: signal.Signals
) -> None:
    run = subprocess.Popen(
        command(environment, tmp_path / "runs"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=hear_ctrl_c,
    )
    assert run.stdout is not None
    with contextlib.closing(run.stdout):
        for line in run.stdout:
            if line.startswith("suites"):  # the lab is ready and checks are running
                break
        processes = processes_of(environment)
        os.killpg(run.pid, sent)
        run.wait(patient(GONE_BUDGET_S))
    assert all_gone(processes)
    assert not listening(environment)


def test_litellm_dies_with_its_supervisor(environment: Environment) -> None:
    start(environment, "", ROOT, print, owner=None)
    processes = processes_of(environment)
    processes[0].kill()
    assert all_gone(processes)
    assert read_state(lab_folder(ROOT, environment)) is None


def test_a_taken_port_is_said_with_its_holder(environment: Environment, tmp_path: Path) -> None:
    host = environment.gateway.url.removeprefix("http://").split(":")[0]
    with socket.create_server((host, 4000)):
        run = judge(environment, tmp_path / "runs")
    assert run.code == 3
    assert f"{host}:4000 cannot be used (Address already in use)" in run.output
    assert f"(pid {os.getpid()})" in run.output
    assert run.record is None


def test_a_version_that_cannot_be_had_is_one_sentence(environment: Environment, tmp_path: Path) -> None:
    run = judge(environment, tmp_path / "runs", "--litellm", "0.0.0.1")
    assert run.code == 3
    assert "LiteLLM 0.0.0.1 cannot be installed: ERROR: " in run.output
    assert "locked versions are 1.74.15, 1.106.2, 1.108.7" in run.output


def test_a_word_that_is_no_version_is_refused(environment: Environment, tmp_path: Path) -> None:
    run = judge(environment, tmp_path / "runs", "--litellm", "; rm")
    assert run.code == 3
    assert "'; rm' is no version" in run.output


def test_collecting_starts_nothing(environment: Environment, tmp_path: Path) -> None:
    run = judge(environment, tmp_path / "runs", "--collect-only", "-q")
    assert run.code == 0, run.output
    assert "starting" not in run.output
    assert not listening(environment)


def listening(environment: Environment) -> bool:
    """Whether anything still holds an address of the environment."""
    hosts = {url.removeprefix("http://").split(":")[0] for url in [environment.gateway.url]}
    hosts |= {backend.url.removeprefix("http://").split(":")[0] for backend in environment.backends}
    found = psutil.net_connections("tcp")
    return any(c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.ip in hosts for c in found)
