"""Ends that come at a bad time: what is on disk is true from the first second, and all that was sent is
told."""

from __future__ import annotations

import contextlib
import signal

import pytest

from tests.plugin.gateway import Gateway
from tests.plugin.project import ALIVE, Project, Run, a_check
from tests.plugin.test_exit_guard import ENOUGH_S, WAITS, running

PLUGIN = 'pytest_plugins = ["gateway_acceptance.plugin.hooks"]\n'
PASSES = a_check(2, "pass")
BUSY = (
    "for number in range(200):\n    gateway.get(f'/alive')\n    gateway.get('/wait') if number == 3 else None"
)


def broken(project: Project, code: str) -> None:
    """A conftest that breaks something of the suite itself."""
    project.write("conftest.py", PLUGIN + code)


@pytest.mark.parametrize(
    "code",
    [
        "def broken(*_):\n    raise RuntimeError('a crash of ours')",
        "import os, signal\ndef broken(*_):\n    os.kill(os.getpid(), signal.SIGKILL)",
    ],
)
@pytest.mark.parametrize("place", ["snapshots.accounts_of", "identity.identities"])
def test_a_crash_before_the_first_check_leaves_no_old_green(project: Project, place: str, code: str) -> None:
    project.checks(ALIVE)
    assert project.run().state == "SMOKE PASSED"
    broken(project, f"from gateway_acceptance.plugin import identity, snapshots\n{code}\n{place} = broken\n")
    run = project.run()
    assert run.code not in (0, 1), run.output
    assert run.state in ("VOID", "SMOKE FAILED")


def test_git_is_not_asked_before_the_run_is_void_on_disk(project: Project) -> None:
    """However slow it is."""
    project.checks(ALIVE)
    assert project.run().state == "SMOKE PASSED"
    kill = "import os, signal\ndef slow(*_):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    patch = (
        "from gateway_acceptance.plugin import checkout, suite_identity\nsuite_identity.checkout_of = slow\n"
    )
    broken(project, kill + patch)
    run = project.run()
    assert (run.code, run.state) == (-signal.SIGKILL, "VOID")
    assert run.record()["run"]["headline"] == "the run began and has not ended"


def test_ctrl_c_to_the_controller_alone_tells_all_that_was_sent(project: Project, gateway: Gateway) -> None:
    """The workers hear nothing of it and go on, until the ledger gives them nothing more."""
    project.environment(gateway.url, requests=100_000)
    project.checks(ALIVE, *(a_check(number, BUSY, "gateway") for number in range(1, 5)))
    with running(project, "-n", "2") as process:
        assert gateway.waited.wait(ENOUGH_S)
        gateway.go_on.set()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=ENOUGH_S)
    run = Run(process.returncode, output, project.directories())
    assert (run.code, run.state) == (2, "VOID"), output
    told = run.record()["totals"]["requests"]
    assert told - 2 <= len(gateway.seen) <= told, "each of two workers may have been about to send one more"


@pytest.mark.parametrize("where", ["results.write_views", "results.seal"])
@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM"])
def test_a_signal_while_the_results_are_written_falsifies_nothing(
    project: Project, where: str, sent: str
) -> None:
    project.checks(ALIVE, PASSES)
    name = where.split(".")[1]
    broken(
        project,
        "import os, signal\nfrom gateway_acceptance.plugin import results\n"
        f"real = results.{name}\n"
        f"def told(*a, **k):\n    os.kill(os.getpid(), signal.{sent})\n    return real(*a, **k)\n"
        f"import gateway_acceptance.plugin.results as written\nfinish = written.finish\n"
        f"def last(*a, **k):\n    results.{name} = told\n    return finish(*a, **k)\n"
        "written.finish = last\n",
    )
    run = project.run()
    assert (run.code, run.state) == (0, "SMOKE PASSED"), run.output


def test_a_second_ctrl_c_is_void_and_loses_nothing(project: Project, gateway: Gateway) -> None:
    project.checks(ALIVE, WAITS, PASSES)
    broken(
        project,
        "import os, signal\nimport gateway_acceptance.plugin.results as written\n"
        "finish = written.finish\n"
        "def again(*a, **k):\n    os.kill(os.getpid(), signal.SIGINT)\n    return finish(*a, **k)\n"
        "written.finish = again\n",
    )
    with running(project) as process:
        assert gateway.waited.wait(ENOUGH_S)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=ENOUGH_S)
    run = Run(process.returncode, output, project.directories())
    assert (run.code, run.state) == (2, "VOID"), output
    assert run.record()["run"]["headline"] == "the run was interrupted: by the keyboard or a signal"
    assert run.verdict("API-OPS-001") == "passed"


def test_ctrl_c_while_the_target_is_looked_at_again_is_void(project: Project) -> None:
    project.checks(ALIVE, PASSES)
    broken(
        project,
        "import os, signal\nimport gateway_acceptance.plugin.identity as identity\n"
        "real = identity.identities\n"
        "calls = []\ndef looked(*a, **k):\n    calls.append(1)\n"
        "    os.kill(os.getpid(), signal.SIGINT) if len(calls) == 2 else None\n    return real(*a, **k)\n"
        "identity.identities = looked\n",
    )
    run = project.run()
    assert (run.code, run.state) == (2, "VOID"), run.output
    assert run.verdict("API-T-002") == "passed"


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_full_temporary_folder_is_one_cause(project: Project, gateway: Gateway, workers: str) -> None:
    """The counters of what was sent are there as long as it has room, and say the same when it has none."""
    project.checks(ALIVE, *(a_check(number, "gateway.models()", "gateway") for number in range(1, 40)))
    broken(
        project,
        "import errno\nfrom gateway_acceptance import policy\nreal = policy._write\n"
        "def full(file, spent):\n    if spent.requests > 12:\n"
        "        raise OSError(errno.ENOSPC, 'No space left on device')\n    real(file, spent)\n"
        "policy._write = full\n",
    )
    run = project.run("-n", workers)
    assert (run.code, run.state) == (2, "VOID"), run.output
    record = run.record()["run"]
    assert "takes no more (No space left on device); make room there, or set TMPDIR" in record["headline"]
    assert len(record["reasons"]) <= 2, record["reasons"]
    assert run.record()["totals"]["requests"] == len(gateway.seen) == 12


def test_counters_survive_a_folder_without_room(project: Project) -> None:
    """What is written again takes no more room than it has."""
    from gateway_acceptance.check import Effect
    from gateway_acceptance.environment.model import Policy
    from gateway_acceptance.policy import Budget

    policy = Policy(effects=(Effect.READ,), requests=99_999_999, tokens=99_999_999_999, seconds=60)
    path = project.root / "budget"
    budget = Budget(path, policy, 0)
    with contextlib.suppress(Exception):
        budget.reserve()
    budget.end()
    size = path.stat().st_size
    budget.settle(0, 99_999_999_999)
    assert path.stat().st_size == size
    assert budget.spent.ended
