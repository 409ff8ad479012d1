"""``gateway-acceptance doctor``: the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gateway_acceptance.claims import load_claims
from gateway_acceptance.claims_here import claims_of
from gateway_acceptance.cli.catalogue import collect
from gateway_acceptance.cli.doctor.declared import unasked
from gateway_acceptance.cli.doctor.line import DoctorLine, DoctorState
from gateway_acceptance.cli.doctor.reach import backend_line, gateway_lines, hurried, machine_line
from gateway_acceptance.cli.doctor.rules import (
    ability_line,
    advisory_lines,
    claim_lines,
    deviation_line,
    never_lines,
    policy_lines,
    waiver_lines,
)
from gateway_acceptance.cli.opened import opened
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.deviations import load_harm
from gateway_acceptance.environment import load_environment, missing_variables
from gateway_acceptance.environment.secrets import file_notes
from gateway_acceptance.places import suites_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.usage import EXIT_NOT_READY, EXIT_READY, UsageProblem
from gateway_acceptance.waivers import waivers_for


def add_doctor_command(commands: Any) -> None:
    """commands: what ``ArgumentParser.add_subparsers`` returns."""
    command = commands.add_parser(
        "doctor",
        help="say what is reachable, permitted and missing in an environment, before a run",
        description="Say what is reachable, permitted and missing in an environment, which checks can never "
        "pass there and why, and which deviations apply, each with its fix (docs/doctor.md). No model is "
        "asked anything. Exit code 1 where something is wrong.",
    )
    command.add_argument("--env", required=True, metavar="NAME|FILE", help="which environment")
    command.add_argument("--litellm", metavar="VERSION", help="the LiteLLM that embedded environments run")
    command.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    root = project_root()
    environment = load_environment(arguments.env, root, os.environ)
    problems = missing_variables(environment, os.environ)
    if problems:
        raise UsageProblem(problems)
    suites = suites_of(root)
    waivers = waivers_for(environment, root, load_harm(suites / "harm.toml"))
    here = claims_of(load_claims(suites / "claims.toml"), environment)  # raises for own ones that are none
    lines: list[DoctorLine] = []
    for note in [*environment.notes, *file_notes(environment)]:
        sys.stdout.write(f"# {note}\n")
    with opened(hurried(environment), root, arguments.litellm or "", "doctor") as (target, redact):

        def say(*said: DoctorLine) -> None:
            lines.extend(said)
            for line in said:
                sys.stdout.write(redact(str(line)) + "\n")
            sys.stdout.flush()

        reached, seen = gateway_lines(target)
        say(*reached)
        if reached[0].state is DoctorState.OK:
            _beyond(target, say)
        catalogue = collect(root, str(environment.source.resolve()))
        today = datetime.now(UTC).date()
        say(*policy_lines(environment, catalogue.checks))
        say(
            *never_lines(
                _together(catalogue.nothing, unasked(catalogue.items, environment)), catalogue.absent
            )
        )
        able = ability_line(environment)
        say(*([able] if able is not None else []))
        say(deviation_line(environment, seen.version))
        say(*advisory_lines(environment, seen.version, today))
        known = [check.id for check in catalogue.checks]
        say(*claim_lines(here, known))
        say(*waiver_lines(environment, waivers, known, seen.version, today))
    wrong = sum(line.state is DoctorState.WRONG for line in lines)
    sys.stdout.write(f"{environment.name}: {f'{wrong} to fix' if wrong else 'nothing to fix'}\n")
    return EXIT_NOT_READY if wrong else EXIT_READY


def _together(*found: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """By key of the environment file, each check once."""
    seen: set[str] = set()
    by_key: dict[str, list[str]] = {}
    for key, ids in (pair for one in found for pair in one.items()):
        by_key.setdefault(key, []).extend(check for check in ids if check not in seen)
        seen.update(ids)
    return {key: sorted(ids) for key, ids in by_key.items() if ids}


def _beyond(target: Target, say: Any) -> None:
    """What stands behind the gateway, and the machines."""
    environment = target.environment
    for backend in environment.backends:
        say(backend_line(target, backend))
    for name in environment.machines:
        say(machine_line(target, name))
