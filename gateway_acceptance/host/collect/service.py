"""The unit as systemd knows it, its process as the kernel knows it, and its account."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import re

from gateway_acceptance.host.collect.base import (
    SECRET_NAME,
    Facts,
    Missing,
    Request,
    entry,
    group_name,
    hidden,
    masked,
    masked_text,
    output,
    privileged,
    run,
)
from gateway_acceptance.host.collect.processes import (
    TICKS,
    all_processes,
    cgroup_limits,
    cgroup_of,
    copies,
    open_lines,
    usage,
)

NAMESPACES = ("mnt", "user", "pid", "net", "ipc", "uts", "cgroup")
DEPENDENCIES = frozenset(
    "After Before Requires RequiredBy Wants WantedBy BindsTo Conflicts RequiresMountsFor".split()
)
MOST_MEMBERS = 64
NAME = "([A-Za-z_][A-Za-z0-9_]*)="
NOT_EXECUTABLE = re.compile(r"Command (\S+) is not executable")
"""What systemd-analyze says of a program that execve would refuse."""
ASSIGNMENT = re.compile(rf"""\"{NAME}[^\"]*\"|'{NAME}[^']*'|{NAME}\S*""")


def of_what_is_hidden(line: str) -> bool:
    """Whether a line of ``systemd-analyze verify`` is about a program that this account cannot see."""
    named = NOT_EXECUTABLE.search(line)
    return named is not None and bool(hidden(named[1]))


def unit(request: Request) -> Facts:
    """{exists, properties, enabled, files [{path, text, sha256, entry}] (fragment first, then drop-ins),
    verify [lines], verify_unseen [lines about programs that this account cannot see], exposure (0 to 10),
    directives [{name, set, exposure}], call_groups}. Values of the unit's own environment are masked where
    the name says that they are secret; lines that end in a backslash are joined. call_groups:
    {"@name": [system calls and groups]}, where the unit filters calls."""
    name = request["unit"]
    shown = output(["systemctl", "show", "--no-pager", name])
    properties = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    if "Environment" in properties:
        properties["Environment"] = hide(properties["Environment"])
    found: Facts = {
        "exists": properties.get("LoadState") == "loaded",
        "properties": {key: masked(in_order(key, value)) for key, value in properties.items()},
        "enabled": run(["systemctl", "is-enabled", name])[1].strip(),
        "files": [],
        "verify": [],
        "verify_unseen": [],
        "exposure": None,
        "directives": [],
        "call_groups": {},
    }
    if not found["exists"]:
        return found
    for path in [properties.get("FragmentPath", ""), *properties.get("DropInPaths", "").split()]:
        if path:
            found["files"].append(unit_file(path))
    code, _, errors = run(["systemd-analyze", "verify", "--no-pager", "--man=no", name])
    said = [line for line in errors.splitlines() if name in line][:20]
    found["verify_unseen"] = [line for line in said if of_what_is_hidden(line)]
    found["verify"] = [line for line in said if line not in found["verify_unseen"]]
    found["verify_code"] = code
    found.update(security(name))
    if properties.get("SystemCallFilter"):
        found["call_groups"] = call_groups(run(["systemd-analyze", "syscall-filter", "--no-pager"])[1])
    return found


def in_order(name: str, value: str) -> str:
    """A property's value; the words of dependencies sorted: systemd gives them in another order at each reload."""
    return " ".join(sorted(value.split())) if name in DEPENDENCIES else value


def call_groups(text: str) -> dict[str, list[str]]:
    """What this machine's systemd means by ``@system-service`` and the like, from its own list."""
    found: dict[str, list[str]] = {}
    members: list[str] = []
    for line in text.splitlines():
        if line.startswith("@"):
            members = found.setdefault(line.strip(), [])
        elif line.startswith(" ") and not line.lstrip().startswith("#"):
            members.append(line.strip())
    found.pop("@known", None)
    return found


def unit_file(path: str) -> Facts:
    """One file that systemd read for the unit, masked; readable: whether this account may read it."""
    document: Facts = {"path": path, "text": "", "sha256": "", "entry": None, "readable": False}
    try:
        document["entry"] = entry(path)
        with open(path, "rb") as file:
            document["sha256"] = "sha256:" + hashlib.sha256(file.read()).hexdigest()
        lines = masked_text(path).replace("\\\n", " ").splitlines()
        document["text"] = "\n".join(line_without_secrets(line) for line in lines)
        document["readable"] = True
    except OSError as error:
        document["error"] = error.strerror
    return document


def line_without_secrets(line: str) -> str:
    """A unit file's line without secrets. systemd passes over blanks before a name and around its ``=``."""
    name, equals, value = line.partition("=")
    name, value = name.strip(), value.strip()
    if equals and name == "Environment":
        return hide(f"Environment={value}")
    if equals and name == "SetCredential" and ":" in value:
        return f"SetCredential={value.partition(':')[0]}:<hidden>"
    return line


