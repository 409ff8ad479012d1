"""Whether a machine is again what it was: two looks at it, without what changes by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VOLATILE_SECTIONS = ("clock", "journal", "resources", "reach", "sockets")
VOLATILE = frozenset(
    {
        "took_s",
        "uptime_s",
        "age_s",
        "started",
        "load",
        "bytes",
        "mtime",
        "head",
        "pid",
        "members",
        "processes",
    }
    | {"status", "cgroup", "usage", "descriptors", "open_files", "mounts", "links"}
)
"""Keys whose values differ between two looks at an unchanged machine, or after a restart."""
UNIT_KEPT = (
    *("LoadState", "ActiveState", "SubState", "FragmentPath", "DropInPaths", "NeedDaemonReload", "Result"),
    *("UnitFileState", "User", "Group", "ExecStart", "WorkingDirectory", "Restart", "NoNewPrivileges"),
    *("ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "CapabilityBoundingSet", "UMask"),
    "LimitNOFILE",
)
"""Of a unit's properties, those that last; the others count and measure."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """``place: was, is`` of everything that lasts and differs; empty where the machine is what it was."""
    one, other = before["sections"], after["sections"]
    found: list[str] = []
    for section in sorted(set(one) | set(other)):
        if section not in VOLATILE_SECTIONS:
            compare(section, lasting(section, one.get(section)), lasting(section, other.get(section)), found)
    return found


def lasting(section: str, value: Any) -> Any:
    """A section without what changes by itself."""
    if section == "unit" and isinstance(value, dict) and "value" in value:
        properties = value["value"]["properties"]
        kept = {name: _program(properties.get(name)) for name in UNIT_KEPT}
        value = {**value, "value": {**value["value"], "properties": kept}}
    if isinstance(value, dict):
        if value.get("kind") == "d":  # of a directory the size is its file system's own affair
            value = {key: item for key, item in value.items() if key != "size"}
        return {key: lasting("", item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [lasting("", item) for item in value]
    return value


def _program(text: str | None) -> str | None:
    """A property's value without the times of ``ExecStart``."""
    return text.split(" ; ignore_errors", 1)[0] if text else text


def compare(place: str, one: Any, other: Any, found: list[str]) -> None:
    """Add each place where two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            compare(f"{place}.{key}", one.get(key), other.get(key), found)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            compare(f"{place}[{number}]", left, right, found)
    elif one != other:
        found.append(f"{place}: was {str(one)[:120]}, is {str(other)[:120]}")
