"""``gateway-acceptance waivers``: what is accepted, whether it is in order, and a new entry."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway_acceptance.cli.catalogue import collect
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.deviations import load_harm
from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.environment.load import names_in, nearest
from gateway_acceptance.places import runs_of, suites_of, waivers_file
from gateway_acceptance.proposals import proposal
from gateway_acceptance.run_directory import previous_record
from gateway_acceptance.usage import EXIT_NOT_READY, UsageProblem
from gateway_acceptance.waivers import (
    Waiver,
    add_waiver,
    complaints,
    entry_text,
    load_waivers,
    state_of,
    unfit,
    waivers_for,
    waivers_path,
)

NEEDED = ("id", "check", "observed", "reason", "link", "owner", "expires")


def add_waivers_command(commands: Any) -> None:
    """``gateway-acceptance waivers [list | check | new]``."""
    command = commands.add_parser(
        "waivers",
        help="list the accepted deviations, check them, write a new one",
        description="What operators accept, in environments/waivers.toml or a file that their environment "
        "names: list (the default), check, new, propose.",
    )
    _list_options(command)
    command.set_defaults(run=_list)
    parts = command.add_subparsers(metavar="list|check|new|propose")
    listed = parts.add_parser("list", help="all waivers with their state", description=command.description)
    _list_options(listed, default=argparse.SUPPRESS)  # what stands before "list" counts, too
    listed.set_defaults(run=_list)
    checked = parts.add_parser(
        "check",
        help="say what is wrong with them; exit code 1 where anything is",
        description="Say which waivers are unknown, expired, repeated, or accepted for too long.",
    )
    checked.add_argument(
        "--env", metavar="NAME|FILE", help="those of an environment that names a file of its own"
    )
    checked.set_defaults(run=_check)
    _add_new(parts)
    proposed = parts.add_parser(
        "propose",
        help="write candidates from the last run, for a person to complete",
        description="Print the red cases of an environment's last run as entries to complete; nothing is "
        "written, and no file with an incomplete one is read.",
    )
    proposed.add_argument("--env", metavar="NAME|FILE", required=True, help="the environment")
    proposed.set_defaults(run=_propose)


def _list_options(command: argparse.ArgumentParser, **default: Any) -> None:
    command.add_argument(
        "--env", metavar="NAME|FILE", help="only those whose scope names it or its product", **default
    )
    command.add_argument("--json", action="store_true", help="a list of objects, for machines", **default)


def _add_new(parts: Any) -> None:
    command = parts.add_parser(
        "new",
        help="write a new entry at the end of the file",
        description="Write a new entry at the end of environments/waivers.toml, opened today. Incomplete "
        "ones are refused.",
    )
    command.add_argument("--id", help="a name of its own")
    command.add_argument("--check", help="the check whose failure is accepted")
    command.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="only cases with this parameter",
    )
    command.add_argument(
        "--env", action="append", default=[], metavar="NAME", help="an environment it holds in"
    )
    command.add_argument("--product", help="the product that it holds for")
    command.add_argument("--versions", help="of that product, a range such as '>=1.80,<2'")
    command.add_argument("--observed", help="a regular expression that every problem seen must match")
    command.add_argument("--reason", help="why it is accepted")
    command.add_argument("--link", help="where it is tracked")
    command.add_argument("--owner", help="who answers for it")
    command.add_argument("--expires", metavar="YYYY-MM-DD", help="its last day")
    command.add_argument("--print", action="store_true", help="only print the entry")
    command.set_defaults(run=_new)


def _list(arguments: argparse.Namespace) -> int:
    root = project_root()
    known = [check.id for check in collect(root).checks]
    problems = {}
    if arguments.env:
        environment = load_environment(arguments.env, root, os.environ)
        product, version = environment.gateway.product, _version(environment, root)
        waivers = tuple(
            one for one in waivers_for(environment, root) if _speaks_of(one, environment.name, product)
        )
        problems = {one.id: unfit(one, version) for one in waivers}
    else:
        waivers = load_waivers(waivers_file(root))
    entries = [
        {
            **json.loads(waiver.model_dump_json()),
            "state": problems.get(waiver.id) or state_of(waiver, known, _today()).value,
        }
        for waiver in waivers
    ]
    if arguments.json:
        print(json.dumps(entries, indent=1, ensure_ascii=False))
        return 0
    for entry in entries:
        days = (date.fromisoformat(entry["expires"]) - _today()).days
        until = f"until {entry['expires']} ({days} days)"
        print(f"{entry['check']:<20} {entry['state']:<13} {until}  {entry['id']}")
        print(f"{'':<20} {entry['reason']} ({entry['owner']}; {entry['link']})")
    print(_counted(len(entries)))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    root = project_root()
    waivers = _held(root, arguments.env)
    found = complaints(waivers, [check.id for check in collect(root).checks], _today())
    for sentence in found:
        print(sentence)
    if not found:
        print(f"{_counted(len(waivers))} in order")
    return EXIT_NOT_READY if found else 0


def _counted(number: int) -> str:
    return f"{number} waiver{'' if number == 1 else 's'}"


def _new(arguments: argparse.Namespace) -> int:
    missing = [f"--{name} is missing; give it" for name in NEEDED if not getattr(arguments, name)]
    if not arguments.env and not arguments.product:
        missing.append("--env or --product is missing; say where the waiver holds")
    pairs = [text.partition("=") for text in arguments.parameter]
    halves = [name for name, equals, _ in pairs if not equals]
    missing += [f"--parameter {name!r} is not of the form NAME=VALUE; correct it" for name in halves]
    if missing:
        raise UsageProblem(missing)
    root = project_root()
    waiver = _waiver(arguments, {name: value for name, _, value in pairs})
    known = [check.id for check in collect(root).checks]
    if waiver.check not in known:
        raise UsageProblem([f"--check {waiver.check}: there is no such check{nearest(waiver.check, known)}"])
    wrong = complaints([waiver], known, _today())
    if wrong:
        raise UsageProblem(wrong)
    if arguments.print:
        print(entry_text(waiver), end="")
        return 0
    path = _file_for(root, waiver.scope.environments)
    add_waiver(path, waiver)
    print(f"{path}: {waiver.id} waives {waiver.check} until {waiver.expires}")
    return 0


def _waiver(arguments: argparse.Namespace, parameters: dict[str, str]) -> Waiver:
    scope = {"environments": arguments.env, "product": arguments.product, "versions": arguments.versions}
    document = {
        "parameters": parameters,
        "scope": {name: value for name, value in scope.items() if value},
        "opened": _today().isoformat(),
        **{name: getattr(arguments, name) for name in NEEDED},
    }
    try:
        return Waiver.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise UsageProblem(
            [
                f"--{'.'.join(map(str, one['loc'])) or 'scope'}: {one['msg']}; correct it"
                for one in error.errors()
            ]
        ) from None


def _speaks_of(waiver: Waiver, environment: str, product: str) -> bool:
    named = not waiver.scope.environments or environment in waiver.scope.environments
    return named and waiver.scope.product in (None, product)


def _propose(arguments: argparse.Namespace) -> int:
    root = project_root()
    environment = load_environment(arguments.env, root, os.environ)
    last = previous_record(runs_of(root), environment.name)
    if last is None:
        raise UsageProblem([f"{environment.name} has no run in {runs_of(root)}; run it first"])
    print(proposal(last, load_harm(suites_of(root) / "harm.toml"), _today()), end="")
    return 0


def _version(environment: Environment, root: Path) -> str:
    """As the newest run found it, else as it is declared; empty where neither tells."""
    last = previous_record(runs_of(root), environment.name)
    found = last.target.product_version if last else ""
    return found or environment.gateway.version or ""


def _held(root: Path, name: str | None) -> tuple[Waiver, ...]:
    """The folder's waivers, or those of an environment."""
    if not name:
        return load_waivers(waivers_file(root))
    return waivers_for(load_environment(name, root, os.environ), root)


def _file_for(root: Path, environments: Sequence[str]) -> Path:
    """Where a new waiver is written: to an environment's own file, where it holds in that one alone."""
    if len(environments) == 1 and environments[0] in names_in(root):
        environment = load_environment(environments[0], root, os.environ)
        return waivers_path(environment, root) or waivers_file(root)
    return waivers_file(root)


def _today() -> date:
    return datetime.now(UTC).date()
