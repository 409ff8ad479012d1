"""``gateway-acceptance sudoers``: the rules that let an ordinary account look at a machine."""

from __future__ import annotations

import argparse
import os
import re
from typing import Any

from gateway_acceptance.cli.root import project_root
from gateway_acceptance.environment import load_environment
from gateway_acceptance.environment.load import nearest
from gateway_acceptance.environment.model import GATEWAY_MACHINE
from gateway_acceptance.host.privileges import privileges_in, sudoers
from gateway_acceptance.usage import UsageProblem

ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]*")


def add_sudoers_command(commands: Any) -> None:
    """``gateway-acceptance sudoers``."""
    command = commands.add_parser(
        "sudoers",
        help="print the sudo rules that an ordinary account needs to collect a machine's facts",
        description="Print the sudo rules (read-only commands, each word of them fixed) that an ordinary "
        "account needs for a full look at a machine. Nothing is sent and nothing is installed.",
    )
    command.add_argument("--env", required=True, metavar="NAME|FILE", help="which environment")
    command.add_argument("--account", required=True, help="the account that the suite logs in with")
    command.add_argument(
        "--machine", default=GATEWAY_MACHINE, help="gateway (default), or the name of a backend"
    )
    command.set_defaults(run=_sudoers)


def _sudoers(arguments: argparse.Namespace) -> int:
    if not ACCOUNT.fullmatch(arguments.account):
        raise UsageProblem([f"--account {arguments.account!r} is no account name; give one such as probe"])
    environment = load_environment(arguments.env, project_root(), os.environ)
    machines = environment.machines
    if arguments.machine not in machines:
        known = ", ".join(machines) or "none"
        hint = nearest(arguments.machine, list(machines))
        place = f"{environment.source} declares no such machine"
        raise UsageProblem([f"--machine {arguments.machine}: {place}{hint}; known: {known}"])
    privileges = privileges_in(environment, machines[arguments.machine])
    print(sudoers(arguments.account, privileges), end="")
    return 0
