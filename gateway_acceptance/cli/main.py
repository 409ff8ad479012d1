"""``gateway-acceptance``: the command. Its further commands come from the lab, and need the lab's extra."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import gateway_acceptance
from gateway_acceptance.check import PROFILES
from gateway_acceptance.cli.abilities import add_abilities_command
from gateway_acceptance.cli.advisories import add_advisories_command
from gateway_acceptance.cli.balance import add_balance_command
from gateway_acceptance.cli.catalogue import Catalogue, collect
from gateway_acceptance.cli.costs import add_costs_command
from gateway_acceptance.cli.coverage import add_coverage_command
from gateway_acceptance.cli.doctor.command import add_doctor_command
from gateway_acceptance.cli.init.command import add_init_command
from gateway_acceptance.cli.load_file.command import add_load_file_command
from gateway_acceptance.cli.products import add_products_command
from gateway_acceptance.cli.profiles import add_profiles_command
from gateway_acceptance.cli.report import add_report_command
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.cli.run import OPTIONS, add_run_commands
from gateway_acceptance.cli.schemas import add_schemas_command
from gateway_acceptance.cli.signoff import add_signoff_command
from gateway_acceptance.cli.status import add_status_command
from gateway_acceptance.cli.sudoers import add_sudoers_command
from gateway_acceptance.cli.verify import add_verify_command
from gateway_acceptance.cli.waivers import add_waivers_command
from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.usage import EXIT_HARNESS_ERROR, EXIT_INTERRUPTED, EXIT_USAGE, UsageProblem

EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE
"""As a shell tells of a program that wrote into a closed pipe."""
COMMANDS = "gateway_acceptance.commands"
REFERENCE = "lab"
"""The environment that declares everything a deployment can have."""
Subparsers = Any
"""What ``ArgumentParser.add_subparsers`` returns; argparse does not name its type."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code; bad input is a sentence and exit code 4."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    ours = given[: given.index("--")] if "--" in given else given
    try:
        parser = build_parser(ours)
    except UsageProblem as problem:
        sys.exit(_said(problem))
    parsed = parser.parse_args(ours)
    setattr(parsed, OPTIONS, given[len(ours) + 1 :])
    if getattr(parsed, OPTIONS) and not hasattr(parsed, "run_profile"):
        parser.error(f"-- is for the options of pytest, after {', '.join(PROFILES)}")
    run: Callable[[argparse.Namespace], int] = parsed.run
    try:
        with _interrupted_by_signals():
            code = run(parsed)
            sys.stdout.flush()  # here, where a closed pipe can be told
    except UsageProblem as problem:
        code = _said(problem)
    except NotStarted as failure:
        sys.stderr.write(f"gateway-acceptance: {failure}\n")
        code = EXIT_HARNESS_ERROR
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except BrokenPipeError:  # who reads us has what they wanted: ``| head``
        _end_silently()
        code = EXIT_BROKEN_PIPE
    sys.exit(code)


