"""The gateway's machine as it is: which unit listens there, its account, its tree, what hardens it.

Three looks of the kind that a run takes (docs/host.md): who listens at the gateway's port, then that unit,
then its tree.
"""

from __future__ import annotations

import itertools
import math
import os.path
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from gateway_acceptance.cli.init.scripts import question, scripts_of
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.host import Host
from gateway_acceptance.environment.model import GATEWAY_MACHINE
from gateway_acceptance.host.facts import NoFacts
from gateway_acceptance.host.privileges import privileges_of, rule_for
from gateway_acceptance.host.snapshot import Snapshot, take_snapshot

Collector = Callable[[Environment, str, Sequence[str]], Snapshot]
Facts = Mapping[str, Any]
NOT_KNOWN = {"unit": "not-known-yet.service", "user": "nobody", "tree": "/not/known"}
OF_A_TREE = ("uri", "ssh_config", "unit", "tree", "virtual_environment")
"""What a look at the tree alone needs to be told."""
SWITCHES = (
    "NoNewPrivileges", "PrivateTmp", "PrivateDevices", "PrivateUsers", "ProtectSystem", "ProtectHome",
    "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups",
    "ProtectClock", "ProtectHostname", "RestrictNamespaces", "RestrictSUIDSGID",
    "RestrictRealtime", "LockPersonality",
)  # fmt: skip
"""Directives of which any value but "no" hardens."""
OFF = ("", "no", "0", "inherit")
EMPTIED = ("CapabilityBoundingSet", "AmbientCapabilities")
"""Directives that harden where the unit's file sets them to nothing."""
WORDS = ("RestrictAddressFamilies", "SystemCallFilter", "UMask", "LimitNOFILE")
"""Directives that are declared as the unit's file says them."""
ASSIGNED = re.compile(r"^[^\S\n]*+([A-Za-z]++)[^\S\n]*+=[ \t]*+(.*+)$", re.MULTILINE)
ARGV = re.compile(r"argv\[\]=(.*?) ; ")
ROOT = "root"
MORE = 0.1
"""How much more exposed than now the unit may become, of systemd's ten."""


