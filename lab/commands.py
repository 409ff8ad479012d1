"""The lab's commands: ``lab up|down|status``, ``faults``, ``mutation-matrix``."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from gateway_acceptance.cli.root import project_root
from gateway_acceptance.environment import load_environment
from gateway_acceptance.usage import EXIT_NOT_READY, UsageProblem
from lab.absence_matrix import Absences, run_absence_matrix
from lab.all_checks import run_all_checks
from lab.all_checks import text as all_checks_text
from lab.control_matrix import run_controls, text
from lab.doors_matrix import run_doors
from lab.doors_matrix import text as doors_text
from lab.faults import FAULTS, Layer
from lab.faults.companions import COMPANIONS
from lab.fix_matrix import run_fixes
from lab.fix_matrix import text as fixes_text
from lab.flakiness import run_repeated
from lab.gateways import runnable
from lab.host_matrix import run_host_matrix, run_hosts_by_all
from lab.hosts.provider import PROVIDER as HOSTS
from lab.local import start
from lab.mutation_matrix import Matrix, run_matrix
from lab.outage_matrix import run_outage_matrix, run_outages_repeated
from lab.profile_matrix import run_profile
from lab.profile_matrix import text as profile_text
from lab.state import LabState, lab_folder, read_state, running_labs, stop
from lab.weak_matrix import run_weak
from lab.weak_matrix import text as weak_text

LITELLM_HELP = "a version, or 'latest' for the newest locked one (default: what the environment declares)"


def add_lab_command(commands: Any) -> None:
    """``gateway-acceptance lab``."""
    command = commands.add_parser(
        "lab",
        help="keep an embedded environment running",
        description="Keep an embedded environment running between runs; pytest --env finds it.",
    )
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    up = actions.add_parser("up", help="start it", description="Start an embedded environment.")
    which = up.add_mutually_exclusive_group()
    which.add_argument("--env", default="local", metavar="NAME|FILE", help="which (default: local)")
    which.add_argument(
        "--hosts",
        dest="env",
        action="store_const",
        const="lab",
        help="the reference deployment on four systemd hosts: --env lab (needs root)",
    )
    up.add_argument("--litellm", default="", metavar="VERSION", help=LITELLM_HELP)
    up.set_defaults(run=_up)
    down = actions.add_parser("down", help="end every lab of this checkout")
    down.set_defaults(run=_down)
    status = actions.add_parser("status", help="what is running")
    status.add_argument("--json", action="store_true", help="a list of objects, for machines")
    status.set_defaults(run=_status)


def add_faults_command(commands: Any) -> None:
    """``gateway-acceptance faults``."""
    command = commands.add_parser("faults", help="list all faults and the checks that find them")
    shape = command.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="a list of objects, for machines")
    shape.add_argument("--markdown", action="store_true", help="the page docs/faults.md")
    command.set_defaults(run=_faults)


def add_mutation_matrix_command(commands: Any) -> None:
    """``gateway-acceptance mutation-matrix``."""
    command = commands.add_parser(
        "mutation-matrix",
        help="prove that every check can fail, and that the healthy control is green",
        description="Run every fault against its checks. Exit 1 where a fault survives, a check has no "
        "fault, or the control is not green.",
    )
    command.add_argument(
        "--only", nargs="+", action="extend", default=[], metavar="NAME", help="only these faults"
    )
    which = command.add_mutually_exclusive_group()
    which.add_argument(
        "--hosts",
        action="store_true",
        help="the faults of machines instead, on the lab's systemd hosts (root)",
    )
    which.add_argument(
        "--outages",
        action="store_true",
        help="the faults that show while backends are away instead, one after the other",
    )
    which.add_argument(
        "--absence",
        action="store_true",
        help="the faults of absence instead, each against all checks: none may pass on what is not there",
    )
    which.add_argument(
        "--controls",
        action="store_true",
        help="gateways that are right in another way instead: no check may be red. Exit 1 where one is",
    )
    which.add_argument(
        "--doors",
        action="store_true",
        help="open doors that no check was written for instead: how many nightly and smoke notice. Exit 1 "
        "where nightly misses one",
    )
    which.add_argument(
        "--weak",
        action="store_true",
        help="the gateway's faults before models that talk and do not obey: exit 1 below 95 in 100",
    )
    which.add_argument(
        "--fixes",
        action="store_true",
        help="what the findings of machines print instead, run on the lab's systemd hosts (root): exit 1 "
        "where a fix does not fix",
    )
    which.add_argument(
        "--profile",
        metavar="NAME",
        help="how much a profile sees instead: all of it against each fault of the gateway. Exit 1 below 70 "
        "in 100",
    )
    command.add_argument(
        "--all-checks",
        action="store_true",
        help="a sample of faults (those of machines with --hosts) against all checks of their suite: exit 1 "
        "where one stays green or turns red that is not declared so",
    )
    command.add_argument(
        "--nightly", action="store_true", help="with --controls: all checks of nightly, not a selection"
    )
    command.add_argument(
        "--brief",
        action="store_true",
        help="with --controls: a core of smoke, and what its difference concerns",
    )
    command.add_argument("--litellm", default="", metavar="VERSION", help=LITELLM_HELP)
    command.add_argument(
        "--repeat",
        type=int,
        default=1,
        metavar="N",
        help="run the faults of --only or --outages N times on one lab: how surely each is found. Exit 1 "
        "below 95 in 100",
    )
    command.add_argument("--json", action="store_true", help="one object, for machines")
    command.set_defaults(run=_mutation_matrix)


def _up(arguments: argparse.Namespace) -> int:
    root = project_root()
    environment = load_environment(arguments.env, root, os.environ)
    if environment.embedded is None:
        raise UsageProblem([f"--env {arguments.env}: it is not embedded, there is nothing to start"])
    running = read_state(lab_folder(root, environment))
    if running is not None:
        print(f"{environment.name} is up already: {running.gateway}, {running.runs}")
        return 0
    wanted = arguments.litellm or str(environment.embedded.options.get("litellm", ""))
    state = starter_of(environment.embedded.provider)(environment, wanted, root, print, owner=None)
    print(f"{environment.name} is up: {state.gateway}, {state.runs}, pid {state.pid}")
    print(f"judge it with: pytest -m smoke --env {arguments.env}; end it with: gateway-acceptance lab down")
    return 0


def starter_of(provider: str) -> Callable[..., LabState]:
    """What starts a lab of that provider. Raises UsageProblem for one that keeps nothing running."""
    starters: dict[str, Callable[..., LabState]] = {
        **dict.fromkeys(("local", *runnable()), start),
        "hosts": HOSTS.start,
    }
    if provider not in starters:
        raise UsageProblem([f"embedded.provider {provider!r} cannot be kept running; pytest --env starts it"])
    return starters[provider]


def _down(_: argparse.Namespace) -> int:
    labs = running_labs(project_root())
    ended = [(state, stop(state)) for state in labs]
    for state, gone in ended:
        left = f"still there: end the process {state.pid} by hand"
        print(f"{state.environment} is {'down' if gone else left}")
    if not labs:
        print("no lab was up")
    return 0 if all(gone for _, gone in ended) else EXIT_NOT_READY


def _status(arguments: argparse.Namespace) -> int:
    labs = running_labs(project_root())
    if arguments.json:
        shown = ("environment", "pid", "product", "version", "gateway", "owner", "log")
        print(json.dumps([{name: getattr(state, name) for name in shown} for state in labs], indent=1))
        return 0
    for state in labs:
        owner = f"owned by the run {state.owner}" if state.owner else "until lab down"
        print(f"{state.environment}: {state.gateway}, {state.runs}, pid {state.pid}, {owner}")
    if not labs:
        print("no lab is up")
    return 0


def _faults(arguments: argparse.Namespace) -> int:
    if arguments.json:
        entries = [
            {
                "name": fault.name,
                "layer": fault.layer.value,
                "description": fault.description,
                "detected_by": sorted(fault.detected_by),
            }
            for fault in FAULTS.values()
        ]
        print(json.dumps(entries, indent=1))
        return 0
    if arguments.markdown:
        print(faults_page(), end="")
        return 0
    for fault in FAULTS.values():
        print(f"{fault.name:<28} {fault.layer:<8} {', '.join(sorted(fault.detected_by))}")
        print(f"{'':<28} {fault.description}")
    print(f"{len(FAULTS)} faults")
    return 0


def faults_page() -> str:
    """``docs/faults.md``: every fault, by layer, with the checks that find it."""
    lines = [
        "# Faults",
        "",
        "Generated by `make docs` from `lab/faults/`; do not edit. How they work: [the lab](lab.md).",
        "",
        "*Beside it* stands what is rightly red as well: known of the faults of a sample that is run against",
        "all checks of their suite (`mutation-matrix --all-checks`); why, says `lab/faults/companions.py`.",
    ]
    for layer in Layer:
        faults = [fault for fault in FAULTS.values() if fault.layer is layer]
        if faults:
            lines += ["", f"## {layer.value}", "", "| fault | what is wrong | found by |", "|---|---|---|"]
        for fault in faults:
            checks = ", ".join(f"`{check_id}`" for check_id in sorted(fault.detected_by))
            checks = checks or "every check whose subject it takes: none may pass on it"
            if beside := COMPANIONS.get(fault.name):
                patterns = [f"`{in_a_cell(pattern)}`" for pattern in sorted(beside)]
                checks += f"; beside it {', '.join(patterns)}"
            lines.append(f"| `{fault.name}` | {fault.description} | {checks} |")
    return "\n".join(lines) + "\n"


def in_a_cell(text: str) -> str:
    """As a cell of a table holds it, whose own mark is the bar."""
    return text.replace("|", "\\|")


def _mutation_matrix(arguments: argparse.Namespace) -> int:
    say = (lambda _: None) if arguments.json else print
    if arguments.profile:
        seen = run_profile(project_root(), arguments.profile, arguments.only, arguments.litellm, say)
        document = {"share": seen.share, **asdict(seen)}
        print(json.dumps(document, indent=1) if arguments.json else profile_text(seen))
        return 0 if seen.complete else EXIT_NOT_READY
    if arguments.all_checks:
        return _all_checks(arguments, say)
    if arguments.fixes:
        fixes = run_fixes(project_root(), arguments.only, arguments.litellm, say)
        print(json.dumps(asdict(fixes), indent=1) if arguments.json else fixes_text(fixes))
        return 0 if fixes.complete else EXIT_NOT_READY
    if arguments.doors:
        doors = run_doors(project_root(), arguments.only, arguments.litellm, say)
        print(json.dumps(asdict(doors), indent=1) if arguments.json else doors_text(doors))
        return 0 if doors.complete else EXIT_NOT_READY
    if arguments.weak:
        weak = run_weak(project_root(), arguments.only, arguments.litellm, say)
        print(json.dumps(asdict(weak), indent=1) if arguments.json else weak_text(weak))
        return 0 if weak.complete else EXIT_NOT_READY
    if arguments.controls:
        found = run_controls(
            project_root(),
            arguments.only,
            arguments.litellm,
            say,
            nightly=arguments.nightly,
            brief=arguments.brief,
        )
        print(json.dumps(asdict(found), indent=1, ensure_ascii=False) if arguments.json else text(found))
        return 0 if found.complete else EXIT_NOT_READY
    if arguments.repeat != 1:
        return _repeated(arguments, say)
    if arguments.absence:
        return _absences(
            run_absence_matrix(project_root(), arguments.only, arguments.litellm, say), arguments
        )
    run = run_matrix
    if arguments.hosts or arguments.outages:
        run = run_host_matrix if arguments.hosts else run_outage_matrix
    matrix = run(project_root(), arguments.only, arguments.litellm, say)
    if arguments.json:
        print(json.dumps(_document(matrix), indent=1, ensure_ascii=False))
    else:
        _show(matrix)
    return 0 if matrix.complete else EXIT_NOT_READY


def _absences(absences: Absences, arguments: argparse.Namespace) -> int:
    if arguments.json:
        print(json.dumps(asdict(absences), indent=1, ensure_ascii=False))
        return 0 if absences.complete else EXIT_NOT_READY
    for fault, counts in absences.verdicts.items():
        print(
            f"{fault:<20} {', '.join(f'{count} {verdict}' for verdict, count in counts.items()) or 'not run'}"
        )
    for breach in absences.breaches:
        print(f"BREACH {breach}")
    for error in absences.errors:
        print(f"ERROR OF THE SUITE {error}")
    for case in absences.observed:
        print(f"NOT APPLICABLE BY WHAT WAS SEEN {case}")
    for check, verdict in absences.control.items():
        print(f"control: {check} {verdict}")
    print(f"{len(absences.verdicts)} faults of absence, {len(absences.breaches)} checks passed on one")
    return 0 if absences.complete else EXIT_NOT_READY


def _all_checks(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    run = run_hosts_by_all if arguments.hosts else run_all_checks
    found = run(project_root(), arguments.only, arguments.litellm, say)
    print(json.dumps(asdict(found), indent=1) if arguments.json else all_checks_text(found))
    return 0 if found.complete else EXIT_NOT_READY


def _repeated(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    few = arguments.only or arguments.outages
    if arguments.hosts or not few or arguments.repeat < 1:
        raise UsageProblem(
            ["--repeat N is for N > 0 runs of the faults of --only or --outages, and not for --hosts"]
        )
    run = run_outages_repeated if arguments.outages else run_repeated
    rounds = run(project_root(), arguments.only, arguments.litellm, arguments.repeat, say)
    print(json.dumps(rounds.document(), indent=1, ensure_ascii=False) if arguments.json else rounds.text())
    return 0 if rounds.sure else EXIT_NOT_READY


def _document(matrix: Matrix) -> dict[str, Any]:
    return {
        "complete": matrix.complete,
        "control": matrix.control,
        "uncovered": matrix.uncovered,
        "cells": [
            {
                "fault": cell.fault,
                "check": cell.check,
                "detected": cell.detected,
                "verdict": cell.verdict,
                "reason": cell.reason,
            }
            for cell in matrix.cells
        ],
    }


def _show(matrix: Matrix) -> None:
    for cell in matrix.cells:
        mark = "found" if cell.detected else "UNDETECTED"
        print(f"{cell.fault:<28} {cell.check:<18} {mark:<9} {cell.verdict:<12} {_first_line(cell.reason)}")
    for alarm in matrix.alarms:
        print(f"FALSE ALARM on the healthy control: {alarm}")
    for check_id in matrix.uncovered:
        print(f"NO FAULT names {check_id}: nothing proves that it can fail")
    found = len(matrix.cells) - len(matrix.undetected)
    print(
        f"{found} of {len(matrix.cells)} found; control: {len(matrix.control)} checks, "
        f"{len(matrix.alarms)} not green; {len(matrix.uncovered)} checks without a fault"
    )


def _first_line(text: str) -> str:
    line = text.splitlines()[0] if text else ""
    return line if len(line) <= 100 else line[:99] + "…"
