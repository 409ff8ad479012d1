"""The unit and its process, as the checks of a machine's service ask for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import Untestable

Facts = Mapping[str, Any]
WAYS_IN = ("ssh", "sshd")
"""Services whose end would lock out whoever pastes a command."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One line of a unit file. path: the file that it stands in."""

    path: str
    name: str
    value: str


def differs(what: str, has: object, expected: object, fix: str) -> Problem:
    """The problem of a value that is not what it should be, with the command that fixes it."""
    return Problem("", f"{what}: has {has}, expected {expected}; fix: {fix}")


def again(unit_name: str) -> str:
    """The command that makes systemd read a unit anew and its process live by it."""
    return f"sudo systemctl daemon-reload && sudo systemctl restart {unit_name}"


def shut_down(unit: str) -> str:
    """The command that ends a service for good. Of two, for a transient unit cannot be disabled, and is gone
    when it is stopped; a service that is stopped alone comes back with the next boot."""
    return f"sudo systemctl disable {unit}; sudo systemctl stop {unit}"


def ended(unit: str | None, pid: int) -> str:
    """The command that ends a process which should not be there: its whole service, where it is of one that
    is no way in and no session, since a process that is killed alone may come back."""
    name = (unit or "").removesuffix(".service")
    if unit and name != unit and name.partition("@")[0] not in (*WAYS_IN, "user"):
        return shut_down(unit)
    return f"sudo kill {pid}"


def loaded_unit(machine: MachineFacts) -> Facts:
    """The unit's facts. Raises Untestable where systemd knows no such unit: one check says that."""
    unit: Facts = machine["unit"]
    if not unit["exists"]:
        raise Untestable(
            f"{machine.name}: systemd has loaded no {machine.declared.unit} (see HOST-UNIT-001)",
            f"look there at: systemctl status {machine.declared.unit}",
        )
    return unit


def live_process(machine: MachineFacts) -> Facts:
    """The process's facts. Raises Untestable where none runs: one check says that."""
    process: Facts = machine["process"]
    if not process["pid"]:
        raise Untestable(
            f"{machine.name}: {machine.declared.unit} has no process (see HOST-UNIT-002)",
            f"look there at: systemctl status {machine.declared.unit}",
        )
    return process


def started_argv(unit: Facts) -> list[str]:
    """The words of the first ExecStart as systemd loaded it; the program first. Empty where it has none."""
    shown = re.search(r"argv\[\]=(.*?) ; ", unit["properties"].get("ExecStart", ""))
    return shown[1].split() if shown else []


def assignments(unit: Facts, files: Iterable[int] | None = None) -> list[Assignment]:
    """Every assignment of the unit's files in the order in which systemd reads them. files: their numbers
    (0 is the unit's own file, the drop-ins follow); all unless given. Raises Untestable for a file that the
    suite's account may not read."""
    found: list[Assignment] = []
    for number, file in enumerate(unit["files"]):
        if files is not None and number not in files:
            continue
        if not file["readable"]:
            raise Untestable(
                f"{file['path']} cannot be read ({file.get('error', 'no reason')})",
                f"units hold no secret; let all read it there: chmod a+r {file['path']}",
            )
        for line in file["text"].splitlines():
            name, equals, value = line.strip().partition("=")
            if equals and name and name[0] not in "#;":
                found.append(Assignment(file["path"], name.strip(), value.strip()))
    return found


def merged(lines: Iterable[Assignment], name: str) -> str:
    """What a directive comes to, by systemd's rule for lists: words add up, an empty value begins anew, a
    ``~`` before the first word of a line is before each of them."""
    words: list[str] = []
    for line in lines:
        if line.name == name:
            own = line.value.removeprefix("~").split()
            words = [*words, *(["~" + word for word in own] if line.value.startswith("~") else own)]
            words = words if line.value else []
    return " ".join(words)


def last(lines: Iterable[Assignment], name: str) -> str:
    """What a directive comes to where it holds one value: the last one that was given."""
    return ([line.value for line in lines if line.name == name] or [""])[-1]
