"""What an exchange breaks becomes a case of the check that owns the rule, in every profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_acceptance.audit import findings
from tests.plugin.gateway import serving
from tests.plugin.project import ALIVE, EXPIRES, OPENED, Project, Run, a_check, new_project

RULES = """
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.seen import Kind
from gateway_acceptance.wire.watch import UniversalRule


def told(seen, memory):
    if memory.count("lists", "") == 1:
        yield Problem("t.list", "the list is one of a toy")


def falls(seen, memory):
    raise KeyError("x")


def pytest_gateway_rules():
    return [UniversalRule("API-T-002", frozenset({Kind.MODELS}), RULE)]
"""
OWNER = a_check(2, "pass", profile="nightly")
ASKS = a_check(1, "gateway.models()", "gateway")
CASE = "every-exchange::API-T-002[mini]"


def judged(
    root: Path, *options: str, rule: str = "told", checks: tuple[str, ...] = ()
) -> tuple[Project, Run]:
    with serving() as gateway:
        project = new_project(root)
        project.environment(gateway.url)
        project.write("suites/conftest.py", RULES.replace("RULE)]", f"{rule})]"))
        project.checks(ALIVE, ASKS, OWNER, listed=["API-OPS-001", "API-T-001"])
        return project, project.run(*options)


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "spread"])
def test_it_is_red_in_a_profile_that_does_not_list_the_check(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    project, run = judged(tmp_path, *options)
    (case,) = run.cases("API-T-002")
    assert (run.code, run.state) == (1, "SMOKE FAILED"), run.output
    assert (case["verdict"], case["nodeid"]) == ("failed", CASE)
    assert case["message"] == "t.list: the list is one of a toy"
    assert [one["url"].rsplit("/", 1)[1] for one in case["evidence"]] == ["models"]
    assert "Bearer $MINI_KEY" in case["evidence"][0]["curl"], "it is asked again with the environment's key"
    assert run.verdict("API-T-001") == "passed", "who asked is not to blame"
    assert "API-T-002 check 2: 1 failed" in run.reasons
    status = (project.directories()["mini"] / "STATUS.md").read_text(encoding="utf-8")
    assert "API-T-002" in status
    assert findings(run.directories["mini"]) == []


def test_a_waiver_of_the_check_covers_it(tmp_path: Path) -> None:
    waiver = f"""
[[waiver]]
id = "W-1"
check = "API-T-002"
observed = "one of a toy"
reason = "it is a toy"
link = "https://example.org/1"
owner = "somebody"
opened = {OPENED}
expires = {EXPIRES}
[waiver.scope]
environments = ["mini"]
"""
    with serving() as gateway:
        project = new_project(tmp_path)
        project.environment(gateway.url)
        project.write("environments/waivers.toml", waiver)
        project.write("suites/conftest.py", RULES.replace("RULE)]", "told)]"))
        project.checks(ALIVE, ASKS, OWNER, listed=["API-OPS-001", "API-T-001"])
        run = project.run()
    assert run.code == 0, run.output
    assert run.verdict("API-T-002") is None


def test_a_check_that_has_failed_by_itself_has_said_so(tmp_path: Path) -> None:
    with serving() as gateway:
        project = new_project(tmp_path)
        project.environment(gateway.url)
        project.write("suites/conftest.py", RULES.replace("RULE)]", "told)]"))
        owner = a_check(2, "gateway.models()\nraise CheckFailed('a toy')", "gateway")
        project.checks(ALIVE, ASKS, owner)
        run = project.run()
    (case,) = run.cases("API-T-002")
    assert case["message"] == "a toy"


def test_a_rule_that_falls_over_is_a_harness_error(tmp_path: Path) -> None:
    _, run = judged(tmp_path, rule="falls")
    assert run.code == 3
    assert "a rule of API-T-002 could not judge an exchange: KeyError" in run.reasons
