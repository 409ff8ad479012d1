"""Gateways that are ill as a whole, from the start or in mid-run: one cause, one line, few requests."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading

import pytest

from tests.ill_targets import ILLS, IllTarget, ill
from tests.plugin.project import ALIVE, Project, Run, a_check
from tests.plugin.test_exit_guard import ENOUGH_S, running

ASKS = [a_check(number, "assert gateway.models().status == 200", "gateway") for number in range(1, 9)]
AT_THE_START = {
    "silent": "does not answer",
    "dripped_head": "does not answer",
    "too_many_requests": "wait 3600 s, as it asks",
    "unavailable": "is unavailable",
    "redirect": "sends everybody elsewhere",
    "wrong_key": "correct the key in MINI_KEY",
}
PREFLIGHT = 3
"""Requests of the start: readiness, models, version of what is a backend as well."""


def test_an_ill_gateway_is_one_cause(project: Project) -> None:
    """All ills at once, each an environment of the same run."""
    project.checks(ALIVE, *ASKS)
    with contextlib.ExitStack() as stack:
        targets = {name: stack.enter_context(ill(name)) for name in AT_THE_START}
        held = stack.enter_context(socket.socket())
        held.bind(("127.0.0.1", 0))
        urls = {name: target.url for name, target in targets.items()}
        urls["dead"] = f"http://127.0.0.1:{held.getsockname()[1]}"
        urls["unnamed"] = "http://no-such-host.invalid:4000"
        for name, url in urls.items():
            project.environment(url, name.replace("_", "-"), deadline_s=1)
        run = project.run(*(f"--env={name.replace('_', '-')}" for name in urls))
    words = {**AT_THE_START, "dead": "connection refused", "unnamed": "resolve"}
    assert set(run.directories) == {name.replace("_", "-") for name in words}
    for name, word in words.items():
        record = run.record(name.replace("_", "-"))
        told = [reason for reason in record["run"]["reasons"] if "untestable because of one cause" in reason]
        assert len(told) == 1, name
        assert told[0].startswith("8 checks")
        assert word in told[0], name
        alive = next(check for check in record["checks"] if check["id"] == "API-OPS-001")
        if name != "wrong_key":  # then it is alive, and says so
            assert alive["verdict"] == "failed"
            assert word in alive["cases"][0]["message"]
        assert record["totals"].get("harness error", 0) == 0
    for name, target in targets.items():
        assert len(target.seen) <= 3 + PREFLIGHT + 2, name


@pytest.mark.parametrize(("name", "most"), [("silent", 6), ("unavailable", 16), ("too_many_requests", 16)])
def test_in_mid_run_too(project: Project, name: str, most: int) -> None:
    healthy = 8
    project.checks(ALIVE, *ASKS, *(a_check(n, "gateway.models()", "gateway") for n in range(10, 30)))
    with ill(name, after=healthy) as target:
        project.environment(target.url, deadline_s=2)
        run = project.run()
    assert len(target.seen) <= healthy + most
    failed = [check for check in run.record()["checks"] if check["verdict"] == "failed"]
    causes = [check for check in failed if "in the midst of the run" in check["cases"][0]["message"]]
    assert len(causes) == 1
    assert "untestable because of one cause" in run.reasons
    assert len(failed) <= 3


@pytest.mark.parametrize("name", ["dripped_head", "dripped_continue"])
def test_one_ctrl_c_ends_a_run_that_waits_for_its_first_answer(project: Project, name: str) -> None:
    """One that nobody hears would be followed by the cause, and exit code 1."""
    arrived = threading.Event()

    def told(connection: socket.socket, target: IllTarget) -> None:
        arrived.set()
        ILLS[name](connection, target)

    project.checks(ALIVE, *ASKS)
    with ill(told) as target:
        project.environment(target.url)
        with running(project) as process:
            assert arrived.wait(ENOUGH_S)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=ENOUGH_S)
    run = Run(process.returncode, output, project.directories())
    assert (run.code, run.state) == (2, "VOID"), output
    assert run.record()["run"]["headline"] == "the run was interrupted: by the keyboard or a signal"
