"""``gateway-acceptance load-file``: an environment, as a locustfile that needs nothing of the suite."""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway_acceptance.check import Effect
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.environment import Environment, EnvironmentKind, ModelKind, load_environment
from gateway_acceptance.environment.secrets import beside
from gateway_acceptance.plugin.options import ALLOW_DISRUPT
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.wire.route import Proxy
from gateway_acceptance.wire.transport import product_token

TEMPLATE = "locustfile.txt"


def add_load_file_command(commands: Any) -> None:
    """``gateway-acceptance load-file``."""
    command = commands.add_parser(
        "load-file",
        help="write a locustfile: load on an environment beyond one machine",
        description="Write what an environment file declares as a locustfile, for load beyond what one "
        "machine can send. The file needs Locust alone and holds no secret. Nothing is sent.",
    )
    command.add_argument("--env", required=True, metavar="NAME|FILE", help="which environment")
    command.add_argument("--out", required=True, type=Path, metavar="FILE", help="a new Python file")
    command.add_argument(
        "--requests",
        type=int,
        metavar="N",
        help="after so many each process of Locust ends (default: policy.requests)",
    )
    command.add_argument(
        ALLOW_DISRUPT, metavar="NAME", help="a production environment that may be taken down by load"
    )
    command.set_defaults(run=_load_file)


def _load_file(arguments: argparse.Namespace) -> int:
    environment = load_environment(arguments.env, project_root(), os.environ)
    out: Path = arguments.out.expanduser()
    problems = [*refusals(environment, arguments.allow_disrupt), *_out_problems(out)]
    if arguments.requests is not None and arguments.requests < 1:
        problems.append(f"--requests {arguments.requests}: sends nothing; give 1 or more")
    if problems:
        raise UsageProblem(problems)
    out.write_text(locustfile(environment, arguments.requests), encoding="utf-8")
    soak = environment.soak
    users = soak.concurrency or environment.bounds.concurrency
    print(f"{out}: written; with Locust installed (pip install locust):")
    print(f"locust -f {out} --headless -u {users} -r {users} -t {soak.seconds:g}s --only-summary")
    if environment.gateway.identity is not None:
        sys.stderr.write("note: Locust does not look whom it reaches ([gateway.identity])\n")
    return 0


def refusals(environment: Environment, allowed: str | None) -> list[str]:
    """A sentence for each reason not to put load on an environment."""
    found = []
    place = environment.source
    if environment.embedded is not None:
        found.append(
            f"{place}: is an embedded environment, whose gateway runs only during a run of the suite; "
            "name the file of a gateway that runs"
        )
    if Effect.SPEND not in environment.policy.effects:
        found.append(f"{place}: does not permit load; add 'spend' to policy.effects")
    if allowed is not None and allowed != environment.name:
        found.append(
            f"{ALLOW_DISRUPT} {allowed}: this is {environment.name}; name it, or take the option away"
        )
    elif environment.kind is EnvironmentKind.PRODUCTION and allowed is None:
        found.append(
            f"{place}: load may take the production environment {environment.name} down; "
            f"add {ALLOW_DISRUPT} {environment.name} if that is meant"
        )
    return found


def _out_problems(out: Path) -> list[str]:
    if out.suffix != ".py":
        return [
            f"--out {out}: the name does not end in .py, by which Locust knows a file; give one that does"
        ]
    if out.exists() or out.is_symlink():
        return [f"--out {out}: is there already, and is not overwritten; give another name, or remove it"]
    if not out.parent.is_dir():
        return [f"--out {out}: there is no directory {out.parent}; make it, or give another name"]
    return []


def locustfile(environment: Environment, requests: int | None = None) -> str:
    """Its text. requests: after which a process of Locust ends; the policy's where None."""
    text = files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    shown = json.dumps(declared(environment, requests), indent=1)
    return text.replace("{{name}}", environment.name).replace("{{declared}}", shown)


def declared(environment: Environment, requests: int | None) -> dict[str, Any]:
    """What Locust needs of it; paths are absolute, secrets are names."""
    gateway, network = environment.gateway, environment.network
    if gateway.key_variable is not None:
        key: dict[str, Any] = {"variable": gateway.key_variable}
    elif gateway.key_file is not None:
        key = {"file": _path(environment, gateway.key_file)}
    else:
        key = {"command": list(gateway.key_command or ())}
    proxy = network.proxy and Proxy(str(network.proxy), "", network.no_proxy)
    through = proxy and proxy.serves(urlsplit(str(gateway.url)).hostname or "")
    return {
        "environment": environment.name,
        "url": str(gateway.url),
        "agent": product_token("load"),
        "key_header": gateway.key_header,
        "key": key,
        "headers": dict(network.headers),
        "ca_file": _path(environment, network.ca_file),
        "client_certificate": _path(environment, network.client_certificate),
        "client_key": _path(environment, network.client_key),
        "proxy": str(network.proxy) if through else None,
        "proxy_credentials_variable": network.proxy_credentials_variable,
        "chat": list(environment.aliases_of(ModelKind.CHAT)),
        "embedding": list(environment.aliases_of(ModelKind.EMBEDDING)),
        "requests": environment.policy.requests if requests is None else requests,
        "deadline_s": gateway.request_deadline_s,
    }


def _path(environment: Environment, path: Path | None) -> str | None:
    return None if path is None else str(beside(environment, path).resolve())
