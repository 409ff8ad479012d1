"""Everything that runs, and what belongs to a service's process."""

from __future__ import annotations

import os
import re

from gateway_acceptance.host.collect.base import Facts, Missing, first_line, user_name

INTERPRETER = re.compile(r"(python|bash|sh|dash|node|perl|ruby)[0-9.]*$")
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
CGROUP_LIMITS = {"memory": ("memory.max", "memory.limit_in_bytes"), "pids": ("pids.max", "pids.max")}
"""Controller -> the file of its limit in a unified hierarchy, and in one of its own."""


def copies(command: list[str], unit_name: str) -> list[Facts]:
    """[{pid, user, unit, comm}] of what runs the unit's program (and its subcommand, where it has one: a
    client may be the same file) outside the unit. Of command lines nothing leaves the machine."""
    found: list[Facts] = []
    wanted = identity(command)
    if not wanted or wanted[0] == "-c":
        return found
    for member in all_processes():
        if member["unit"] == unit_name:
            continue
        try:
            with open(f"/proc/{member['pid']}/cmdline", "rb") as file:
                words = file.read().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
        if identity(words)[: len(wanted)] == wanted:
            found.append({key: member[key] for key in ("pid", "user", "unit", "comm")})
    return found


def identity(words: list[str]) -> list[str]:
    """[program] or [program, subcommand] of a command line, as base names; the script or module where an
    interpreter stands first ("-c" where it runs a text)."""
    names = [os.path.basename(word) for word in words]
    if names and INTERPRETER.match(names[0]):
        rest = names[1:]
        while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c"):
            rest = rest[1:]
        names = rest[1:] if rest[:1] == ["-m"] else rest
    return names[:1] + [name for name in names[1:2] if not name.startswith("-")]


def cgroup_limits(pid: int) -> Facts:
    """{memory, pids: the limit as the kernel keeps it ("max" for none)} of the process's own group; what is
    not to be had, or not the process's own group (the root's), is left out."""
    found: Facts = {}
    for line in open_lines(f"/proc/{pid}/cgroup"):
        number, controllers, path = line.rstrip("\n").split(":", 2)
        for controller, (unified, own) in CGROUP_LIMITS.items():
            place = f"/sys/fs/cgroup{path}/{unified}" if number == "0" else ""
            if controller in controllers.split(","):
                place = f"/sys/fs/cgroup/{controllers}{path}/{own}"
            if place and path != "/" and first_line(place):
                found[controller] = first_line(place)
    return found


def cgroup_of(pid: int) -> str:
    """The path of a process's cgroup as systemd made it; "" where it is gone."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            rows = [line.strip().split(":", 2) for line in file]
    except OSError:
        return ""
    named = [row[2] for row in rows if row[1] == "name=systemd"]
    unified = [row[2] for row in rows if row[0] == "0"]
    return (named or unified or [""])[0]


def unit_of(cgroup: str) -> str:
    """The service or scope that a cgroup belongs to, or the cgroup itself."""
    units = [part for part in cgroup.split("/") if part.endswith((".service", ".scope"))]
    return units[0] if units else cgroup


def all_processes() -> list[Facts]:
    """[{pid, uid, user, comm, cgroup, unit}] of everything that runs. Raises Missing where /proc hides the
    processes of others (hidepid): what is not seen would count as not there."""
    if not first_line("/proc/1/comm"):
        raise Missing(
            "/proc hides others' processes (hidepid): add the suite's account to the group in its gid="
        )
    found: list[Facts] = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            uid = os.stat(f"/proc/{name}").st_uid
            comm = first_line(f"/proc/{name}/comm")
            group = cgroup_of(int(name))
            found.append(
                {
                    "pid": int(name),
                    "user": user_name(uid),
                    "comm": comm,
                    "cgroup": group,
                    "unit": unit_of(group),
                }
            )
        except OSError:
            continue
    return found


def usage(group: str) -> Facts:
    """{rss_kb, cpu_s, at_s: seconds since boot} of all processes of a cgroup together; one that ends
    meanwhile counts no more."""
    pages, ticks = 0, 0
    for member in all_processes():
        if member["cgroup"] == group:
            try:
                pages += int(first_line(f"/proc/{member['pid']}/statm").split()[1])
                fields = first_line(f"/proc/{member['pid']}/stat").rsplit(")", 1)[1].split()
                ticks += int(fields[11]) + int(fields[12])
            except (OSError, IndexError, ValueError):
                continue
    at = float(first_line("/proc/uptime").split()[0])
    return {"rss_kb": pages * PAGE // 1024, "cpu_s": ticks / TICKS, "at_s": at}


def open_lines(path: str) -> list[str]:
    """The lines of a file, none where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readlines()
    except OSError:
        return []