@dataclass
class SeenMachine:
    """What a file says of the machine. keys: of [host]; hardening: its table; missing: a question each, where
    something was not to be had."""

    keys: dict[str, Any] = field(default_factory=dict)
    hardening: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether it is enough to be declared."""
        return {"uri", "unit", "user", "tree"} <= set(self.keys)


def examine_machine(
    asked: Environment, uri: str, ssh_config: Path | None = None, collector: Collector = take_snapshot
) -> SeenMachine:
    """What the machine is. Never raises for what it answers: what is missing is a question."""
    seen = SeenMachine({"uri": uri} | ({"ssh_config": str(ssh_config)} if ssh_config is not None else {}))
    way = {**NOT_KNOWN, **seen.keys}
    try:
        first = collector(_with(asked, way), GATEWAY_MACHINE, ("machine", "sockets"))
        unit = _who_listens(seen, first.sections, asked)
        if not unit:
            return seen
        probing = _with(asked, {**way, "unit": unit})
        second = collector(probing, GATEWAY_MACHINE, ("unit",))
    except (NoFacts, ValidationError) as failure:
        why = f"{failure.why}; {failure.fix}" if isinstance(failure, NoFacts) else "it names an odd unit"
        seen.missing.append(f"what is on the machine {uri}? {why}")
        return seen
    found = second.sections.get("unit", {}).get("value")
    if not isinstance(found, Mapping) or not found.get("exists"):
        seen.missing.append(f"what is the unit {unit}? Its systemd does not know it")
        return seen
    _of_the_unit(seen, found)
    _name(seen, first.sections, asked)
    if seen.complete:
        _scripts(seen, asked, collector)
    return seen


def _scripts(seen: SeenMachine, asked: Environment, collector: Collector) -> None:
    """The scripts of the tree. That it cannot be looked at is told by the first run."""
    own = {name: seen.keys[name] for name in OF_A_TREE if name in seen.keys}
    try:
        third = collector(_with(asked, {**NOT_KNOWN, **own}), GATEWAY_MACHINE, ("tree",))
    except NoFacts:
        return
    value = third.sections.get("tree", {}).get("value")
    scripts = scripts_of(value) if isinstance(value, Mapping) else []
    if scripts:
        _optional(seen, "service_scripts", scripts)
        seen.missing.append(question(scripts))


def _with(asked: Environment, keys: Mapping[str, Any]) -> Environment:
    return asked.model_copy(update={"host": Host.model_validate(dict(keys))})


def _who_listens(seen: SeenMachine, sections: Facts, asked: Environment) -> str:
    """The unit at the gateway's port, with all sockets; empty where that is not told."""
    entry = sections.get("sockets", {})
    if "value" not in entry:
        host = Host.model_validate({**NOT_KNOWN, "uri": seen.keys["uri"]})
        rule = next(one for one in privileges_of(host) if one.name == "sockets")
        account = sections.get("machine", {}).get("value", {}).get("account", "ACCOUNT")
        seen.missing.append(
            "which unit is the gateway? Who listens is not to be had "
            f"({entry.get('missing', 'no answer')}); allow it there with the sudo rule: "
            f"{rule_for(account, rule)}, and run init again"
        )
        return ""
    parts = urlsplit(asked.gateway.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    sockets = [one for one in entry["value"] if _written(one)]
    at_port = [one for one in sockets if one["port"] == port and one["proto"] == "tcp"]
    units = sorted({str(one["unit"]) for one in at_port if str(one["unit"]).endswith(".service")})
    if len(units) != 1:
        text = f"{len(units)} units do" if units else "no service does"
        seen.missing.append(
            f"which unit is the gateway? At port {port} of that machine {text}; declare it as host.unit"
        )
        return ""
    own = [_written(one) for one in sockets if one["unit"] == units[0]]
    others = [_written(one) for one in sockets if one["unit"] != units[0]]
    seen.keys |= {"unit": units[0], "listens": _once(own), "also_listens": _once(others)}
    return units[0]


def _once(written: Sequence[str]) -> list[str]:
    return sorted(dict.fromkeys(written))


def _written(one: Mapping[str, Any]) -> str:
    """A socket as [host] has it; empty for one that has no port."""
    address, port = str(one.get("address", "")), one.get("port")
    if not port or not re.fullmatch(r"\*|\[[0-9a-f:]*\]|[0-9.]+", address):
        return ""
    return f"{address}:{port}" + ("/udp" if one.get("proto") == "udp" else "")


def _of_the_unit(seen: SeenMachine, unit: Facts) -> None:
    properties: Mapping[str, str] = unit.get("properties", {})
    account = properties.get("User") or ROOT
    if account == ROOT:
        seen.missing.append(
            f"which account of its own runs {seen.keys['unit']}? It has no User= and runs as root, which can "
            "write all that it runs; give it an account, and run init again"
        )
    else:
        _optional(seen, "user", account)
    _optional(seen, "group", properties.get("Group"))
    _tree(seen, properties)
    text = "\n".join(str(file.get("text", "")) for file in unit.get("files", ()))
    written: dict[str, str] = {}
    for name, value in ASSIGNED.findall(text):
        written.setdefault(name, value.rstrip())  # what follows of the same name takes away from it, or adds
    seen.hardening = {
        **{name: properties[name] for name in SWITCHES if properties.get(name, "no") not in OFF},
        **{name: "" for name in EMPTIED if written.get(name) == ""},
        **{name: written[name] for name in WORDS if written.get(name)},
    }
    exposure = unit.get("exposure")
    if isinstance(exposure, int | float) and 0 < exposure < 10:
        seen.keys["exposure"] = min(10.0, math.ceil((exposure + MORE) * 10) / 10)
    secrets = re.findall(r"(/\S+)(?: \(ignore_errors=\w+\))?", properties.get("EnvironmentFiles", ""))
    secrets = secrets or re.findall(r"^\s*EnvironmentFile\s*=\s*-?(/\S+)", text, re.MULTILINE)
    _optional(seen, "secrets", _once(secrets))


def _tree(seen: SeenMachine, properties: Mapping[str, str]) -> None:
    """The nearest directory above all that the service is started with."""
    started = ARGV.search(properties.get("ExecStart", ""))
    words = started[1].split() if started else []
    directory = properties.get("WorkingDirectory", "").lstrip("!-")
    configuration = next((after for word, after in itertools.pairwise(words) if word == "--config"), "")
    environment = _virtual_environment(words[0] if words else "")
    places = [place for place in (directory, configuration, environment) if place.startswith("/")]
    tree = os.path.commonpath(places) if places else ""
    if tree == configuration:
        tree = str(Path(tree).parent)
    if tree.count("/") < 2 or tree.startswith(("/usr/", "/var/lib/private")):
        seen.missing.append(
            "which directory is the deployment's own (host.tree)? The unit does not tell: "
            f"it starts in {directory or 'no directory of its own'}"
        )
        return
    _optional(seen, "tree", tree)
    for name, place in (
        ("working_directory", directory),
        ("configuration", configuration),
        ("virtual_environment", environment),
    ):
        if place.startswith(f"{tree}/"):
            _optional(seen, name, place.removeprefix(f"{tree}/"))


def _virtual_environment(program: str) -> str:
    """The directory above a program's ``bin``, where that is not the system's own."""
    path = Path(program)
    own = path.parent.name == "bin" and not program.startswith(("/usr/", "/bin/"))
    return str(path.parents[1]) if own and len(path.parents) > 1 else ""


def _name(seen: SeenMachine, sections: Facts, asked: Environment) -> None:
    value = sections.get("machine", {}).get("value", {})
    if isinstance(value.get("name"), str):
        seen.keys["name"] = value["name"]
    host = urlsplit(asked.gateway.url).hostname or ""
    if host in (value.get("addresses") or ()) and not host.startswith("127."):
        seen.keys["address"] = host


def _optional(seen: SeenMachine, name: str, value: Any) -> None:
    """A key that is declared where the model takes it; what it does not take is a question."""
    if not value:
        return
    declared = tuple(value) if isinstance(value, list) else value
    try:
        Host.model_validate({**NOT_KNOWN, "owner": "nobody-else", "uri": "local://", name: declared})
    except ValidationError:
        seen.missing.append(f"what is host.{name}? {value} cannot be declared as it is")
        return
    seen.keys[name] = value