def _end_silently() -> None:
    """Let Python flush nothing more into the closed pipe when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _said(problem: UsageProblem) -> int:
    for sentence in problem.sentences:
        sys.stderr.write(f"gateway-acceptance: {sentence}\n")
    return EXIT_USAGE


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Whoever ends a command by its pid, or closes its terminal, interrupts it: what it began ends first."""
    if threading.current_thread() is not threading.main_thread():  # signals are that one's business
        yield
        return
    before = {
        sent: signal.signal(sent, signal.default_int_handler) for sent in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for sent, handler in before.items():
            signal.signal(sent, handler)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def build_parser(given: Sequence[str] = ()) -> argparse.ArgumentParser:
    """All commands. given: what is to be parsed; the lab is imported only for its own commands.

    Raises UsageProblem where its packages are not installed.
    """
    parser = _Parser(
        prog="gateway-acceptance",
        description="Acceptance and conformance suite for OpenAI-compatible LLM gateways. "
        "Its commands smoke, nightly and release run pytest: pytest -m smoke --env=FILE does the same.",
    )
    parser.add_argument("--version", action="version", version=gateway_acceptance.__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_run_commands(commands)
    add_init_command(commands)
    add_doctor_command(commands)
    _add_checks(commands)
    _add_claims(commands)
    add_status_command(commands)
    add_report_command(commands)
    add_sudoers_command(commands)
    add_load_file_command(commands)
    add_coverage_command(commands)
    add_products_command(commands)
    add_costs_command(commands)
    add_balance_command(commands)
    add_abilities_command(commands)
    add_waivers_command(commands)
    add_advisories_command(commands)
    add_profiles_command(commands)
    add_schemas_command(commands)
    add_signoff_command(commands)
    add_verify_command(commands)
    asked_for = next((word for word in given if not word.startswith("-")), None)
    for point in sorted(entry_points(group=COMMANDS), key=lambda point: point.name):
        if point.name == asked_for:
            _add_further(commands, point)
        else:
            commands.add_parser(point.name, help="needs the lab (pip install 'gateway-acceptance[lab]')")
    return parser


def _add_further(commands: Subparsers, point: EntryPoint) -> None:
    try:
        add = point.load()
    except ModuleNotFoundError as error:
        why = f"the command {point.name} belongs to the lab, whose packages are not installed ({error.name})"
        raise UsageProblem([f"{why}; pip install 'gateway-acceptance[lab]'"]) from None
    add(commands)


def _add_checks(commands: Subparsers) -> None:
    command = commands.add_parser("checks", help="list all checks", description="List all checks.")
    command.add_argument("--suite", choices=("api", "host", "backends"), help="only the checks of one suite")
    command.add_argument("--profile", choices=PROFILES, help="only the checks that a profile runs")
    command.add_argument("--json", action="store_true", help="a list of objects, for machines")
    command.set_defaults(run=_checks)


def _add_claims(commands: Subparsers) -> None:
    command = commands.add_parser(
        "claims",
        help="list the tracker's claims and their checks",
        description="List the claims of an environment's tracker with the checks that are evidence of them, "
        "and what is not part of that deployment.",
    )
    command.add_argument(
        "--env", metavar="NAME|FILE", default=REFERENCE, help=f"the environment (default: {REFERENCE})"
    )
    command.add_argument("--json", action="store_true", help="a list of objects, for machines")
    command.set_defaults(run=_claims)


def _checks(arguments: argparse.Namespace) -> int:
    catalogue = collect(project_root())
    checks = [
        check
        for check in catalogue.checks
        if arguments.suite in (None, check.suite)
        and (arguments.profile is None or arguments.profile in check.profiles)
    ]
    if arguments.json:
        wanted = ("id", "title", "level", "effect", "suite", "claims", "profiles", "spec")
        entries = [{**asdict(check), "suite": check.suite} for check in checks]
        _print_json([{name: entry[name] for name in wanted} for entry in entries])
        return 0
    for check in checks:
        print(f"{check.id:<20} {check.level:<6} {check.effect:<8} {check.profiles[0]:<8} {check.title}")
    print(f"{len(checks)} checks")
    return 0


def _claims(arguments: argparse.Namespace) -> int:
    catalogue: Catalogue = collect(project_root(), arguments.env)
    entries = [
        {**asdict(claim), "checks": catalogue.evidence.get(claim.id, [])} for claim in catalogue.claims
    ]
    if arguments.json:
        _print_json(entries)
        return 0
    for entry in entries:
        print(f"{entry['id']:<8} {entry['text']}")
        print(f"{'':<8} {', '.join(entry['checks']) or 'no check yet'}")
    silent = sum(1 for entry in entries if not entry["checks"])
    for one in catalogue.absent:
        print(f"{one.id:<8} {one.text}\n{'':<8} not part of this deployment: {one.why}")
    print(f"{len(entries)} claims, {silent} of them without a check")
    return 0


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=1, ensure_ascii=False))
