"""Every exit code of docs/exit-codes.md, as a shell sees it; ends by signals: test_ends.py."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway_acceptance.usage import (
    EXIT_HARNESS_ERROR,
    EXIT_INTEGRITY_ONLY,
    EXIT_INTERRUPTED,
    EXIT_NOT_READY,
    EXIT_READY,
    EXIT_USAGE,
)
from tests.plugin.gateway import Gateway
from tests.plugin.project import ALIVE, CLAIM, OTHER_CLAIM, Project, a_check

FAILS = a_check(1, "assert 1 == 2")
ERRS = a_check(2, "raise RuntimeError('ours')")
CHANGES = a_check(3, "any_gateway.get('/list/other')", "any_gateway")
WAYS: dict[str, tuple[int, str, list[str], list[str]]] = {
    "smoke": (EXIT_READY, "SMOKE PASSED", [ALIVE], []),
    "release": (EXIT_READY, "READY", [ALIVE], ["-m", "release"]),
    "a part": (EXIT_READY, "PARTIAL RUN", [ALIVE, FAILS], ["-k", "alive"]),
    "collected only": (EXIT_READY, "", [ALIVE], ["--collect-only"]),
    "failed": (EXIT_NOT_READY, "SMOKE FAILED", [ALIVE, FAILS], []),
    "a part that failed": (EXIT_NOT_READY, "PARTIAL RUN", [ALIVE, FAILS], ["-k", "1"]),
    "changed": (EXIT_INTERRUPTED, "VOID", [ALIVE, CHANGES], []),
    "stopped": (EXIT_INTERRUPTED, "VOID", [FAILS, ALIVE], ["-x"]),
    "harness": (EXIT_HARNESS_ERROR, "SMOKE FAILED", [ALIVE, FAILS, ERRS], []),
    "no such option": (EXIT_USAGE, "", [ALIVE], ["--no-such-option"]),
    "no such environment": (EXIT_USAGE, "", [ALIVE], ["--env=nowhere"]),
    "nothing selected": (EXIT_USAGE, "", [ALIVE], ["-k", "nothing"]),
    "nothing collected": (EXIT_USAGE, "", [ALIVE], ["-k", "nothing", "--collect-only"]),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_exit_code_and_state(project: Project, way: str) -> None:
    code, state, checks, options = WAYS[way]
    project.checks(*checks)
    run = project.run(*options)
    assert run.code == code, run.output
    assert (run.state if run.directories else "") == state
    if run.directories:
        status = json.loads((run.directories["mini"] / "status.json").read_text(encoding="utf-8"))
        assert (status["exit_code"], status["state"]) == (code, state)


def test_not_ready_and_a_missing_key(project: Project) -> None:
    project.write("suites/claims.toml", CLAIM + OTHER_CLAIM)
    project.checks(ALIVE)
    assert project.run("-m", "release").code == EXIT_NOT_READY
    assert project.run(key=None).code == EXIT_USAGE


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("assert environment.name == 'mini'", EXIT_NOT_READY),
        ("if environment.name != 'mini':\n    raise RuntimeError('ours')", EXIT_HARNESS_ERROR),
    ],
)
def test_the_worst_of_several_environments(project: Project, gateway: Gateway, body: str, code: int) -> None:
    project.environment(gateway.url, "other")
    project.checks(ALIVE, a_check(1, body))
    run = project.run("--env=mini", "--env=other")
    assert (run.code, run.record("mini")["run"]["exit_code"]) == (code, EXIT_READY)


@pytest.mark.parametrize("part", ["collection", "controller", "worker", "last-word"])
def test_no_part_of_the_plugin_can_be_left_out(project: Project, part: str) -> None:
    """Without it pytest would run the checks, say nothing of them, and end with its own 0."""
    project.checks(ALIVE)
    run = project.run("-p", f"no:gateway-acceptance-{part}")
    assert (run.code, run.directories) == (EXIT_USAGE, {}), run.output
    assert f"-p no:gateway-acceptance-{part}" in run.output


def test_every_code_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    documented = [int(number) for number in re.findall(r"^\| (\d) \|", text, flags=re.MULTILINE)]
    codes = [EXIT_READY, EXIT_NOT_READY, EXIT_INTERRUPTED, EXIT_HARNESS_ERROR, EXIT_USAGE]
    assert documented == [*codes, EXIT_INTEGRITY_ONLY]
