"""Options, variables and places by which something else than the suite would decide: never READY."""

from __future__ import annotations

import json

import pytest

from gateway_acceptance.audit import findings
from tests.plugin.project import ALIVE, Project, a_check

SAID = (
    "-o python_classes=Other sets pytest otherwise than the suite does: take it away",
    "lets conftest.py files of elsewhere decide: take it away",
    "DYLD_INSERT_LIBRARIES was set, and it puts foreign code into the interpreter: unset it",
    "modules were loaded from outside the suite and its distributions",
)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_conftest_of_a_folder_above_and_what_lets_it_in(project: Project, workers: str) -> None:
    above = project.root.parent / "conftest.py"
    above.write_text("import pytest\n", encoding="utf-8")
    project.checks(ALIVE)
    try:
        unasked = project.run("-m", "release", "-n", workers)
        assert (unasked.code, unasked.state) == (0, "READY"), unasked.output
        run = project.run(
            *("-m", "release", "-n", workers, f"--confcutdir={above.parent}", "-o", "python_classes=Other"),
            more={"DYLD_INSERT_LIBRARIES": "x"},
        )
    finally:
        above.unlink()
    assert (run.code, run.state) == (1, "NOT READY"), run.output
    for sentence in SAID:
        assert sentence in run.reasons
    assert findings(run.directories["mini"]) == []


FEWER: dict[str, tuple[list[str], str]] = {
    "fewer files": (["-o", "python_files=test_checks.py"], "API-T-001 was not executed"),
    "fewer functions": (["-o", "python_functions=test_alive"], "API-T-001 was not executed"),
    "no conftest.py": (["--noconftest"], "--noconftest leaves out what the suites tell the plugin"),
}


@pytest.mark.parametrize("how", FEWER)
def test_settings_that_leave_checks_out(project: Project, how: str) -> None:
    options, reason = FEWER[how]
    project.checks(ALIVE)
    project.checks(a_check(1, "pass"), name="test_more.py", listed=["API-OPS-001", "API-T-001"])
    run = project.run("-m", "release", *options)
    if not run.directories:  # without its conftest.py this project has no plugin: nothing is judged
        assert run.code != 0, run.output
        return
    assert (run.code, run.state) == (1, "NOT READY"), run.output
    assert reason in run.reasons


def test_a_record_that_names_another_run_in_its_requests(project: Project) -> None:
    """Every exchange says when it was sent: evidence of another run stands out."""
    project.checks(ALIVE)
    run = project.run("-m", "release")
    (case,) = run.cases("API-OPS-001")
    told = run.record()["run"]
    assert told["state"] == "READY"
    assert all(entry["sent_at"] > 0 for entry in case["evidence"])
    assert json.dumps(case["evidence"])
