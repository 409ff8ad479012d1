"""``--plan``: what it says is what arrives at the target, to the request; and it sends nothing itself."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from gateway_acceptance.costs import table
from gateway_acceptance.environment import load_environment
from gateway_acceptance.plan import of_fingerprints
from tests.plugin.gateway import Gateway
from tests.plugin.project import ALIVE, Project, Run, a_check

SHARES = "answer = target.once(('list',), target.gateway.models)\nassert answer.status == 200"
NESTED = (
    "target.once(('both',), lambda: (target.once(('list',), target.gateway.models), gateway.get('/alive')))"
)
CHECKS = [
    ALIVE,
    a_check(1, SHARES, "target, gateway"),
    a_check(2, SHARES, "target, gateway"),
    a_check(3, NESTED, "target, gateway"),
    a_check(4, "gateway.chat(chat_model, 'hello', max_tokens=8)", "gateway, chat_model", effect="SPEND"),
    a_check(
        5, "sdk.chat.completions.create(model='chat-one', max_tokens=4, messages=[])", "sdk", effect="SPEND"
    ),
    a_check(6, "gateway.get('/mutate')", "gateway", effect="MUTATE"),
    a_check(7, "gateway.get('/one')\nassert False", "gateway"),
    a_check(
        8,
        "target.once_per_run('alive', lambda: target.gateway.get('/alive').status)",
        "target, gateway",
        effect="PROBE",
    ),
]
WHOLE = re.compile(r"^in all +\d+ +(\d+) +(\d+) +\d+ +0 +\d+$", re.MULTILINE)


def measured(project: Project) -> None:
    """The table of costs, by a run of all."""
    seen = project.root / "measured"
    run = project.run(f"--measure-costs={seen}")
    lines = [json.loads(line) for line in seen.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len(CHECKS), run.output
    sent = sum(line["own"]["requests"] for line in lines)
    once = {name: cost["requests"] for line in lines for name, cost in line["shared"].items()}
    around = run.record()["totals"]["requests"] - sent - sum(once.values())
    path = project.root / "environments" / "mini.toml"
    environment = load_environment(str(path), project.root, os.environ)
    text = table(lines, environment, {"environment": "mini"}, around - of_fingerprints(1, in_smoke=True))
    project.write("suites/costs.json", text)


def told(run: Run) -> tuple[int, int]:
    """Requests and tokens of a plan."""
    assert run.code == 0, run.output
    found = WHOLE.search(run.output)
    assert found is not None, run.output
    return int(found[1]), int(found[2])


@pytest.fixture
def known(project: Project, gateway: Gateway) -> Project:
    project.environment(gateway.url, effects=["read", "spend", "probe"])
    project.checks(*CHECKS)
    gateway.version = "1.0"  # it is its own backend, and tells all that a fingerprint asks for
    measured(project)
    gateway.seen.clear()
    return project


@pytest.mark.parametrize("selection", [[], ["-k", "test_2 or test_3"], ["-k", "test_1 or test_4 or test_8"]])
def test_a_run_keeps_to_its_plan(known: Project, gateway: Gateway, selection: list[str]) -> None:
    before = sorted(known.directories()["mini"].parent.iterdir())
    requests, tokens = told(known.run("--plan", *selection, key=None))
    assert gateway.seen == []
    assert sorted(known.directories()["mini"].parent.iterdir()) == before
    run = known.run(*selection)
    assert len(gateway.seen) == requests == run.record()["totals"]["requests"]
    assert abs(run.record()["totals"]["tokens"] - tokens) <= tokens / 10


def test_a_plan_with_workers_is_of_one_process(known: Project, gateway: Gateway) -> None:
    assert told(known.run("--plan", "-n", "2")) == told(known.run("--plan"))
    assert gateway.seen == []


def test_what_is_said_beside_the_numbers(known: Project, gateway: Gateway) -> None:
    known.environment(gateway.url, effects=["read", "probe"], requests=5)
    known.checks(*CHECKS, a_check(9, "pass"))
    said = known.run("--plan").output
    assert "policy.requests = 5 is too little: raise it to " in said
    assert "policy.tokens = 100000 is enough" in said
    assert "asks as scanners do (effect probe): API-T-008" in said
    assert "3 cases are not permitted by policy.effects, and cost nothing" in said
    assert "never measured, and not counted: API-T-009" in said


def test_without_a_table_there_is_no_plan(project: Project, gateway: Gateway) -> None:
    project.checks(ALIVE)
    run = project.run("--plan")
    assert run.code == 4
    assert "costs.json: is not there, and nothing can be planned without it" in run.output
    Path(project.root / "suites" / "costs.json").write_text("[]", encoding="utf-8")
    assert "costs.json: is no table of costs" in project.run("--plan").output
    assert gateway.seen == []
