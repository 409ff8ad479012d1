"""Facts of machines that lack something, as the collector tells them; and every check of a host."""

from __future__ import annotations

import copy
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import suites.host
from gateway_acceptance.check import Check
from gateway_acceptance.environment import Environment
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.host.privileges import privileges_of
from tests.unit import host_facts_deployment as deployment
from tests.unit import host_facts_service as service
from tests.unit.test_host_tree import HEALTHY as TREE

TRIED = ("unreadable", "unsearchable", "writable", "secrets_readable", "secrets_writable")
Sections = Mapping[str, Any]
NO_UNIT = {
    "exists": False,
    "properties": {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead", "MainPID": "0"},
    "enabled": "",
    "files": [],
    "verify": [],
    "exposure": None,
    "directives": [],
    "call_groups": {},
}
NO_PROCESS = {"pid": 0, "copies": [], "missing": {}}
OWN_DIRECTORY = {
    "path": ".",
    "kind": "d",
    "mode": "0755",
    "user": "root",
    "group": "hx",
    "size": 4096,
    "mtime": 900.0,
}
NO_TREE = {
    "exists": False,
    "entries": [],
    "ancestors": TREE["tree"]["ancestors"],
    "unreadable": [],
    "bytes": 0,
    "cut": False,
    "environment": {"files": 0, "directories": 0, "bytes": 0, "offenders": [], "offenders_total": 0},
}
NO_JOURNAL = {
    **{"lines": 0, "bytes": 0, "first": None, "last": None, "errors": 0},
    **{"secrets": [], "prompts": [], "cut": False},
}

UNREACHED: Sections = {
    **{"url": "http://one", "reached": False, "version": None, "error": "ConnectionRefusedError: refused"},
    **{"models": None, "dimensions": {}},
}


def missing(why: str, needs: str = "") -> dict[str, str]:
    """A section that could not be had."""
    return {"missing": why, "needs": needs}


def untried(why: str) -> dict[str, Any]:
    """What the service's account can do, where ``find`` as that account says nothing."""
    return {"missing": {name: missing(why, name) | {"why": why} for name in TRIED}}


ENVIRONMENT: Environment = deployment.declared(
    address="203.0.113.9",
    name="gw.example",
    directories=["config", "scripts"],
    documentation="config",
    development_user="dev",
    development_paths=["config"],
    working_directory="work",
    listens=["0.0.0.0:4000"],
    also_listens=["*:22"],
    hardening={"ProtectSystem": "strict"},
)


def whole() -> dict[str, Any]:
    """The sections of a machine that has all that is declared."""
    found = {name: section["value"] for name, section in service.sections().items()}
    found |= copy.deepcopy({key: value for key, value in TREE.items() if key not in ("unit", "process")})
    parts = deployment.sections()
    for name in ("machine", "commands", "settings", "python", "repository", "resources", "journal", "files"):
        found[name] = {**found[name], **parts[name]} if name in ("machine",) else parts[name]
    found["ollama"] = deployment.backend_sections()["ollama"]
    found["python"]["version"] = "3.11.9"
    found["process"]["descriptors"] = 20
    for name, document in found["files"].items():
        document["entry"] |= {"path": name, "mtime": 900.0}
    return found


ABSENT: Mapping[str, Sections] = {
    "the unit": {"unit": NO_UNIT, "process": NO_PROCESS},
    "the process": {"process": NO_PROCESS},
    "the tree": {
        "tree": NO_TREE,
        "access": untried("find: '/opt/hx/gateway': No such file or directory"),
        "files": {name: {"exists": False} for name in deployment.sections()["files"]},
        "literals": {"found": [], "scanned": 0, "unread": []},
        "repository": {"root": None, "error": "no such directory"},
        "python": {"exists": False, "version": None, "packages": {}, "startup": []},
    },
    "an empty tree": {"tree": NO_TREE | {"exists": True}},
    "all but the tree's own directory": {"tree": NO_TREE | {"exists": True, "entries": [OWN_DIRECTORY]}},
    "the secrets": {
        "secrets": [{"path": "/etc/hx/env", "exists": False, "entry": None, "parent": None}],
        "settings": {"names": [], "values": {}, "default_key": False},
    },
    "every socket": {"sockets": []},
    "every line of the journal": {"journal": NO_JOURNAL},
    "a journal that may be read": {"journal": missing("the journal cannot be read", "journal")},
    "an account that find is refused to": {"access": untried("sudo refuses it")},
    "the service's account": {
        "account": {**TREE["account"], "entry": None, "primary": None, "groups": [], "processes": []}
    },
    "every backend": {"reach": {"one": UNREACHED, "two": UNREACHED}},
    "every right of the suite's account": {name: missing("sudo refuses it", name) for name in whole()},
}
"""What is absent -> the sections that tell so, in the place of the healthy ones."""


class Asked(Exception):  # noqa: N818  (carries what was read)
    """A check raised, which is its cause. read: the sections that it had read."""

    def __init__(self, read: set[str]) -> None:
        self.read = read
        super().__init__(", ".join(sorted(read)))


@dataclass(frozen=True)
class Watched(MachineFacts):
    """Facts that note which sections are read."""

    read: set[str] = field(default_factory=set)

    def __getitem__(self, section: str) -> Any:
        self.read.add(section)
        return super().__getitem__(section)


def watched(changed: Sections, name: str = "gateway") -> Watched:
    """A machine with these sections in the place of healthy ones."""
    shown = {
        key: value if isinstance(value, dict) and set(value) == {"missing", "needs"} else {"value": value}
        for key, value in {**whole(), **copy.deepcopy(dict(changed))}.items()
    }
    machine = ENVIRONMENT.machines[name]
    return Watched(name, machine, shown, privileges_of(machine, ("sk-1234",)), account="probe")


def host_checks() -> Iterator[tuple[Check, Callable[..., None]]]:
    """Every check of a host that stands on facts, with its function."""
    for module in pkgutil.walk_packages(suites.host.__path__, "suites.host."):
        if not module.name.rpartition(".")[2].startswith("test_"):
            continue
        for function in vars(importlib.import_module(module.name)).values():
            marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "check"]
            if marks and "target" not in inspect.signature(function).parameters:
                yield marks[0].args[0], function


def asked(function: Callable[..., None], changed: Sections) -> set[str]:
    """Run a check on machines with these sections in the place of healthy ones, with what else its arguments
    name. Returns nothing more than which sections it read; raises what it raises, with these as ``read``."""
    return asked_of(function, watched(changed), watched(changed, "one"))


def asked_of(
    function: Callable[..., None],
    facts: Watched,
    backend: Watched,
    *,
    otherwise: Mapping[str, Any] = MappingProxyType({}),
) -> set[str]:
    """The same on these machines. otherwise: arguments that are not those of ``ENVIRONMENT``."""
    given: dict[str, Any] = {
        "host": facts,
        "machine": facts,
        "backend_host": backend,
        "environment": ENVIRONMENT,
        "backend_name": "one",
        "group": "both",
        "directive": (facts, "ProtectSystem"),
        "note": lambda *_: None,
        **otherwise,
    }
    wanted = inspect.signature(function).parameters
    try:
        function(**{name: given[name] for name in wanted})
    except Exception as raised:
        raise Asked(facts.read | backend.read) from raised
    return facts.read | backend.read
