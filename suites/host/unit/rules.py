"""What must hold of a service's unit: facts in, problems out."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from gateway_acceptance.environment.host import Host, Machine
from gateway_acceptance.host.collect.service import NOT_EXECUTABLE
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import Inconclusive, Untestable
from suites.host.unit.directives import LISTS, same
from suites.host.user.facts import (
    Assignment,
    Facts,
    again,
    assignments,
    differs,
    last,
    merged,
    started_argv,
)

DROP_INS, SET_PROPERTY = ".d/", "/etc/systemd/system.control/"
"""Where drop-ins lie: beside a unit in a folder of its name, those of ``systemctl set-property`` apart."""
CLOCK_GRAIN_S = 2.0
"""A process's start is known to the kernel from a boot time in whole seconds."""
AFTER_A_CRASH = ("on-failure", "always")
"""Policies that bring back a process that exits with an error; the others wait for signals alone."""
ENABLED = ("enabled", "alias")
PULLED = ("static", "indirect", "linked", "generated")
"""States without an [Install] section in force: such a unit comes back only where another one pulls it in."""
PULLERS = ("WantedBy", "RequiredBy", "UpheldBy", "BoundBy", "TriggeredBy")
NETWORK = "network-online.target"
GUARDED = (
    "User",
    "Group",
    "SupplementaryGroups",
    "DynamicUser",
    "ExecStart",
    "WorkingDirectory",
    "RootDirectory",
)
"""What a drop-in must not turn into something else, beside the sandbox."""
SANDBOX = (
    "Protect",
    "Private",
    "Restrict",
    "NoNew",
    "Capability",
    "Ambient",
    "SystemCall",
    "LockPers",
    "MemoryDeny",
)


def not_installed(unit: Facts, name: str) -> list[Problem]:
    """The unit is loaded, from a place that outlives the next boot."""
    shown = unit["properties"]
    if not unit["exists"]:
        has = shown.get("LoadState", "nothing")
        return [differs(name, f"LoadState {has}", "loaded", fix_of_load(has, str(unit["enabled"]), name))]
    path = shown.get("FragmentPath", "")
    if not path.startswith(("/etc/", "/usr/lib/", "/lib/", "/usr/local/lib/")):
        return [differs(name, path or "no file", "a file that outlives a boot", "deploy again")]
    return []


def fix_of_load(state: str, enabled: str, name: str) -> str:
    """What to do about a unit that is not loaded. state: systemd's LoadState; enabled: its UnitFileState."""
    if state == "masked":
        return f"sudo systemctl unmask{' --runtime' if enabled == 'masked-runtime' else ''} {name}"
    if state in ("error", "bad-setting"):
        return f"correct what systemd says of its file (systemctl status {name}), then: {again(name)}"
    return "put the unit's file back, or deploy again; then: sudo systemctl daemon-reload"


def not_active(unit: Facts, name: str) -> list[Problem]:
    """systemd says that it runs, now."""
    shown = unit["properties"]
    has = f"{shown.get('ActiveState')} ({shown.get('SubState')}, {shown.get('Result')})"
    if has.startswith("active (running,"):
        return []
    return [
        differs(name, has, "active (running)", f"sudo systemctl restart {name}; journalctl -u {name} -n 50")
    ]


def not_enabled(unit: Facts, name: str) -> list[Problem]:
    """It comes back after a boot."""
    has = unit["enabled"] or "nothing"
    if has in ENABLED:
        return []
    if has in PULLED:
        if any(unit["properties"].get(key) for key in PULLERS):
            return []
        fix = f"add [Install] with WantedBy=multi-user.target to {name}, then: sudo systemctl enable {name}"
        return [differs(name, f"{has}, and no unit starts it", "enabled", fix)]
    return [differs(name, has, "enabled", f"sudo systemctl enable {name}")]


def not_stable(unit: Facts, process: Facts, now: float, window_s: float, name: str) -> list[Problem]:
    """The same process over the whole window. now: by the machine's clock, at the end of the look. Raises
    Inconclusive for a process that was started on purpose, too short a time ago; Untestable where there is
    none, and nothing says that it ended by itself."""
    shown = unit["properties"]
    fix = f"find out why it ended (journalctl -u {name} -n 200), and correct that"
    problems = []
    pid, restarts = shown.get("MainPID", "0"), int(shown.get("NRestarts", "0") or 0)
    if pid != str(process["pid"]):
        problems.append(differs(f"{name}: the main process during the look", f"{pid}, then {process['pid']}",
                                "one", fix))  # fmt: skip
    if shown.get("Result", "success") != "success":
        problems.append(differs(f"{name}: its last result", shown["Result"], "success", fix))
    within = f"none within {window_s:.0f} s"
    if not process["pid"]:
        if restarts and shown.get("ActiveState") == "activating":
            has = f"{restarts} automatic restarts, and another one under way"
            problems.append(differs(name, has, within, fix))
        if problems:
            return problems
        raise Untestable(
            f"{name} has no process (see HOST-UNIT-002)", f"look there at: systemctl status {name}"
        )
    age = now - float(process.get("started", now))
    if age < window_s and restarts:
        has = f"{restarts} automatic restarts, the last {age:.0f} s ago"
        problems.append(differs(name, has, within, fix))
    if not problems and age < window_s:
        raise Inconclusive(
            f"{name} was started {age:.0f} s ago and has not restarted since; ask again when it has run for "
            f"{window_s:.0f} s"
        )
    return problems


