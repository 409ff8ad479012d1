"""Runs that end before their time: crashed workers, Ctrl-C, kill -9; what they leave behind is true."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway_acceptance.run_directory import run_directories
from lab.patience import patient
from tests.plugin.gateway import Gateway
from tests.plugin.project import ALIVE, Project, Run, a_check
from tests.signals import hear_ctrl_c

WAITS = a_check(1, "gateway.get('/wait')", "gateway")
PASSES = a_check(2, "pass")
ENOUGH_S = patient(30)


@contextmanager
def running(project: Project, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A run under way; ended with the block, whatever happens."""
    with subprocess.Popen(
        project.command("--env=mini", "-m", "smoke", *options),
        cwd=project.root,
        env=project.variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=hear_ctrl_c,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def test_a_crashed_worker_is_a_harness_error_of_a_named_case(project: Project) -> None:
    project.checks(ALIVE, a_check(1, "os._exit(0)"), PASSES, a_check(3, "pass"))
    run = project.run("-n", "2")
    assert (run.code, run.state) == (3, "SMOKE FAILED"), run.output
    (case,) = run.cases("API-T-001")
    assert (case["verdict"], case["blame"]) == ("harness error", "harness")
    assert "never reported: its worker died" in case["message"]
    assert case["nodeid"] == "suites/test_checks.py::test_1[mini]"
    assert "API-T-001" in run.output
    assert [run.verdict(name) for name in ("API-OPS-001", "API-T-002", "API-T-003")] == ["passed"] * 3


def test_an_internal_error_of_pytest_is_red(project: Project) -> None:
    """All checks have passed when it happens."""
    project.checks(ALIVE)
    hook = "def pytest_runtest_logfinish(nodeid):\n    raise RuntimeError('a plugin broke')\n"
    project.write("conftest.py", 'pytest_plugins = ["gateway_acceptance.plugin.hooks"]\n' + hook)
    run = project.run()
    assert run.verdict("API-OPS-001") == "passed"
    assert (run.code, run.state) == (3, "SMOKE FAILED")


@pytest.mark.parametrize("options", [[], ["-n", "1"]])
def test_ctrl_c_is_void(project: Project, gateway: Gateway, options: list[str]) -> None:
    project.checks(ALIVE, WAITS, PASSES)
    with running(project, *options) as process:
        assert gateway.waited.wait(ENOUGH_S)
        process.send_signal(signal.SIGINT)
        gateway.go_on.set() if options else None
        output, _ = process.communicate(timeout=ENOUGH_S)
    assert process.returncode == 2, output
    record = json.loads((project.directories()["mini"] / "record.json").read_text(encoding="utf-8"))
    assert record["run"]["state"] == "VOID"
    assert record["run"]["exit_code"] == 2
    verdicts = {check["id"]: check["verdict"] for check in record["checks"]}
    assert verdicts == {"API-OPS-001": "passed", "API-T-001": "harness error", "API-T-002": "harness error"}


@pytest.mark.parametrize("options", [[], ["-n", "1"]])
def test_kill_leaves_no_green_behind(project: Project, gateway: Gateway, options: list[str]) -> None:
    """The run before was green; what it left is still there, and is not the newest."""
    project.checks(ALIVE)
    before = project.run()
    project.checks(ALIVE, WAITS)
    with running(project, *options) as process:
        assert gateway.waited.wait(ENOUGH_S)
        process.kill()
        gateway.go_on.set()
        process.communicate(timeout=ENOUGH_S)
    assert process.returncode == -signal.SIGKILL
    after = Run(0, "", project.directories())
    assert (after.state, after.record()["run"]["exit_code"]) == ("VOID", 2)
    assert after.record()["run"]["headline"] == "the run began and has not ended"
    assert "VOID" in (after.directories["mini"] / "STATUS.md").read_text(encoding="utf-8")
    assert before.directories["mini"] != after.directories["mini"]
    assert before.state == "SMOKE PASSED"
    again = project.run()
    assert "has not ended" not in (again.directories["mini"] / "STATUS.md").read_text(encoding="utf-8")


def test_sigterm_is_void(project: Project, gateway: Gateway) -> None:
    """As Ctrl-C: what is known is written."""
    project.checks(ALIVE, WAITS, PASSES)
    with running(project) as process:
        assert gateway.waited.wait(ENOUGH_S)
        process.terminate()
        output, _ = process.communicate(timeout=ENOUGH_S)
    run = Run(process.returncode, output, project.directories())
    assert (run.code, run.state) == (2, "VOID"), output
    assert run.record()["run"]["headline"] == "the run was interrupted: by SIGTERM"
    assert run.verdict("API-OPS-001") == "passed"


def test_kill_while_the_results_are_written_leaves_it_void(project: Project) -> None:
    """The record is written, its views are not."""
    project.checks(ALIVE)
    kill = (
        "import os, signal\nfrom gateway_acceptance.plugin import results\n"
        "results.seal = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    project.write("conftest.py", 'pytest_plugins = ["gateway_acceptance.plugin.hooks"]\n' + kill)
    run = project.run()
    assert (run.code, run.state) == (-signal.SIGKILL, "VOID")
    (part,) = (project.root / "reports" / "runs" / "mini").glob(".*.part")
    assert json.loads((part / "record.json").read_text(encoding="utf-8"))["run"]["state"] == "SMOKE PASSED"
    assert part not in run_directories(project.root / "reports" / "runs", "mini")


def test_nothing_of_a_run_stays_in_the_temporary_folder(project: Project) -> None:
    """The run's private folder holds keys of embedded environments."""
    project.checks(ALIVE)
    assert project.run().code == 0
    assert list(project.temporary.iterdir()) == []
    assert project.run(key=None).code == 4
    assert list(project.temporary.iterdir()) == []