def hide(text: str) -> str:
    """Assignments without their values where the name tells of a secret: of ``Environment=A=1 "B=2 3"``, or
    of what systemd shows for it."""

    def hidden(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[3]
        quote = found[0][0] if found[0][0] in "\"'" else ""
        return f"{quote}{name}=<hidden>{quote}" if SECRET_NAME.search(name) else found[0]

    head, body = ("Environment=", text[12:]) if text.startswith("Environment=") else ("", text)
    return head + ASSIGNMENT.sub(hidden, body)


def security(name: str) -> Facts:
    """What ``systemd-analyze security`` says: the exposure from its text, the directives from its JSON."""
    found: Facts = {"exposure": None, "directives": []}
    try:
        text = run(["systemd-analyze", "security", "--no-pager", name])[1]
        overall = re.search(r"Overall exposure level for \S+: ([0-9.]+)", text)
        found["exposure"] = float(overall[1]) if overall else None
        lines = json.loads(
            run(["systemd-analyze", "security", "--no-pager", "--json=short", name])[1] or "[]"
        )
        found["directives"] = [
            {"name": line.get("name"), "set": line.get("set"), "exposure": line.get("exposure")}
            for line in lines
            if line.get("set") is not True
        ]
    except (Missing, ValueError):
        pass
    return found


def process(request: Request) -> Facts:
    """{pid, started, cmdline, status, first_filters, group, groups [names], limits, cgroup, cgroup_limits,
    members [{pid, user, comm}], usage, copies, links, mounts [{point, options, kind, source, super}], descriptors,
    open_files}; pid 0 and copies where no process runs. What needs root and was refused stands in ``missing``
    {field: {why, needs}}."""
    shown = output(["systemctl", "show", "-p", "MainPID", "-p", "ExecStart", request["unit"]])
    main = re.search(r"^MainPID=(\d+)$", shown, re.MULTILINE)
    started = re.search(r"^ExecStart=.*?argv\[\]=(.*?) ; ", shown, re.MULTILINE)
    command = started[1].split() if started else []
    pid = int(main[1]) if main else 0
    if not pid:
        return {"pid": 0, "copies": copies(command, request["unit"])}
    root = f"/proc/{pid}"
    try:
        with open(f"{root}/status", encoding="utf-8", errors="replace") as file:
            status = dict(line.rstrip("\n").split(":", 1) for line in file if ":" in line)
        with open(f"{root}/cmdline", "rb") as file:
            words = file.read().decode("utf-8", "replace").split("\0")
        with open(f"{root}/stat", encoding="utf-8", errors="replace") as file:
            ticks = int(file.read().rsplit(")", 1)[1].split()[19])
        limits = read_limits(f"{root}/limits")
    except (OSError, IndexError, ValueError) as error:
        raise Missing(f"/proc/{pid} cannot be read: {error}") from None
    boot = next(
        int(line.split()[1]) for line in open("/proc/stat", encoding="ascii") if line.startswith("btime")
    )
    group = cgroup_of(pid)
    document: Facts = {
        "pid": pid,
        "started": boot + ticks / TICKS,
        "cmdline": [masked(word) for word in words if word],
        "status": {key: value.strip() for key, value in status.items()},
        "first_filters": filters_of_the_first(),
        "group": group_name(int(status["Gid"].split()[1])),
        "groups": [group_name(int(number)) for number in status.get("Groups", "").split()],
        "limits": limits,
        "cgroup": group,
        "cgroup_limits": cgroup_limits(pid),
        "copies": copies(command, request["unit"]),
        "members": [member for member in all_processes() if member["cgroup"] == group],
        "usage": usage(group),
        "missing": {},
    }
    readers = (("links", links), ("mounts", mounts), ("descriptors", descriptors), ("open_files", open_files))
    for field, read in readers:
        try:
            document[field] = read(request, pid)
        except Missing as missing:
            document["missing"][field] = {"why": missing.why, "needs": missing.needs}
    return document


def filters_of_the_first() -> int:
    """How many filters of system calls pid 1 has, and so everything after it (in a container); 0 for none."""
    found = [line.split()[1] for line in open_lines("/proc/1/status") if line.startswith("Seccomp_filters:")]
    return int(found[0]) if found else 0


def read_limits(path: str) -> dict[str, list[str]]:
    """{name: [soft, hard]} of /proc/PID/limits; "unlimited" stays a word."""
    with open(path, encoding="ascii", errors="replace") as file:
        rows = [re.split(r"\s{2,}", line.strip()) for line in file.readlines()[1:]]
    return {row[0]: row[1:3] for row in rows if len(row) >= 3}


def links(request: Request, pid: int) -> Facts:
    """{exe, cwd, root, ns/mnt ...: target} of the process, and under ``init`` those of pid 1."""
    names = ["exe", "cwd", "root", *(f"ns/{name}" for name in NAMESPACES)]
    found: Facts = {"init": {}}
    for owner, of in ((pid, found), (1, found["init"])):
        for name in names:
            code, text, _ = privileged(request, "links", path=f"/proc/{owner}/{name}")
            if code == 0:
                of[name] = text.strip()
    return found


def mounts(request: Request, pid: int) -> list[Facts]:
    """[{point, options [str], kind, source, super [str]}] of the process's own view, from its mountinfo.
    source: the path within the file system; super: options of the file system itself."""
    code, text, errors = privileged(request, "mountinfo", path=f"/proc/{pid}/mountinfo")
    if code != 0:
        raise Missing(f"mountinfo cannot be read: {errors.strip()[:200]}")
    found: list[Facts] = []
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        words = left.split()
        if len(words) >= 6:
            after = [*right.split(), "", "", ""]
            found.append(
                {
                    "point": words[4],
                    "options": words[5].split(","),
                    "kind": after[0],
                    "source": words[3],
                    "super": after[2].split(","),
                }
            )
    return found


def descriptors(request: Request, pid: int) -> int:
    """How many files the process has open."""
    code, text, errors = privileged(request, "descriptors", path=f"/proc/{pid}/fd")
    if code != 0:
        raise Missing(f"open files cannot be counted: {errors.strip()[:200]}")
    return len(text.split())


def open_files(request: Request, pid: int) -> int:
    """How many files the process has open together with its first ``MOST_MEMBERS`` fellows: workers of a
    gateway, runners of a backend. One that ends meanwhile has none."""
    group, found = cgroup_of(pid), 0
    fellows = [member["pid"] for member in all_processes() if member["cgroup"] == group]
    for one in sorted(fellows)[:MOST_MEMBERS]:
        try:
            found += descriptors(request, one)
        except Missing:
            if os.path.exists(f"/proc/{one}"):
                raise
    return found


def account(request: Request) -> Facts:
    """{entry {name, uid, gid, home, shell} or None, primary, groups, members, password, sudo, home,
    keys [paths], processes, sys_uid_max}. password: "locked" or "none" or "set"; sudo: the rules' lines."""
    name = request["user"]
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return {"entry": None}
    groups = [group_name(gid) for gid in os.getgrouplist(name, found.pw_gid)]
    limit = [line.split()[1] for line in open_lines("/etc/login.defs") if line.startswith("SYS_UID_MAX")]
    document: Facts = {
        "entry": {
            "name": name,
            "uid": found.pw_uid,
            "gid": found.pw_gid,
            "home": found.pw_dir,
            "shell": found.pw_shell,
        },
        "primary": group_name(found.pw_gid),
        "groups": sorted(groups),
        "sys_uid_max": int(limit[0]) if limit else 999,
        "missing": {},
    }
    readers = (
        ("password", password),
        ("sudo", sudo_rules),
        ("keys", authorized_keys),
        ("processes", processes_of),
    )
    for field, read in readers:
        try:
            document[field] = read(request, found)
        except Missing as missing:
            document["missing"][field] = {"why": missing.why, "needs": missing.needs}
    return document


def password(request: Request, found: pwd.struct_passwd) -> str:
    """ "locked", "none" (anybody gets in) or "set", from the shadow entry; the hash stays where it is."""
    code, text, errors = privileged(request, "password")
    if code != 0:
        raise Missing(f"no shadow entry of {found.pw_name}: {errors.strip()[:200]}")
    field = [*text.split(":"), ""][1]
    return "none" if not field else "locked" if field[0] in "!*" else "set"


def processes_of(request: Request, found: pwd.struct_passwd) -> list[Facts]:
    """Everything that runs as the account, as ``all_processes`` gives it."""
    return [member for member in all_processes() if member["user"] == found.pw_name]


def sudo_rules(request: Request, found: pwd.struct_passwd) -> list[str]:
    """The lines that ``sudo -l -U`` gives for the account, [] where it may run nothing."""
    code, text, errors = privileged(request, "sudo")
    if "not allowed to run sudo" in text + errors:
        return []
    if code != 0:
        raise Missing(f"sudo does not tell of {found.pw_name}: {errors.strip()[:200]}")
    lines = [line.strip() for line in text.splitlines()]
    start = next((n for n, line in enumerate(lines) if "may run the following" in line), len(lines))
    return [masked(line) for line in lines[start + 1 :] if line]


def authorized_keys(request: Request, found: pwd.struct_passwd) -> list[str]:
    """The authorized_keys files of the account that are there."""
    paths = [f"{found.pw_dir.rstrip('/')}/.ssh/{name}" for name in ("authorized_keys", "authorized_keys2")]
    there = []
    for path in paths:
        try:
            os.stat(path)
            there.append(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError:
            if privileged(request, "keys", path=path)[0] == 0:
                there.append(path)
    return there
