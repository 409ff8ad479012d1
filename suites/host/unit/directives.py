"""Values of a unit's directives compared by meaning: as declared, as written in unit files, as systemd shows
them (systemd.exec(5), systemd.resource-control(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from gateway_acceptance.problem import Problem
from suites.host.user.facts import Facts, again, differs

LISTS = frozenset({
    "AmbientCapabilities", "BindPaths", "BindReadOnlyPaths", "CapabilityBoundingSet", "DeviceAllow",
    "ExecPaths", "InaccessiblePaths", "IPAddressAllow", "IPAddressDeny", "LogsDirectory", "NoExecPaths",
    "ReadOnlyPaths", "ReadWritePaths", "RestrictAddressFamilies", "RestrictNamespaces",
    "StateDirectory", "SupplementaryGroups", "SystemCallArchitectures", "SystemCallFilter",
    "TemporaryFileSystem",
})  # fmt: skip
"""Directives whose assignments add up."""
YES, NO = frozenset({"yes", "true", "on", "1"}), frozenset({"no", "false", "off", "0"})
OCTAL = frozenset({"UMask"})
FACTORS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
ANYWHERE = frozenset({"0.0.0.0/0", "::/0"})
SHOWN_CALLS = 8
"""System calls that a message names."""


def same(name: str, one: str, other: str) -> bool:
    """Whether two values of a directive mean the same."""
    return meaning(name, one) == meaning(name, other)


def meaning(name: str, value: str) -> object:
    """A value in one form: words of a list as a set, sizes in bytes, ``true`` as ``yes``."""
    value = value.strip()
    if name in OCTAL and re.fullmatch(r"[0-7]+", value):
        return int(value, 8)
    if name in LISTS and not (name == "RestrictNamespaces" and value.lower() in YES | NO):
        return frozenset(_word(name, word) for word in denied_words(value.split()))
    if name.startswith("Limit"):
        return tuple(_amount(part) for part in value.split(":"))[-1]
    if name.startswith(("Memory", "Tasks")):
        return _amount(value)
    if value.lower() in YES | NO and name not in ("User", "Group"):
        return "yes" if value.lower() in YES else "no"
    return value


def denied_words(words: Iterable[str]) -> list[str]:
    """The words with ``~`` before each that is denied: in one value all words after the first ``~`` are."""
    found, denied = [], False
    for word in words:
        denied = denied or word.startswith("~")
        found.append(f"~{word.lstrip('~')}" if denied else word)
    return found


def _word(name: str, word: str) -> str:
    if name in ("CapabilityBoundingSet", "AmbientCapabilities"):
        return word.lower()
    if name.startswith("IPAddress") and word == "any":
        return "0.0.0.0/0"
    return word.split(":")[0] if name == "SystemCallFilter" else word


def _amount(value: str) -> object:
    """A number, or a size with its unit, as a number; ``infinity`` stays a word."""
    found = re.fullmatch(r"([0-9]+)([KMGT]?)B?", value.strip())
    return int(found[1]) * FACTORS[found[2]] if found else value.strip() or "infinity"


def against_loaded(name: str, wanted: str, unit: Facts, unit_name: str) -> list[Problem]:
    """The declared value against what systemd has loaded (``systemctl show``, which leaves out what is
    empty). A filter of system calls is shown expanded, without the names that the machine does not know: of
    it only what is allowed beyond the declared is a problem."""
    has = unit["properties"].get(name, "")
    fix = f"set {name}={wanted} in {unit_name}, then: {again(unit_name)}"
    if name == "SystemCallFilter":
        beyond = calls_beyond(wanted.split(), has.split(), unit["call_groups"])
        if not beyond:
            return []
        shown = " ".join(beyond[:SHOWN_CALLS]) + (
            f" and {len(beyond) - SHOWN_CALLS} more" if beyond[SHOWN_CALLS:] else ""
        )
        return [differs(f"{unit_name}: {name} as loaded", f"allowed: {shown}", wanted, fix)]
    if name == "IPAddressDeny" and wanted.strip() == "any" and set(has.split()) >= ANYWHERE:
        return []
    if same(name, wanted, has):
        return []
    return [differs(f"{unit_name}: {name} as loaded", has or "nothing", wanted or "nothing", fix)]


def calls_beyond(
    wanted: Sequence[str], shown: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> list[str]:
    """Names that the loaded filter allows and the declared does not; ``all of them`` where none is loaded."""
    words = denied_words(word.split(":")[0] for word in wanted)
    if not words:
        return []
    if not shown:
        return ["all of them"]
    loaded = denied_words(word.split(":")[0] for word in shown)
    denies = loaded[0].startswith("~")
    named = {word.lstrip("~") for word in loaded}
    refused = [word[1:] for word in words if word.startswith("~")]
    permitted = {call for word in words if not word.startswith("~") for call in expanded(word, groups)}
    forbidden = {call for word in refused for call in expanded(word, groups)}
    if permitted and denies:
        return ["all but " + " ".join(sorted(named)[:SHOWN_CALLS])]
    if permitted:
        return sorted(named - (permitted - forbidden))
    if denies:
        return sorted(word for word in refused if not set(expanded(word, groups)) & named)
    return sorted(named & forbidden)


def expanded(word: str, groups: Mapping[str, Sequence[str]]) -> set[str]:
    """The system calls of a word; those of a group, and of the groups in it."""
    if not word.startswith("@"):
        return {word}
    return {call for member in groups.get(word, ()) for call in expanded(member, groups)}
