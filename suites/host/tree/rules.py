"""What the deployment's tree must be, as rules over the entries that a look brings: entry -> problem."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from gateway_acceptance.environment.host import Host
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import Untestable

Entry = Mapping[str, Any]

WRITABLE_BY_OTHERS = 0o022
SPECIAL_BITS = 0o7000


def declared_host(host: MachineFacts) -> Host:
    """What is declared of the gateway's machine."""
    assert isinstance(host.declared, Host)
    return host.declared


def require_seen(host: MachineFacts, path: str, found: Mapping[str, Any]) -> None:
    """Raises Untestable where the suite's account could not see whether ``path`` is there: that is no proof
    that it is not. found: its facts."""
    if found.get("hidden"):
        said_by = "HOST-TREE-005" if host["tree"].get("hidden") else "HOST-TREE-003"
        raise Untestable(
            f"{path} cannot be seen by the suite's account ({found['hidden']}; see {said_by})",
            f"where {said_by} is green, the account needs the group that may go there",
        )


def entries(host: MachineFacts) -> list[Entry]:
    """Every entry of the tree outside the virtual environment. Raises Untestable where the tree is not there,
    or where a part of it was not seen: what was not seen cannot be right."""
    tree = host["tree"]
    base, wanted = declared_host(host).tree, declared_host(host).directory_mode
    require_seen(host, base, tree)
    if not tree["exists"]:
        raise Untestable(f"there is no directory {base}", "deploy the gateway there, or correct host.tree")
    if tree["unreadable"]:
        hidden = "; ".join(tree["unreadable"][:5])
        fix = f"sudo find {base} -type d -exec chmod {wanted} {{}} +"
        raise Untestable(f"parts of {base} cannot be seen ({hidden})", f"fix: {fix}")
    if tree["cut"]:
        raise Untestable(
            f"{base} has too many entries to be seen whole", "move out what is not the deployment's"
        )
    seen: list[Entry] = tree["entries"]
    return seen


def is_script(entry: Entry, host: Host) -> bool:
    """Whether a file is a script: declared as one, or named as one."""
    return entry["kind"] == "f" and (entry["path"] in host.scripts or entry["path"].endswith(".sh"))


def at(tree: str, entry: Entry) -> str:
    """An entry's whole path as a word of a shell command: who names a file must not write the fix."""
    return shlex.quote(str(PurePosixPath(tree) / entry["path"]))


def wrong_modes(seen: Iterable[Entry], wanted: str, tree: str, fix: str = "") -> list[Problem]:
    """Entries with another mode than wanted. fix: one command for all, where one serves."""
    return [
        Problem(
            "",
            f"{entry['path']} has mode {entry['mode']}, expected {wanted}; "
            f"fix: {fix or f'sudo chmod {wanted} {at(tree, entry)}'}",
        )
        for entry in seen
        if entry["mode"] != wanted
    ]


def wrong_owners(seen: Iterable[Entry], user: str, group: str, tree: str) -> list[Problem]:
    """Entries that belong to others."""
    return [
        Problem(
            "",
            f"{entry['path']} belongs to {entry['user']}:{entry['group']}, expected {user}:{group}; "
            f"fix: sudo chown -R {user}:{group} {tree}",
        )
        for entry in seen
        if (entry["user"], entry["group"]) != (user, group)
    ]


def writable_by_others(seen: Iterable[Entry], tree: str = "/") -> list[Problem]:
    """Entries that group or world may write. tree: what their paths are relative to."""
    return [
        Problem(
            "",
            f"{entry['path']} has mode {entry['mode']}: others may write it; "
            f"fix: sudo chmod go-w {at(tree, entry)}",
        )
        for entry in seen
        if entry["kind"] != "l" and int(entry["mode"], 8) & WRITABLE_BY_OTHERS
    ]


def special_bits(seen: Iterable[Entry], tree: str) -> list[Problem]:
    """Entries with setuid, setgid or sticky bit."""
    return [
        Problem(
            "",
            f"{entry['path']} has mode {entry['mode']} (setuid, setgid or sticky); "
            f"fix: sudo chmod u-s,g-s,-t {at(tree, entry)}",
        )
        for entry in seen
        if entry["kind"] != "l" and int(entry["mode"], 8) & SPECIAL_BITS
    ]


def without_account(seen: Iterable[Entry]) -> list[Problem]:
    """Entries whose owner or group has no name on the machine any more."""
    return [
        Problem(
            "",
            f"{entry['path']} belongs to {entry['user']}:{entry['group']}, which no account is; "
            "fix: remove it, or give it to its owner",
        )
        for entry in seen
        if str(entry["user"]).isdigit() or str(entry["group"]).isdigit()
    ]


def broken_or_escaping(seen: Iterable[Entry], tree: str) -> list[Problem]:
    """Links that lead nowhere, or out of the tree."""
    found = []
    for entry in seen:
        if entry["kind"] == "l" and entry.get("broken"):
            found.append(Problem("", f"{entry['path']} is a broken link to {entry['target']}; remove it"))
        elif entry["kind"] == "l" and entry.get("escapes"):
            found.append(Problem("", f"{entry['path']} leads out of {tree}, to {entry['target']}; remove it"))
    return found


def of_kind(seen: Iterable[Entry], kind: str) -> list[Entry]:
    """Entries of one kind (f, d, l, o)."""
    return [entry for entry in seen if entry["kind"] == kind]


def missing(seen: Iterable[Entry], host: Host) -> list[Problem]:
    """Declared directories that are not there, or are none. The fix makes them as they are to be."""
    there = {entry["path"] for entry in seen if entry["kind"] == "d"}
    made = f"sudo install -d -o {host.owner} -g {host.tree_group} -m {host.directory_mode}"
    return [
        Problem("", f"the directory {path} is missing; fix: {made} {host.tree}/{path}")
        for path in host.directories
        if path not in there
    ]


def below(path: str, prefixes: Iterable[str]) -> bool:
    """Whether a path is one of the prefixes or below one."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)
