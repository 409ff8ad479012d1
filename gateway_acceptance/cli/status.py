"""``gateway-acceptance status``: what the newest runs prove, environment by environment."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from gateway_acceptance.claims import load_claims
from gateway_acceptance.claims_here import claims_of
from gateway_acceptance.cli.claims_matrix import Column, column_of, document, rows, table
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.environment.load import names_in
from gateway_acceptance.environment.model import Tracker
from gateway_acceptance.places import runs_of, suites_of
from gateway_acceptance.planted import load_planted
from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.record_model import Record
from gateway_acceptance.report.badge import badge_svg
from gateway_acceptance.run_directory import run_directories
from gateway_acceptance.signoff.commit import of_another_list, unplanted
from gateway_acceptance.signoff.document import PRODUCTION, SIGNABLE
from gateway_acceptance.signoff.kept import without_evidence
from gateway_acceptance.signoff.refusals import UNBOUND, at_home, unbound
from gateway_acceptance.usage import EXIT_NOT_READY, EXIT_READY, UsageProblem


def add_status_command(commands: Any) -> None:
    """commands: what ``ArgumentParser.add_subparsers`` returns."""
    command = commands.add_parser(
        "status",
        help="a matrix of claims over environments, from their newest runs",
        description="What the newest run of each environment proves, claim by claim. Exit code 0 where every "
        "one of them ran a whole profile, is green, intact and fresh; else 1. Nothing is sent.",
    )
    command.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME|FILE",
        help="an environment; may be repeated (default: all that have runs)",
    )
    command.add_argument("--runs", type=Path, metavar="DIR", help="where runs are (default: reports/runs)")
    command.add_argument("--json", action="store_true", help="one object, for machines")
    command.add_argument("--badges", type=Path, metavar="DIR", help="write badge-NAME.svg of each into it")
    command.set_defaults(run=_status)


def _status(arguments: argparse.Namespace) -> int:
    root = project_root()
    runs = arguments.runs or runs_of(root)
    now = datetime.now(UTC)
    names = arguments.env or [name for name in _folders(runs) if run_directories(runs, name)]
    if not names:
        run_one = "run one (gateway-acceptance smoke --env NAME)"
        raise UsageProblem([f"no environment has a run in {runs}; {run_one}"])
    known = [_known(name, root, runs) for name in dict.fromkeys(names)]
    doubts = _doubts(suites_of(root))
    columns = [
        column_of(runs, name, fresh_h, now, partial(doubts, environment))
        for name, fresh_h, environment in known
    ]
    lines = rows(load_claims(suites_of(root) / "claims.toml"), columns)
    if arguments.badges:
        _write_badges(arguments.badges, columns)
    if arguments.json:
        print(json.dumps(document(columns, lines), indent=1, ensure_ascii=False))
    else:
        print(table(columns, lines))
    return EXIT_READY if all(each.good for each in columns) else EXIT_NOT_READY


def _folders(runs: Path) -> list[str]:
    found = runs.iterdir() if runs.is_dir() else ()
    return sorted(path.name for path in found if path.is_dir() and not path.name.startswith("."))


def _doubts(suites: Path) -> Callable[[Environment | None, Record], list[str]]:
    """What speaks against a READY record beside itself: it is held against this suite's lists and claims, and
    against the environment as it is declared. Any directory can say READY of what nobody declares."""

    def found(environment: Environment | None, record: Record) -> list[str]:
        if record.run.state not in SIGNABLE:
            return []
        if environment is None:
            unbound_ = [] if record.basis.binding else [f"the run {record.run.id} {UNBOUND}"]
            return [*unbound_, *_undeclared(record), *without_evidence(record)]
        return [
            *unbound(record, environment),
            *at_home(environment, record),
            *unplanted(record, planted=load_planted(suites) is not None),
            *_of_lists(record, environment, suites),
            *without_evidence(record),
        ]

    return found


def _undeclared(record: Record) -> list[str]:
    """Anybody can write that a production is ready which no file declares."""
    if record.run.state != PRODUCTION:
        return []
    name = record.run.environment
    return [f"no file declares {name}, and what a run says of it is held against nothing; declare it"]


def _of_lists(record: Record, environment: Environment, suites: Path) -> list[str]:
    frozen = suites / "profiles.toml"
    if not frozen.is_file():
        return [f"{frozen} is not there, and the run is held against no list; bring it back"]
    here = claims_of(load_claims(suites / "claims.toml"), environment)
    return of_another_list(record, load_profiles(frozen), [one.id for one in here.claims])


def _known(name: str, root: Path, runs: Path) -> tuple[str, float, Environment | None]:
    """(the environment's name, hours that its proofs count, the environment). Of one that has runs and no
    file any more, the default. Raises UsageProblem for a name that means nothing, and for a broken file."""
    if name in names_in(root) or name.endswith(".toml"):
        environment = load_environment(name, root, os.environ)
        return environment.name, environment.tracker.fresh_h, environment
    if run_directories(runs, name):
        return name, Tracker().fresh_h, None
    known = ", ".join(names_in(root))
    raise UsageProblem([f"--env {name}: there is no such environment and no run of it; known are: {known}"])


def _write_badges(folder: Path, columns: list[Column]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in columns:
            badge = badge_svg(each.environment, each.state, each.ended[:10], stale=each.stale)
            (folder / f"badge-{each.environment}.svg").write_text(badge, encoding="utf-8")
    except OSError as error:
        why = error.strerror or error
        raise UsageProblem([f"--badges {folder}: cannot be written: {why}; name another"]) from None
