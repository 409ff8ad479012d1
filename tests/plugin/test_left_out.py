"""A smoke builds its own checks alone; what the others declare is known all the same."""

from __future__ import annotations

import pytest

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
