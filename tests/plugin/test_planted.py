"""Planted defects: what keeps checks from failing shows itself in the run that it wants to make green."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from gateway_acceptance.audit import findings
from gateway_acceptance.judgement import missed_defects
from gateway_acceptance.planted import load_planted
from gateway_acceptance.record_model import RecordedPlanted
from lab.patience import patient
from tests.plugin.project import ALIVE, Project, a_check

PLANTED = """
facts = "planted_facts.json"

[environment]
name = "planted"
kind = "staging"

[environment.gateway]
url = "{url}"
key_variable = "PLANTED_KEY"

[[environment.backends]]
name = "planted"
url = "{url}"

[[environment.models]]
alias = "planted-chat"
kind = "chat"
backend = "planted"
upstream = "tiny"

[environment.policy]
effects = ["read", "spend"]
requests = 100
tokens = 1000
seconds = 60

[defects]
API-T-001 = "'lists' == 'list'"
API-T-002 = "no list of models"
"""
LISTED = a_check(
    1,
    "assert any_gateway.get('/v1/models').json()['object'] in ('list', None), \"'lists' == 'list'\"",
    "any_gateway",
).replace(".json()['object'] in ('list', None)", ".json().get('object') in ('list', None)")
RULED = """
from gateway_acceptance.verdict import CheckFailed

def problems(body):
    return [] if body.get("object") in ("list", None) else ["no list of models"]

@check("API-T-002", "check 2", level=MUST, effect=READ, profile="smoke")
def test_2(any_gateway):
    judged(things=1)
    found = problems(any_gateway.get("/v1/models").json())
    if found:
        raise CheckFailed(found[0])
"""


@pytest.fixture
def planted(project: Project) -> Project:
    project.checks(ALIVE, LISTED, RULED)
    project.write("suites/planted.toml", PLANTED)
    project.write("suites/planted_facts.json", "{}")
    return project


@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_honest_run_sees_them(planted: Project, workers: str) -> None:
    run = planted.run("-m", "release", "-n", workers)
    assert (run.code, run.state) == (0, "READY"), run.output
    told = run.record()["basis"]["planted"]
    assert told["known"] == 2
    assert {one["check"] for one in told["results"]} == {"API-T-001", "API-T-002"}
    assert {one["verdict"] for one in told["results"]} == {"failed"}
    assert told["took_s"] > 0
    assert len(told["seeds"]) == max(1, int(workers))
    folder = run.directories["mini"]
    assert findings(folder) == []
    nodeids = [case["nodeid"] for check in run.record()["checks"] for case in check["cases"]]
    assert len(nodeids) == 3
    assert not any("planted" in name for name in nodeids)
    results = [json.loads(path.read_text()) for path in (folder / "allure-results").glob("*-result.json")]
    assert sorted(one["fullName"] for one in results) == sorted(nodeids)


def test_only_a_run_that_could_accept_a_release_plants_them(planted: Project) -> None:
    assert "planted" not in planted.run().record()["basis"]
    assert "planted" not in planted.run("-m", "release", "-k", "alive").record()["basis"]


NEUTRAL: dict[str, tuple[str, str]] = {
    "assertions that are swallowed": (
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True)\n"
        "def pytest_pyfunc_call(pyfuncitem):\n"
        "    try:\n        return (yield)\n"
        "    except Exception:\n        return True\n",
        "API-T-001 was to fail ('lists' == 'list'), and is passed",
    ),
    "checks that are not called": (
        "import pytest\n"
        "from gateway_acceptance.subjects import judged\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_pyfunc_call(pyfuncitem):\n    judged(things=1)\n    return True\n",
        "API-T-002 was to fail (no list of models), and is passed",
    ),
    "a client that answers itself": (
        "from gateway_acceptance.wire.exchange import Exchange\n"
        "Exchange.json = lambda self: {'object': 'list'}\n",
        "API-T-001 was to fail ('lists' == 'list'), and is passed",
    ),
    "a rule that finds nothing": (
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n        item.module.problems = lambda body: []\n",
        "API-T-002 was to fail (no list of models), and is passed",
    ),
    "verdicts that are spoken otherwise": (
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True, tryfirst=True)\n"
        "def pytest_runtest_makereport(item, call):\n"
        "    report = yield\n"
        "    if hasattr(report, 'gateway_case'):\n"
        "        report.gateway_case = {**report.gateway_case, 'verdict': 'passed', 'message': ''}\n"
        "    return report\n",
        "API-T-001 was to fail ('lists' == 'list'), and is passed",
    ),
    "failures for another reason": (
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n        item.module.problems = lambda body: ['something else']\n",
        "API-T-002 was to fail (no list of models), and is failed: something else",
    ),
    "defects that are not planted": (
        "from gateway_acceptance.plugin import worker_hooks\n"
        "worker_hooks.plant = lambda *arguments, **named: None\n",
        "only 0 planted defects were tried; 12 are to be",
    ),
}


@pytest.mark.parametrize("how", NEUTRAL)
def test_what_neutralises_checks_voids_the_run(planted: Project, how: str) -> None:
    hook, reason = NEUTRAL[how]
    plugin = 'pytest_plugins = ["gateway_acceptance.plugin.hooks"]\n'
    planted.write("conftest.py", plugin + hook)
    run = planted.run("-m", "release")
    assert run.code in (2, 3), run.output
    assert run.state == "VOID", run.output
    assert reason in run.reasons


def test_every_defect_that_the_suite_knows_is_seen(project: Project) -> None:
    """All of suites/planted.toml, sent at the stand-in; nothing else is asked."""
    root = Path(__file__).parents[2]
    environment = project.environment("http://127.0.0.1:9")
    learnt = project.root / "learnt.json"
    options = [f"--env={environment}", "-m", "release", f"--runs={project.root / 'runs'}", "-n", "0"]
    done = subprocess.run(
        project.command(*options, f"--learn-planted={learnt}"),
        cwd=root,
        env=project.variables(),
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(300),
        stdin=subprocess.DEVNULL,
    )
    results = json.loads(learnt.read_text(encoding="utf-8"))["results"] if learnt.exists() else []
    catalogue = load_planted(root / "suites")
    assert catalogue is not None
    assert {one["check"] for one in results} == set(catalogue.defects), done.stdout[-2000:]
    told = {"known": len(results), "seeds": [], "took_s": 0, "results": results}
    assert missed_defects(RecordedPlanted.model_validate(told)) == []
