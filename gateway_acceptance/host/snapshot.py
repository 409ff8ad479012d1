"""One look at a machine: one remote command through testinfra."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gateway_acceptance.environment import Backend, Environment
from gateway_acceptance.environment.host import BackendHost, Host, Machine
from gateway_acceptance.environment.model import GATEWAY_MACHINE
from gateway_acceptance.host.bounded import bound
from gateway_acceptance.host.collect.main import COLLECT_DEADLINE_S
from gateway_acceptance.host.facts import NoFacts, unpacked
from gateway_acceptance.host.privileges import privileges_in
from gateway_acceptance.host.program import command

if TYPE_CHECKING:
    from testinfra.host import Host as Connection

CONNECT_DEADLINE_S = 10
EVERYWHERE = ("machine", "unit", "process", "account", "sockets", "resources", "journal")
ENDED_BY_ALARM = (142, -14)
"""The exit code of a program that SIGALRM ended, through a shell and without one."""
OF_THE_GATEWAY = ("commands", "reach", "tree", "secrets", "access", "files", "literals", "repository")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one command brought. asked, answered: seconds since the epoch by the suite's clock."""

    sections: dict[str, Any]
    asked: float
    answered: float


def request_of(environment: Environment, name: str) -> dict[str, Any]:
    """What the program on a machine is asked: declared names and paths, no secret."""
    machine = environment.machines[name]
    default_keys = environment.gateway.known_default_keys
    request: dict[str, Any] = {
        "sections": list(EVERYWHERE),
        "unit": machine.unit,
        "user": machine.user,
        "group": machine.own_group,
        "default_keys": list(default_keys),
        "disks": ["/", "/var/log"],
        "privileges": {
            privilege.name: {
                "as": privilege.account,
                "argv": list(privilege.argv),
                "elsewhere": privilege.elsewhere,
            }
            for privilege in privileges_in(environment, machine)
        },
    }
    if isinstance(machine, Host):
        request |= _of_the_gateway(environment, machine)
    if isinstance(machine, BackendHost):
        request["sections"].append("ollama")
        request["disks"] += [machine.models] if machine.models else []
    return request


def _of_the_gateway(environment: Environment, host: Host) -> dict[str, Any]:
    sections = [*EVERYWHERE, *OF_THE_GATEWAY]
    sections += ["settings"] if host.secrets else []
    sections += ["python"] if host.virtual_environment else []
    configuration = [host.configuration] if host.configuration else []
    return {
        "sections": sections,
        "tree": host.tree,
        "virtual_environment": host.virtual_environment,
        "secrets": list(host.secrets),
        "commands": list(host.needed_commands),
        "files": sorted({*host.scripts, *configuration, *host.digests, *host.sizes}),
        "commit": host.repository.commit if host.repository else None,
        "reach": {
            entry.name: {"url": entry.called, **_of_a_backend(environment, entry)}
            for entry in environment.backends
        },
        "disks": ["/", "/var/log", host.tree],
    }


def _of_a_backend(environment: Environment, backend: Backend) -> dict[str, Any]:
    """What of a backend is asked beside its being there: Ollama describes dimensions."""
    if backend.product != "ollama":
        return {"product": backend.product}
    return {"dimensions": _embedding_models(environment, backend.name)}


def _embedding_models(environment: Environment, backend: str) -> list[str]:
    """The models on a backend whose dimensions are declared."""
    return sorted(
        {model.upstream for model in environment.models if model.backend == backend and model.dimensions}
    )


ALIAS = "gateway-acceptance"
"""Under which ssh looks a declared host key up."""


def take_snapshot(environment: Environment, name: str, sections: Sequence[str] = ()) -> Snapshot:
    """Gather a machine's facts, of these sections alone where some are given. Raises NoFacts with one
    sentence where it cannot be reached."""
    machine = environment.machines[name]
    request = request_of(environment, name)
    if sections:
        request["sections"] = [section for section in request["sections"] if section in sections]
    text = command(request)
    asked = time.time()
    try:
        with _known_host(environment, name) as known:
            done = connection(machine, environment.source.parent, known).run(text)
    except (RuntimeError, OSError) as error:  # testinfra raises the result of an ssh that failed itself
        said = " ".join(str(getattr(error.args[0], "stderr", error) if error.args else error).split())
        if not said and time.time() - asked >= COLLECT_DEADLINE_S:  # ssh says no more of a signal than 255
            raise _late(machine) from None
        shown = said[-300:] or "no word"
        raise NoFacts(
            f"{machine.uri} cannot be reached ({shown})", f"try it by hand: ssh {_host_of(machine)}"
        ) from None
    except ValueError as broken:  # safe-ssh takes the answer apart
        raise NoFacts(
            f"{machine.uri} answered what its ssh backend can't read ({broken})"[:300],
            "look at what its login and its shell print",
        ) from None
    answered = time.time()
    if done.rc == 127 or "python3: not found" in done.stderr:
        raise NoFacts(f"{machine.uri} has no python3", "install it there: the suite looks through it")
    if done.rc in ENDED_BY_ALARM:
        raise _late(machine)
    if done.rc != 0:
        said = " ".join(done.stderr.split())[-300:]
        raise NoFacts(
            f"the look at {machine.uri} ended with exit code {done.rc} ({said})", "look at its python3"
        )
    from gateway_acceptance.host.formed import complete  # as in ``facts.unpacked``

    return Snapshot(complete(unpacked(done.stdout), request), asked, answered)


def _late(machine: Machine) -> NoFacts:
    return NoFacts(f"the look at {machine.uri} did not end in time", "look for what hangs there (a mount?)")


@contextmanager
def _known_host(environment: Environment, name: str) -> Iterator[str]:
    """Options of ssh by which only the declared key is taken for the gateway's machine's; empty where none is
    declared."""
    declared = environment.gateway.identity
    if name != GATEWAY_MACHINE or declared is None or declared.ssh_host_key is None:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="gateway-acceptance-") as folder:
        file = Path(folder) / "known_hosts"
        file.write_text(f"{ALIAS} {declared.ssh_host_key}\n", encoding="ascii")
        yield (
            f" -o UserKnownHostsFile={file} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes "
            f"-o HostKeyAlias={ALIAS} -o ControlPath=none"
        )


def connection(machine: Machine, folder: Path, known: str = "") -> Connection:
    """The testinfra host of a machine: never asks for a password, never waits for ever. folder: of the
    environment file; known: more options of ssh."""
    config = str((folder / machine.ssh_config).resolve()) if machine.ssh_config else None
    options: Mapping[str, Any] = {}
    if urlsplit(machine.uri).scheme in ("ssh", "safe-ssh"):
        extra = f"-o BatchMode=yes -o ConnectTimeout={CONNECT_DEADLINE_S} -o ServerAliveInterval=5{known}"
        options = {"ssh_config": config, "ssh_extra_args": extra}
    elif config is not None:
        options = {"ssh_config": config}
    import testinfra  # ``machines`` leads here, and most runs look at no machine

    host = testinfra.get_host(machine.uri, **options)
    bound(host.backend)
    return host


def _host_of(machine: Machine) -> str:
    config = f"-F {machine.ssh_config} " if machine.ssh_config else ""
    return config + (urlsplit(machine.uri).hostname or machine.uri)


def is_gateway(name: str) -> bool:
    """Whether a machine's name in cases is the gateway's."""
    return name == GATEWAY_MACHINE