def not_valid(unit: Facts, name: str) -> list[Problem]:
    """``systemd-analyze verify`` says nothing against the unit; what it cannot read it does not apply."""
    return [
        differs(name, repr(line), "nothing said by systemd-analyze verify", fix_of_verify(line))
        for line in unit["verify"]
    ]


def fix_of_verify(line: str) -> str:
    """What to do about a line of ``systemd-analyze verify``. A program that cannot be executed may have the
    right mode on a file system that allows none."""
    found = NOT_EXECUTABLE.search(line)
    if found is None:
        return "correct the line"
    program = found[1]
    return (
        f"look at its file system first: findmnt -no TARGET,OPTIONS -T {program}; where that says noexec, "
        f"take it out of /etc/fstab and: sudo mount -o remount,exec TARGET; else: sudo chmod 755 {program}"
    )


def not_reloaded(unit: Facts, name: str) -> list[Problem]:
    """systemd has read the files as they are now."""
    if unit["properties"].get("NeedDaemonReload") != "yes":
        return []
    paths = ", ".join(file["path"] for file in unit["files"])
    fix = (
        f"see what is new: systemctl cat {name}; a drop-in that nobody declared is removed first, or this "
        f"puts it in force: {again(name)}"
    )
    return [
        differs(
            f"{name}, edited and not reloaded", f"another content of {paths} than is loaded", "the same", fix
        )
    ]


def not_restarted(entries: Iterable[Mapping[str, Any]], started: float, name: str) -> list[Problem]:
    """Nothing that the process read when it started was changed since. entries: of those files."""
    return [
        differs(
            f"{entry['path']}, changed and not restarted",
            f"a change {entry['mtime'] - started:.0f} s after the process's start",
            "none",
            fix_of_change(str(entry["path"]), name),
        )
        for entry in entries
        if entry["mtime"] > started + CLOCK_GRAIN_S
    ]


def fix_of_change(path: str, name: str) -> str:
    """What to do about a file that changed after the start. A drop-in is in force at once or after a restart:
    to restart would hide one that nobody declared, so its removal stands beside it."""
    if PurePosixPath(path).name == name:
        back = "where it is not meant, put the file back"
        return f"see what is new (systemctl cat {name}); {back}; then: {again(name)}"
    if DROP_INS not in path:
        return f"sudo systemctl restart {name}"
    undo = f"sudo rm {path} && {again(name)}"
    if path.startswith(SET_PROPERTY):
        undo = f"sudo systemctl revert {name} && sudo systemctl restart {name}"
    keep = f"sudo systemctl restart {name}"
    return f"decide whether it is meant: systemctl cat {name}; if not: {undo}; if so: {keep}"


def other_command(unit: Facts, host: Host) -> list[Problem]:
    """ExecStart is of the declared virtual environment and names the declared configuration."""
    argv = started_argv(unit)
    if not argv:
        return [differs(f"{host.unit}: ExecStart", "nothing", "the gateway's program", "deploy again")]
    problems = []
    if host.virtual_environment is not None:
        place = f"{host.tree}/{host.virtual_environment}/bin/"
        if not argv[0].startswith(place):
            problems.append(
                differs(f"{host.unit}: ExecStart's program", argv[0], f"one of {place}", "deploy again")
            )
    if host.configuration is not None:
        wanted = f"{host.tree}/{host.configuration}"
        base = unit["properties"].get("WorkingDirectory", "/").lstrip("!-")
        words = [
            word.partition("=")[2] if word.startswith("--") and "=" in word else word for word in argv[1:]
        ]
        if wanted not in [str(PurePosixPath(base) / word) for word in words]:
            problems.append(
                differs(
                    f"{host.unit}: ExecStart",
                    " ".join(argv[1:]),
                    f"the configuration {wanted}",
                    "deploy again",
                )
            )
    return problems


def other_directory(unit: Facts, host: Host) -> list[Problem]:
    """WorkingDirectory is the declared one."""
    wanted = f"{host.tree}/{host.working_directory}"
    has = unit["properties"].get("WorkingDirectory", "") or "none"
    fix = f"set WorkingDirectory={wanted}, then: {again(host.unit)}"
    return [] if has == wanted else [differs(f"{host.unit}: WorkingDirectory", has, wanted, fix)]


