"""Compiled files that hold something else than their sources: Python takes them, and a run says so."""

from __future__ import annotations

import os
import py_compile
from pathlib import Path

from tests.plugin.project import ALIVE, Project, a_check

GOOD, BAD = "LIMIT = 1\n", "LIMIT = 2\n"
CHECK = a_check(1, "from suites.rules import LIMIT\nassert LIMIT == 1")


def left_behind(source: Path) -> Path:
    """What a rule was compiled to, before it was brought back with the time that it had."""
    stat = source.stat()
    cached = Path(str(py_compile.compile(str(source), doraise=True)))
    source.write_text(BAD, encoding="utf-8")
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return cached


def test_a_rule_that_runs_as_it_was_and_reads_as_it_is(project: Project) -> None:
    """The source would fail the check; what Python takes for it passes."""
    project.checks(ALIVE, CHECK)
    source = project.write("suites/rules.py", GOOD)
    unasked = project.run("-m", "release")
    assert (unasked.code, unasked.state) == (0, "READY"), unasked.output
    left_behind(source)
    run = project.run("-m", "release")
    assert run.verdict("API-T-001") == "passed"
    assert (run.code, run.state) == (1, "NOT READY"), run.output
    assert "compiled files hold something else than their sources: rules.cpython-" in run.reasons
    assert "remove the folders __pycache__, and run again" in run.reasons
