"""How much a section of a machine's facts holds: the subjects of the checks that read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway_acceptance.environment.host import Host, Machine

Extent = Mapping[str, int]
"""A kind of subject in the plural -> how many there are. A kind with none is missing from the machine; what
the environment does not declare is no kind."""


def extent(section: str, value: Any, declared: Machine) -> Extent:
    """What a section holds. Empty for sections that are about the machine itself, which is always there."""
    measure = MEASURES.get(section)
    return measure(value, declared) if measure is not None else {}


def _unit(value: Any, _: Machine) -> Extent:
    return {"loaded units": int(bool(value["exists"]))}


def _process(value: Any, _: Machine) -> Extent:
    return {"processes": int(bool(value["pid"]))}


def _account(value: Any, _: Machine) -> Extent:
    return {"accounts": int(value["entry"] is not None)}


def _sockets(value: Any, _: Machine) -> Extent:
    return {"sockets": len(value)}


def _tree(value: Any, _: Machine) -> Extent:
    within = [entry for entry in value["entries"] if entry["path"] != "."]  # the place alone is no tree
    return {"entries": len(within) if value["exists"] else 0}


def _secrets(value: Any, declared: Machine) -> Extent:
    wanted = isinstance(declared, Host) and bool(declared.secrets)
    return {"files with secrets": sum(1 for one in value if one["exists"])} if wanted else {}


def _files(value: Any, _: Machine) -> Extent:
    return {"declared files": sum(1 for one in value.values() if one.get("exists"))} if value else {}


def _journal(value: Any, _: Machine) -> Extent:
    return {"lines in the journal": int(value["lines"])}


def _settings(value: Any, _: Machine) -> Extent:
    return {"settings": len(value["names"])}


def _repository(value: Any, _: Machine) -> Extent:
    return {"repositories": int(value["root"] is not None)}


def _reach(value: Any, _: Machine) -> Extent:
    return {"backends": len(value)}


def _python(value: Any, _: Machine) -> Extent:
    return {"virtual environments": int(bool(value["exists"]))}


MEASURES: Mapping[str, Callable[[Any, Machine], Extent]] = {
    "unit": _unit,
    "process": _process,
    "account": _account,
    "sockets": _sockets,
    "tree": _tree,
    "secrets": _secrets,
    "files": _files,
    "journal": _journal,
    "settings": _settings,
    "repository": _repository,
    "reach": _reach,
    "python": _python,
}
"""Sections without an entry: the machine itself (its name, clock and resources), what commands are there,
and lists of offenders (access, literals), whose subjects are the tree's and the secrets' own."""
