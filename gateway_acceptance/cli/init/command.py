"""``gateway-acceptance init``: the command line, and the file."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from gateway_acceptance.check import Effect
from gateway_acceptance.cli.init.asker import MOST_REQUESTS, Asker, Silent
from gateway_acceptance.cli.init.found import Found
from gateway_acceptance.cli.init.gateway import (
    NotExamined,
    examine_gateway,
    find_description,
    require_key,
    tell_version,
    trouble_of_silence,
)
from gateway_acceptance.cli.init.machine import examine_machine
from gateway_acceptance.cli.init.models import examine_models
from gateway_acceptance.cli.init.others import set_others_aside
from gateway_acceptance.cli.init.write import environment_text, last_tables
from gateway_acceptance.environment import Environment, Model, ModelKind, load_environment
from gateway_acceptance.environment.base_url import BaseUrl, as_understood
from gateway_acceptance.environment.host import Uri
from gateway_acceptance.environment.load import key_fault
from gateway_acceptance.environment.model import BEARER_HEADER, EnvironmentKind, Gateway, Policy
from gateway_acceptance.environment.network import Network
from gateway_acceptance.environment.secrets import network_problems, secrets_of
from gateway_acceptance.environment.table import NAME_PATTERN
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.usage import EXIT_NOT_READY, EXIT_READY, UsageProblem

LEAST_REQUESTS = 5
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
HEADER = re.compile(r"[a-z0-9][a-z0-9-]*")
OPTIONS = {
    "gateway.url": "--url",
    "gateway.key_header": "--key-header",
    "network.ca_file": "--ca-file",
    "network.client_certificate": "--client-certificate",
    "network.client_key": "--client-key",
    "network.headers": "--header",
    "network.proxy": "--proxy",
}
"""What an environment file calls it -> the option that stands for it here."""
PRINTED = Path("printed.toml")
"""Where the text is validated that goes to standard output."""


@dataclass(frozen=True, slots=True)
class InitRequest:
    """A command line that can be followed. out: None for standard output; host: None for no machine."""

    environment: Environment
    key: str
    variable: str
    name: str
    out: Path | None
    host: str | None
    ssh_config: Path | None
    requests: int
    models: tuple[str, ...]
    notes: tuple[str, ...]


def add_init_command(commands: Any) -> None:
    """commands: what ``ArgumentParser.add_subparsers`` returns."""
    command = commands.add_parser(
        "init",
        help="examine a running gateway and write its environment file",
        description="Examine a running gateway and write its environment file, commented and complete; "
        "what nobody can see from outside is marked with the question to answer (docs/init.md). It sends at "
        f"most {MOST_REQUESTS} requests and changes nothing.",
    )
    command.add_argument("--url", required=True, help="the gateway, with /v1 or without")
    command.add_argument(
        "--key-env", required=True, metavar="NAME", help="the variable that holds its key; never the key"
    )
    command.add_argument("--out", metavar="FILE", help="a new TOML file (default: standard output)")
    command.add_argument("--host", metavar="URI", help="its machine, as in ssh://gateway.example")
    command.add_argument(
        "--ssh-config", metavar="FILE", help="an OpenSSH client configuration by which --host is reached"
    )
    command.add_argument(
        "--key-header",
        metavar="NAME",
        default=BEARER_HEADER,
        help="the header that takes the key alone (default: authorization, as a bearer token)",
    )
    command.add_argument(
        "--ca-file",
        metavar="FILE",
        help="the CA of its certificate, in PEM, where the system does not know it",
    )
    command.add_argument(
        "--header",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a header that whatever stands in front of it wants with every request; of a secret one "
        "NAME='${VARIABLE}'; may be given several times",
    )
    command.add_argument("--proxy", metavar="URL", help="the proxy by which it is reached")
    command.add_argument(
        "--client-certificate", metavar="FILE", help="what is shown to a server that asks for one, in PEM"
    )
    command.add_argument("--client-key", metavar="FILE", help="its key, where another file holds it")
    command.add_argument(
        "--model",
        metavar="NAME",
        action="append",
        default=[],
        help="a model that clients use and the gateway does not list: a hidden alias, a name of a wildcard, "
        "each model of a gateway that has no list of them; "
        "may be given several times",
    )
    command.add_argument(
        "--requests", metavar="N", type=int, default=MOST_REQUESTS, help="the most that are sent, at most 30"
    )
    command.set_defaults(run=_init)


def _init(arguments: argparse.Namespace) -> int:
    asked = understood(arguments, os.environ)
    redact = Redactor({asked.variable: asked.key, **secrets_of(asked.environment, os.environ)})
    for note in asked.notes:
        sys.stderr.write(f"gateway-acceptance: {redact(note)}\n")
    try:
        found = examined(asked)
    except NotExamined as failure:
        return _said(redact(str(failure.trouble)))
    except Silent as failure:
        return _said(redact(str(trouble_of_silence(failure.words, asked.environment))))
    text = environment_text(found, asked.environment, asked.name, redact)
    seen = None
    if asked.host is not None:
        seen = examine_machine(asked.environment, asked.host, asked.ssh_config)
    last_tables(text, found, seen)
    _write(asked, str(text))
    say = sys.stdout.write if asked.out is not None else sys.stderr.write
    say(f"{_summary(asked, found, text.questions)}\n")
    return EXIT_READY


def _said(sentence: str) -> int:
    sys.stderr.write(f"gateway-acceptance: {' '.join(by_options(sentence).split())}\n")
    return EXIT_NOT_READY


def by_options(sentence: str) -> str:
    """A sentence on an environment file as one on the command line."""
    for ours, option in OPTIONS.items():
        sentence = sentence.replace(ours, option)
    return sentence


def understood(arguments: argparse.Namespace, variables: Mapping[str, str]) -> InitRequest:
    """What was asked for. Raises UsageProblem with a sentence for each mistake; nothing was sent by then."""
    problems: list[str] = []
    url = arguments.url
    try:
        url = TypeAdapter[str](BaseUrl).validate_python(arguments.url)
    except ValidationError as error:
        problems.append(f"--url {arguments.url} {error.errors()[0]['ctx']['error']}")
    if "${" in url:
        problems.append(f"--url {url} holds a variable that the shell did not replace; write the URL itself")
    if not VARIABLE.fullmatch(arguments.key_env):
        problems.append(
            "--key-env is not the name of a variable; export the key, as in MY_GATEWAY_KEY, and give its name"
        )
    elif fault := key_fault(arguments.key_env, variables):
        problems.append(f"--key-env names {arguments.key_env}, {fault}")
    if not HEADER.fullmatch(arguments.key_header.lower()):
        problems.append(f"--key-header {arguments.key_header!r} is no name of a header; correct it")
    network, wrong = _network(arguments)
    problems += wrong
    if not LEAST_REQUESTS <= arguments.requests <= MOST_REQUESTS:
        problems.append(
            f"--requests {arguments.requests} is not between {LEAST_REQUESTS} and {MOST_REQUESTS}; correct it"
        )
    if arguments.host is not None:
        try:
            TypeAdapter[str](Uri).validate_python(arguments.host)
        except ValidationError as error:
            problems.append(f"--host {arguments.host} {error.errors()[0]['ctx']['error']}")
    ssh_config = Path(arguments.ssh_config).expanduser().absolute() if arguments.ssh_config else None
    if ssh_config is not None and not ssh_config.is_file():
        problems.append(f"--ssh-config {arguments.ssh_config}: there is no such file; correct the path")
    if ssh_config is not None and arguments.host is None:
        problems.append("--ssh-config is without --host: name the machine, or take it out")
    out = Path(arguments.out).expanduser() if arguments.out is not None else None
    if out is not None:
        problems += _out_problems(out)
    if problems:
        raise UsageProblem(problems)
    environment = _before_it_is_known(url, arguments, network)
    if wrong := network_problems(environment, variables):
        raise UsageProblem([by_options(text.removeprefix(f"{environment.source}: ")) for text in wrong])
    gateway = environment.gateway
    return InitRequest(
        environment,
        variables[arguments.key_env],
        arguments.key_env,
        _name(out, gateway.url),
        out,
        arguments.host,
        ssh_config,
        arguments.requests,
        tuple(dict.fromkeys(arguments.model)),
        tuple(note.replace("gateway.url", "--url", 1) for note in as_understood(arguments.url, gateway.url)),
    )


def _network(arguments: argparse.Namespace) -> tuple[Network, list[str]]:
    """The way to the gateway, and a sentence for each mistake in what the command line says of it."""
    files = ("ca_file", "client_certificate", "client_key")
    given: dict[str, Any] = {
        name: Path(path).expanduser().absolute() for name in files if (path := getattr(arguments, name))
    }
    pairs = [one.partition("=") for one in arguments.header]
    problems = [
        f"--header {name!r} is without a value: write NAME=VALUE" for name, equals, _ in pairs if not equals
    ]
    given["headers"] = {name.strip(): value.strip() for name, _, value in pairs}
    if any(name.lower() == arguments.key_header.lower() for name in given["headers"]):
        problems.append("--header names the header of the key, which is sent by itself: take it out")
    if arguments.proxy:
        given["proxy"] = arguments.proxy
    if problems:
        return Network(), problems
    try:
        network = Network(**given)
    except ValidationError as error:
        details = error.errors(include_url=False)
        texts = [
            f"network.{detail['loc'][0]} {detail['msg'].removeprefix('Value error, ')}" for detail in details
        ]
        return Network(), [by_options(text) for text in texts]
    return network, [by_options(text) for text in network.contradictions()]


def _before_it_is_known(url: str, arguments: argparse.Namespace, network: Network) -> Environment:
    """The environment as far as the command line tells of it."""
    return Environment(
        name="init",
        kind=EnvironmentKind.STAGING,
        gateway=Gateway(url=url, key_variable=arguments.key_env, key_header=arguments.key_header.lower()),
        models=(Model(alias="not known yet", kind=ModelKind.CHAT),),
        network=network,
        policy=Policy(effects=(Effect.READ,), requests=1, tokens=1, seconds=1),
        source=Path("--ca-file"),
    )


def _out_problems(out: Path) -> list[str]:
    if out.suffix != ".toml":
        return [
            f"--out {out}: the name does not end in .toml, by which --env knows a file; give one that does"
        ]
    if out.exists() or out.is_symlink():
        return [f"--out {out}: is there already, and is not overwritten; give another name, or remove it"]
    if not out.parent.is_dir():
        return [f"--out {out}: there is no directory {out.parent}; make it, or give another name"]
    if not os.access(out.parent, os.W_OK):
        return [f"--out {out}: nobody may write to {out.parent} from here; give another place"]
    return []


def _name(out: Path | None, url: str) -> str:
    """The environment's name: of the file, or of the gateway's host."""
    for wish in (out.stem if out is not None else "", urlsplit(url).hostname or ""):
        plain = re.sub(r"[^a-z0-9._-]+", "-", wish.lower()).strip("-._")
        if re.match(NAME_PATTERN, plain):
            return plain
    return "gateway"


def examined(asked: InitRequest) -> Found:
    """Everything that can be found out within the budget. Raises NotExamined, Silent."""
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder:
        asker = Asker(asked.environment, asked.key, Path(folder), asked.requests)
        try:
            found = examine_gateway(asker, asked.key, asked.variable, asked.models)
            examine_models(asker, found)
            require_key(found, asked.variable)
            set_others_aside(found, asked.models)
            tell_version(asker, found)
            find_description(asker, found)
            found.requests = asker.budget.spent.requests
            found.identity = asker.met.document
        finally:
            asker.close()
    return found


def _write(asked: InitRequest, text: str) -> None:
    """Validated as a run would, then written in one step; an existing file stays as it is."""
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder:
        trial = Path(folder) / PRINTED
        trial.write_text(text, encoding="utf-8")
        load_environment(str(trial), Path(folder), {})
    if asked.out is None:
        sys.stdout.write(text)
        return
    part = asked.out.with_name(f".{asked.out.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.link(part, asked.out)
    except FileExistsError:
        raise UsageProblem(
            [f"--out {asked.out}: has come to be meanwhile, and is not overwritten; give another name"]
        ) from None
    except OSError as error:
        raise UsageProblem(
            [f"--out {asked.out}: cannot be written ({error.strerror}); give another place"]
        ) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _summary(asked: InitRequest, found: Found, questions: int) -> str:
    version = f" {found.version}" if found.version else ""
    where = asked.out if asked.out is not None else "standard output"
    marked = f"{questions} questions are marked with QUESTION" if questions != 1 else "1 question is marked"
    next_step = f"; next: gateway-acceptance doctor --env={asked.out}" if asked.out is not None else ""
    models, behind = _many(len(found.aliases), "model"), _many(len(found.behind), "backend")
    requests = _many(found.requests, "request")
    return (
        f"{where}: {found.product}{version}, {models}, {behind}, found with {requests}; {marked}{next_step}"
    )


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
