"""``gateway-acceptance smoke|nightly|release``: pytest with the profile and the environment."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from gateway_acceptance.check import PROFILES

OPTIONS = "pytest_options"
"""The attribute of the parsed arguments that holds what stood behind ``--``."""
WHEN = {"smoke": "after a deploy", "nightly": "every night", "release": "for a release"}


def add_run_commands(commands: Any) -> None:
    """commands: what ``ArgumentParser.add_subparsers`` returns."""
    for profile in PROFILES:
        command = commands.add_parser(
            profile,
            help=f"run the checks of the profile {profile} ({WHEN[profile]})",
            description=f"Run the checks of the profile {profile}: pytest -m {profile}. All of pytest's own "
            "options may follow behind --, as in: -- -n 2 -k stream",
        )
        command.add_argument(
            "--env",
            action="append",
            required=True,
            metavar="NAME|FILE",
            help="the environment to judge: a name in environments/, or a TOML file; may be repeated",
        )
        command.add_argument("--runs", metavar="DIR", help="where runs are written (default: reports/runs)")
        command.add_argument("--no-report", action="store_true", help="do not draw report.html")
        command.add_argument(
            "--twin",
            action="store_true",
            help="judge by the same release, started beside in the lab, where no file of deviations is there",
        )
        command.add_argument(
            "--litellm", metavar="VERSION", help="the LiteLLM that embedded environments run"
        )
        command.set_defaults(run=_run, run_profile=profile)


def pytest_command(arguments: argparse.Namespace) -> list[str]:
    """The command line that the arguments stand for. ``-P``: the current folder brings no modules."""
    command = [sys.executable, "-P", "-m", "pytest", "-m", arguments.run_profile]
    command += [f"--env={name}" for name in arguments.env]
    command += [f"--runs={arguments.runs}"] if arguments.runs else []
    command += ["--no-report"] if arguments.no_report else []
    command += [f"--litellm={arguments.litellm}"] if arguments.litellm else []
    command += ["--twin"] if arguments.twin else []
    options: Sequence[str] = getattr(arguments, OPTIONS, ())
    return [*command, *options]


def _run(arguments: argparse.Namespace) -> NoReturn:
    """Become pytest: its signals, its terminal and its exit code are this command's."""
    command = pytest_command(arguments)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606  (no shell)
