"""A smoke builds its own checks alone; what the others declare is known all the same."""

from __future__ import annotations

import pytest

from tests.plugin.gateway import Gateway
from tests.plugin.project import ALIVE, HEADER, Project, a_check

NIGHTLY = a_check(7, "pass", profile="nightly")
LOUD = 'raise SystemError("imported")'


def beside(project: Project, *sources: str) -> None:
    """A second file of checks, which no list names."""
    project.write("suites/test_others.py", HEADER + "\n".join(sources))


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_what_smoke_does_not_run_is_in_its_record(project: Project, options: list[str]) -> None:
    project.checks(ALIVE, a_check(1, "pass"))
    beside(project, NIGHTLY, LOUD)
    run = project.run(*options)
    assert (run.code, run.state) == (0, "SMOKE PASSED"), "the other file was not imported"
    assert [one["id"] for one in run.record()["checks"]] == ["API-OPS-001", "API-T-001", "API-T-007"]
    assert run.verdict("API-T-007") is None


def test_an_id_that_is_used_twice_is_seen_in_a_file_that_is_not_imported(project: Project) -> None:
    project.checks(ALIVE, a_check(7, "pass"))
    beside(project, NIGHTLY)
    run = project.run()
    assert run.code == 4
    assert "the check id API-T-007 is used twice" in run.output


def test_a_claim_that_nobody_states_is_seen_too(project: Project) -> None:
    project.checks(ALIVE)
    beside(project, NIGHTLY.replace("level=MUST", 'claims="FUN-99", level=MUST'))
    run = project.run()
    assert run.code == 4
    assert "API-T-007 names the claim FUN-99" in run.output


def test_a_check_that_left_smoke_is_missed(project: Project) -> None:
    """The frozen list names it: that its file was not even imported makes nobody green."""
    project.checks(ALIVE, listed=["API-OPS-001", "API-T-007"])
    beside(project, NIGHTLY)
    run = project.run()
    assert run.code == 1
    assert "API-T-007" in run.reasons


def test_a_file_whose_checks_cannot_be_read_is_imported(project: Project) -> None:
    project.checks(ALIVE)
    beside(project, "TITLES = ['a title']", NIGHTLY.replace('"check 7"', "TITLES[0]"))
    run = project.run()
    assert [one["title"] for one in run.record()["checks"] if one["id"] == "API-T-007"] == ["a title"]
    beside(project, "TITLES = ['a title']", NIGHTLY.replace('"check 7"', "TITLES[0]"), LOUD)
    assert "could not be collected" in project.run().output


CONFTEST = """
pytest_plugins = ["gateway_acceptance.plugin.hooks"]


def pytest_gateway_environments(check, names):
    return {judged} if check.id == "API-T-001" else None
"""


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_another_plugin_says_which_environments_a_check_judges(
    project: Project, gateway: Gateway, options: list[str]
) -> None:
    """And no environment is green by it: a run that left cases of its profile out is a part of it."""
    project.environment(gateway.url, "other")
    project.checks(ALIVE, a_check(1, "pass"))
    project.write("conftest.py", CONFTEST.format(judged='["other"]'))
    run = project.run("--env=mini", "--env=other", *options)
    assert run.verdict("API-T-001", "mini") is None
    assert run.verdict("API-T-001", "other") == "passed"
    assert run.verdict("API-OPS-001", "mini") == "passed"
    assert [run.record(name)["run"]["state"] for name in ("mini", "other")] == ["PARTIAL RUN"] * 2


def test_a_check_that_judges_no_environment_is_not_built(project: Project) -> None:
    project.checks(ALIVE, a_check(1, "pass"))
    project.write("conftest.py", CONFTEST.format(judged="[]"))
    run = project.run()
    assert (run.state, run.verdict("API-T-001")) == ("PARTIAL RUN", None)


def test_only_the_record_is_written_where_nobody_reads_more(project: Project) -> None:
    """Of a matrix there are hundreds of records; each tells of the checks that judged it."""
    project.checks(ALIVE, a_check(1, "raise CheckFailed('wrong')"))
    beside(project, NIGHTLY)
    run = project.run("--record-only")
    assert sorted(path.name for path in run.directories["mini"].iterdir()) == ["record.json", "seal.json"]
    assert [one["id"] for one in run.record()["checks"]] == ["API-OPS-001", "API-T-001"]
    assert run.cases("API-T-001")[0]["message"] == "wrong"
    assert run.code == 1