def other_account(unit: Facts, declared: Machine) -> list[Problem]:
    """User and Group of the unit are the declared ones; no Group means the user's own primary group."""
    shown = unit["properties"]
    account = f"User={declared.user}\\nGroup={declared.own_group}"
    edit = f"sudo sed -i -e '/^User=/d' -e '/^Group=/d' -e '/^\\[Service\\]/a {account}'"
    own = f"{edit} {shown.get('FragmentPath') or declared.unit} && {again(declared.unit)}"

    def fix(name: str) -> str:
        place = set_in_a_drop_in(unit, name)
        return f"sudo rm {shlex.quote(place)} && {again(declared.unit)}" if place else own

    problems = []
    if shown.get("User", "") != declared.user:
        has = shown.get("User") or "no User (root)"
        problems.append(differs(f"{declared.unit}: User", has, declared.user, fix("User")))
    if shown.get("Group", "") not in ("", declared.own_group):
        problems.append(differs(f"{declared.unit}: Group", shown["Group"], declared.own_group, fix("Group")))
    return problems


def set_in_a_drop_in(unit: Facts, name: str) -> str:
    """The drop-in that says last what a directive is; empty where the unit's own file does, or where a file
    may not be read."""
    files = unit.get("files", ())
    if not files or not all(file["readable"] for file in files):
        return ""
    places = [line.path for line in assignments(unit) if line.name == name]
    return places[-1] if places and places[-1] != files[0]["path"] else ""


def no_return(unit: Facts, name: str) -> list[Problem]:
    """A process that exits with an error is started again."""
    has = unit["properties"].get("Restart", "no")
    fix = f"set Restart=on-failure in {name}, daemon-reload, restart"
    return [] if has in AFTER_A_CRASH else [differs(f"{name}: Restart", has, " or ".join(AFTER_A_CRASH), fix)]


def not_after_the_network(unit: Facts, name: str, *, pulls_it_in: bool) -> list[Problem]:
    """It starts when the network is there. pulls_it_in: it also asks for that target itself."""
    shown = unit["properties"]
    problems = []
    if NETWORK not in shown.get("After", "").split():
        problems.append(
            differs(f"{name}: After", "no network-online.target", NETWORK, f"add After={NETWORK}")
        )
    pulled = " ".join(shown.get(key, "") for key in ("Wants", "Requires", "BindsTo"))
    if pulls_it_in and NETWORK not in pulled.split():
        problems.append(
            differs(f"{name}: Wants", "no network-online.target", NETWORK, f"add Wants={NETWORK}")
        )
    return problems


def undone_by_drop_ins(unit: Facts, declared: Machine) -> list[Problem]:
    """No drop-in changes account, command or sandbox of the unit's own file; what it makes as declared is
    welcome."""
    own, everything = assignments(unit, [0]), assignments(unit)
    problems = []
    wanted = {**declared.hardening, "User": declared.user, "Group": declared.own_group}
    for name in sorted({line.name for line in assignments(unit, range(1, len(unit["files"])))}):
        if name not in GUARDED and name not in declared.hardening and not name.startswith(SANDBOX):
            continue
        value = merged if name in LISTS else last
        before, after = value(own, name), value(everything, name)
        if same(name, before, after) or (name in wanted and same(name, wanted[name], after)):
            continue
        path = [line.path for line in everything if line.name == name][-1]
        fix = f"sudo rm {path} && {again(declared.unit)}"
        problems.append(differs(f"{path}: {name}", repr(after), repr(wanted.get(name, before)), fix))
    return problems


def open_to_others(unit: Facts) -> list[Problem]:
    """The unit's files are root's, and nobody else may write them."""
    problems = []
    for file in unit["files"]:
        entry = file["entry"]
        if entry is None:
            continue
        if entry["user"] != "root":
            problems.append(
                differs(
                    file["path"], f"owner {entry['user']}", "root", f"sudo chown root:root {file['path']}"
                )
            )
        if entry["kind"] != "l" and int(entry["mode"], 8) & 0o022:
            problems.append(
                differs(file["path"], f"mode {entry['mode']}", "0644", f"sudo chmod 644 {file['path']}")
            )
    return problems


def secrets_in(unit: Facts, name: str) -> list[Problem]:
    """No secret stands in the unit: everybody may read it, and ``systemctl show`` tells it to everybody."""
    problems = []
    for line in assignments(unit):
        if "<hidden>" in line.value or "<secret of" in line.value:
            problems.append(
                differs(
                    f"{line.path}: {line.name}",
                    line.value,
                    "secrets in a file of EnvironmentFile= that is root's with mode 600",
                    f"move it there, change the secret, and restart {name}",
                )
            )
    return problems


def undeclared_files(unit: Facts, secrets: Collection[str], name: str) -> list[Problem]:
    """Files that systemd hands to the service (``EnvironmentFile``, ``LoadCredential``) and that are not
    among the declared ones. An empty value takes back those before it."""
    taken: dict[str, list[Assignment]] = {"EnvironmentFile": [], "LoadCredential": []}
    for line in assignments(unit):
        if line.name in taken:
            taken[line.name] = [*taken[line.name], line] if line.value else []
    problems = []
    for line in (each for lines in taken.values() for each in lines):
        path = line.value.partition(":")[2] if line.name == "LoadCredential" else line.value.removeprefix("-")
        if path not in secrets:
            problems.append(
                differs(
                    f"{line.path}: {line.name}",
                    path or line.value,
                    " or ".join(secrets),
                    f"declare it in host.secrets, or take it out: sudo systemctl edit --full {name}",
                )
            )
    return problems
