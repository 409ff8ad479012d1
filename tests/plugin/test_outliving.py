"""What is left of a run that is killed: the count of what it sent, and nothing of what only it needed."""

from __future__ import annotations

import json
import time

import pytest

from gateway_acceptance.plugin.outliving import SENT
from tests.plugin.gateway import KEY, Gateway
from tests.plugin.project import ALIVE, Project, a_check
from tests.plugin.test_exit_guard import ENOUGH_S, WAITS, running

SOME = a_check(3, "for _ in range(5):\n    gateway.models()", "gateway")
PRIVATE = "gateway-acceptance-*"
WAITS_LAST = WAITS.replace("def test_1", "def test_9")


@pytest.mark.parametrize("options", [[], ["-n", "2"]])
def test_what_was_sent_is_told_and_no_key_stays(
    project: Project, gateway: Gateway, options: list[str]
) -> None:
    project.write("environments/key", KEY + "\n").chmod(0o600)
    path = project.environment(gateway.url)
    text = path.read_text(encoding="utf-8").replace('key_variable = "MINI_KEY"', 'key_file = "key"')
    path.write_text(text, encoding="utf-8")
    project.checks(ALIVE, SOME, WAITS_LAST)
    with running(project, *options) as process:
        assert gateway.waited.wait(ENOUGH_S)
        assert list(project.temporary.glob(PRIVATE)), "it holds the key"
        process.kill()
        gateway.go_on.set()
        process.communicate(timeout=ENOUGH_S)
    until = time.monotonic() + ENOUGH_S
    while (left := list(project.temporary.glob(PRIVATE))) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == []
    (directory,) = project.directories().values()
    counted = json.loads((directory / SENT).read_text(encoding="utf-8"))
    assert len(gateway.seen) <= counted["requests"]
    assert len(gateway.seen) >= 3, "the looks at the start, and the check that waits"


def test_a_run_that_ended_has_its_count_in_its_record_alone(project: Project, gateway: Gateway) -> None:
    project.checks(ALIVE, SOME)
    run = project.run()
    assert run.code == 0, run.output
    assert run.record()["totals"]["requests"] == len(gateway.seen)
    assert list(run.directories["mini"].glob("sent*")) == []
    assert list(project.temporary.iterdir()) == []
