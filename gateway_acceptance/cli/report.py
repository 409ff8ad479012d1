"""``gateway-acceptance report``: Allure's report of a run, drawn again from what the run left."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from gateway_acceptance.cli.root import project_root
from gateway_acceptance.places import runs_of
from gateway_acceptance.record_model import Record
from gateway_acceptance.report.allure_history import HISTORY
from gateway_acceptance.report.write_outputs import RESULTS, draw_report
from gateway_acceptance.run_directory import LATEST, RECORD, record_at, run_directories
from gateway_acceptance.seal import SEAL, broken
from gateway_acceptance.usage import EXIT_HARNESS_ERROR, EXIT_READY, UsageProblem


def add_report_command(commands: Any) -> None:
    """commands: what ``ArgumentParser.add_subparsers`` returns."""
    command = commands.add_parser(
        "report",
        help="draw the Allure report of a run again",
        description="Draw Allure's report of a run again from its allure-results, with the runs before it. "
        "The run's own directory is sealed and not touched. Nothing is sent.",
    )
    command.add_argument("--env", required=True, metavar="NAME", help="the environment's name")
    command.add_argument("--run", dest="run_id", metavar="ID", help="which run (default: the latest)")
    command.add_argument("--runs", type=Path, metavar="DIR", help="where runs are (default: reports/runs)")
    command.add_argument("--out", type=Path, metavar="FILE", help="default: report-NAME.html in this folder")
    command.set_defaults(run=_report)


def _report(arguments: argparse.Namespace) -> int:
    runs = arguments.runs or runs_of(project_root())
    directory = _directory(runs, arguments.env, arguments.run_id)
    record = _record(directory, arguments.env)
    out = arguments.out or Path(f"report-{arguments.env}.html")
    _writable(out, runs)
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-report-") as scratch:
        outcome = draw_report(directory / RESULTS, Path(scratch), record, runs / arguments.env / HISTORY)
        if outcome.report is None:
            print(f"no report: {outcome.problem}")
            return EXIT_HARNESS_ERROR
        try:
            shutil.copyfile(outcome.report, out)
        except OSError as error:
            raise UsageProblem([f"--out {out}: cannot be written: {error.strerror or error}"]) from None
    print(f"report  {out}  {directory.name}, {record.run.state}, drawn in {outcome.seconds:.1f} s")
    return EXIT_READY


def _directory(runs: Path, environment: str, run_id: str | None) -> Path:
    """The run's directory, ``latest`` resolved. Raises UsageProblem."""
    names = [path.name for path in run_directories(runs, environment)] if _plain(environment) else []
    if not names:
        raise UsageProblem(
            [
                f"--env {environment}: it has no run in {runs}; "
                f"run one (gateway-acceptance smoke --env {environment})"
            ]
        )
    if run_id is not None and run_id not in names:
        raise UsageProblem(
            [f"--run {run_id}: there is no such run in {runs / environment}; the newest is {names[-1]}"]
        )
    path = runs / environment / (run_id or LATEST)
    return path.resolve() if path.is_dir() else runs / environment / names[-1]


def _plain(name: str) -> bool:
    return Path(name).name == name and name not in ("", ".", "..")


def _record(directory: Path, environment: str) -> Record:
    """The record of a run that is sealed and as it was. Raises UsageProblem."""
    again = f"run pytest --env {environment} again, or name another run with --run"
    if not (directory / SEAL).is_file():
        raise UsageProblem([f"{directory}: the run has not ended, or was not sealed; {again}"])
    wrong = broken(directory)
    if wrong:
        raise UsageProblem([f"{directory}: it was changed after the run ({wrong[0]}); {again}"])
    try:
        record = record_at(directory)
    except (OSError, ValueError) as error:
        raise UsageProblem([f"{directory / RECORD}: {error}; {again}"]) from None
    if not record.checks:
        raise UsageProblem([f"{directory}: the run holds no case ({record.run.headline}); {again}"])
    return record


def _writable(out: Path, runs: Path) -> None:
    """Raises UsageProblem for a place where nothing can be, or where runs are."""
    target = out.resolve()
    if target.is_dir() or not target.parent.is_dir():
        why = "it is a folder" if target.is_dir() else f"there is no folder {target.parent}"
        raise UsageProblem([f"--out {out}: {why}; give the path of a file"])
    if target.is_relative_to(runs.resolve()):
        raise UsageProblem([f"--out {out}: that is among the sealed runs; give a path elsewhere"])
