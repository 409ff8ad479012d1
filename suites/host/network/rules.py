"""What must hold of a machine's open sockets: facts in, problems out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway_acceptance.environment import ServedModel
from gateway_acceptance.environment.host import Machine
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.backends import full_name
from suites.host.user.facts import WAYS_IN, again, differs, shut_down

Socket = Mapping[str, Any]

VERSION, TAGS, MODELS = "/api/version", "/api/tags", "/v1/models"
ASKED = {"ollama": (VERSION, TAGS), "openai": (MODELS, MODELS)}
"""By the backend's product: what the gateway's machine asks whether it is there, and for its models."""


def socket_text(socket: Socket) -> str:
    """A socket as environments declare it: ``0.0.0.0:4000``, ``127.0.0.1:323/udp``."""
    suffix = "/udp" if socket["proto"] == "udp" else ""
    return f"{socket['address']}:{socket['port']}{suffix}"


def owner(socket: Socket) -> str:
    """Whose socket it is, in words."""
    process, unit = socket["process"] or "nobody known", socket["unit"] or "no unit"
    return f"{process} ({socket['pid']}) of {unit} as {socket['user']}"


def matches(declared: str, socket: Socket) -> bool:
    """Whether a socket is the declared one. ``*`` as declared stands for every address."""
    address, _, rest = declared.rpartition(":")
    port, _, protocol = rest.partition("/")
    same = (int(port), protocol or "tcp") == (socket["port"], socket["proto"])
    return same and address in ("*", socket["address"])


def not_listening(sockets: Iterable[Socket], machine: Machine) -> list[Problem]:
    """Every socket of the service is open at its declared address."""
    found = list(sockets)
    problems = []
    for wanted in machine.listens:
        if any(matches(wanted, socket) for socket in found):
            continue
        port = wanted.rpartition(":")[2].partition("/")[0]
        near = [socket_text(socket) for socket in found if str(socket["port"]) == port]
        has = f"only {', '.join(near)}" if near else "no such socket"
        elsewhere = near or any(socket["unit"] == machine.unit for socket in found)
        fix = f"sudo systemctl restart {machine.unit}"
        if elsewhere:
            fix = f"correct the address and port that {machine.unit} is given, then: {again(machine.unit)}"
        problems.append(differs(machine.unit, has, wanted, fix))
    return problems


def as_declared(sockets: Iterable[Socket], machine: Machine) -> list[Socket]:
    """The sockets that are open where the service is declared to listen."""
    return [socket for socket in sockets if any(matches(wanted, socket) for wanted in machine.listens)]


def of_another(sockets: Iterable[Socket], machine: Machine) -> list[Problem]:
    """The declared sockets belong to the service's unit and its account."""
    problems = []
    for wanted in machine.listens:
        for socket in sockets:
            right = (socket["unit"], socket["user"]) == (machine.unit, machine.user)
            if matches(wanted, socket) and not right:
                problems.append(
                    differs(
                        socket_text(socket),
                        owner(socket),
                        f"{machine.unit} as {machine.user}",
                        f"look at it: sudo ss -lntup; end what should not be there, then: "
                        f"sudo systemctl restart {machine.unit}",
                    )
                )
    return problems


def beyond_declared(sockets: Iterable[Socket], machine: Machine) -> list[Problem]:
    """The service opens no socket that is not declared: a wider address counts as another socket."""
    return [
        differs(
            socket_text(socket),
            owner(socket),
            f"only {', '.join(machine.listens)}",
            "bind the declared address alone",
        )
        for socket in sockets
        if socket["unit"] == machine.unit and not any(matches(wanted, socket) for wanted in machine.listens)
    ]


def undeclared(sockets: Iterable[Socket], machine: Machine) -> list[Problem]:
    """No other process of the machine opens a socket that is not declared."""
    known = (*machine.listens, *machine.also_listens)
    return [
        differs(
            socket_text(socket),
            owner(socket),
            f"only {', '.join(known)}",
            removal(socket),
        )
        for socket in sockets
        if socket["unit"] != machine.unit and not any(matches(wanted, socket) for wanted in known)
    ]


def removal(socket: Socket) -> str:
    """How to be rid of a socket. The way in is never shut by a command to paste, and neither is what is no
    service: a session, or systemd itself, which holds the sockets of its socket units."""
    declare = f'declare "{socket_text(socket)}" in also_listens'
    unit = socket["unit"] or ""
    if unit.endswith(".service") and unit.partition(".")[0].partition("@")[0] not in WAYS_IN:
        return f"{shut_down(unit)}  # or, where it is meant: {declare}"
    return f"look at it: sudo ss -lntup; where it is meant: {declare}"


def other_models(
    name: str, answer: Mapping[str, Any], wanted: Iterable[ServedModel], listing: str = TAGS
) -> list[Problem]:
    """What the gateway needs of a backend, and its machine does not find there, or another of that name.
    listing: the path of the list."""
    where = f"{name} at {answer['url']}, from the gateway's machine"
    held = {full_name(model): digest.removeprefix("sha256:") for model, digest in answer["models"].items()}
    declared = sorted({(full_name(served.upstream), served.digest or "") for served in wanted})
    return [
        differs(
            f"{where}: {model}",
            f"the digest {held[model][:12]}" if model in held else "no such model",
            f"the digest {digest[:12]}" if digest else "it",
            f"{fetched(model, listing)}, or declare what is meant: curl {answer['url']}{listing}",
        )
        for model, digest in declared
        if model not in held or not held[model].startswith(digest)
    ]


def fetched(model: str, listing: str) -> str:
    """How a model gets onto a backend that is asked for its list at this path."""
    return f"pull it there (ollama pull {model})" if listing == TAGS else "serve it there"


def other_dimensions(name: str, answer: Mapping[str, Any], wanted: Mapping[str, int]) -> list[Problem]:
    """Models whose vectors have other dimensions than declared, by what the backend tells the gateway's
    machine. wanted: by model; of what is not told nothing is said."""
    dimensions = {model: count for model, count in answer["dimensions"].items() if count is not None}
    return [
        differs(
            f"{name} at {answer['url']}, from the gateway's machine: {model}",
            f"{dimensions[model]} dimensions",
            count,
            "declare what it has, or pull the model that is meant: "
            f'curl {answer["url"]}/api/show -d \'{{"model": "{model}"}}\'',
        )
        for model, count in sorted(wanted.items())
        if model in dimensions and dimensions[model] != count
    ]


def slow(name: str, answer: Mapping[str, Any], bound_s: float, asked: str = VERSION) -> list[Problem]:
    """A backend that answers the gateway's machine later than declared. bound_s: seconds."""
    if answer["elapsed_s"] <= bound_s:
        return []
    return [
        differs(
            f"{name} at {answer['url']}, from the gateway's machine",
            f"its fastest answer after {answer['elapsed_s']:.2f} s",
            f"one within {bound_s:g} s",
            f"find out what keeps it: time curl {answer['url']}{asked}",
        )
    ]


def unreached(name: str, answer: Mapping[str, Any], asked: str = VERSION) -> list[Problem]:
    """A backend answers the gateway's machine: with its version, where that is asked. asked: the path."""
    if answer["reached"] and (answer["version"] or asked != VERSION):
        return []
    has = answer["error"] or "an answer without a version"
    return [
        differs(
            f"{name} at {answer['url']}, from the gateway's machine",
            has,
            "a version" if asked == VERSION else "an answer",
            f"find out there what is between them: curl {answer['url']}{asked}",
        )
    ]
