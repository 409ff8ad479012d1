"""What must hold of disk, memory, open files and the journal: facts in, problems out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway_acceptance.environment.host import Host, Machine
from gateway_acceptance.problem import Problem
from suites.host.deployment.extract import Facts
from suites.host.user.facts import differs, started_argv

MEBIBYTE = 1 << 20
FREE_INODES = 1000
"""Fewer, and the next deployment fails with "no space left" on a disk that has space."""
OPEN_FILES_SHARE = 0.8
"""Of the soft limit: beyond it the next burst of connections is refused."""
SHORTEST_SPAN_S = 3600.0
"""A service's first lines all come at once: growth is judged over an hour at least, unless the look's own
limit of lines was reached in less."""
DAY_S = 86400.0


def little_disk(resources: Facts, machine: Machine) -> list[Problem]:
    """Every disk that matters has the declared space left, and room for files."""
    problems = []
    for path, disk in resources["disks"].items():
        if disk["free_mb"] < machine.free_disk_mb:
            has, expected = f"{disk['free_mb']} MiB free", f"{machine.free_disk_mb} MiB"
            problems.append(
                differs(
                    path,
                    has,
                    expected,
                    f"clean up; what is largest: sudo du -xh {path} | sort -h | tail -n 20",
                )
            )
        if disk["inodes"] and disk["free_inodes"] < FREE_INODES:
            has = f"{disk['free_inodes']} inodes free"
            problems.append(
                differs(
                    path,
                    has,
                    f"{FREE_INODES}",
                    f"clean up; where most are: sudo du --inodes -x {path} | sort -n | tail",
                )
            )
    return problems


def little_memory(resources: Facts, machine: Machine) -> list[Problem]:
    """The declared memory is left for programs, by the kernel's own estimate."""
    has = resources["memory"].get("MemAvailable", 0)
    if has >= machine.free_memory_mb:
        return []
    return [
        differs(
            "memory",
            f"{has} MiB available",
            f"{machine.free_memory_mb} MiB",
            "end what takes it, or give it more; the largest: ps aux --sort=-rss | head",
        )
    ]


def many_open_files(open_files: int, limits: Mapping[str, Sequence[str]], unit: str) -> list[Problem]:
    """The process is far from its soft limit of open files."""
    soft = limits.get("Max open files", ["unlimited"])[0]
    if soft == "unlimited" or open_files <= OPEN_FILES_SHARE * int(soft):
        return []
    expected = f"at most {OPEN_FILES_SHARE:.0%} of its limit of {soft}"
    return [
        differs(
            f"open files of {unit}", open_files, expected, f"LimitNOFILE=65536 in {unit}, then restart it"
        )
    ]


def large_tree(tree: Facts, host: Host) -> list[Problem]:
    """The structure without the virtual environment takes no more disk than declared."""
    files = sorted((e for e in tree["entries"] if e["kind"] == "f"), key=lambda e: -int(e["size"]))[:3]
    largest = ", ".join(f"{entry['path']} {entry['size']}" for entry in files)
    return too_large(host.tree, tree["bytes"], host.tree_mb, f"clean up; the largest: {largest}")


def large_environment(tree: Facts, host: Host) -> list[Problem]:
    """All of the tree, with the virtual environment, takes no more disk than declared."""
    used = tree["bytes"] + tree["environment"]["bytes"]
    fix = f"clean up; what is largest: sudo du -xh {host.tree} | sort -h | tail -n 20"
    return too_large(f"{host.tree} with its virtual environment", used, host.environment_mb, fix)


def too_large(what: str, used: int, bound_mb: int | None, fix: str) -> list[Problem]:
    """Bytes against a bound in MiB."""
    if bound_mb is None or used <= bound_mb * MEBIBYTE:
        return []
    return [differs(what, f"{used / MEBIBYTE:.1f} MiB", f"at most {bound_mb} MiB", fix)]


def outside(unit: Facts, host: Host) -> list[Problem]:
    """The program, its configuration and its working directory are below the tree."""
    argv = started_argv(unit)
    named = [word.partition("=")[2] or word for word in argv[:1] + [w for w in argv if "=" in w]]
    named += [argv[place + 1] for place, word in enumerate(argv[:-1]) if word in ("--config", "-c")]
    named += [unit["properties"].get("WorkingDirectory", "")]
    return [
        differs(f"the unit names {path or 'no working directory'}", "a path outside", f"below {host.tree}",
              f"correct {host.unit}, then sudo systemctl daemon-reload and restart")
        for path in dict.fromkeys(named)
        if path != host.tree and not path.startswith(host.tree + "/")
    ]  # fmt: skip


def unbounded_journal(resources: Facts) -> list[Problem]:
    """journald keeps lines, and only as many as somebody decided."""
    settings = resources["journald"]
    fix = "SystemMaxUse=200M in /etc/systemd/journald.conf.d/size.conf; restart systemd-journald"
    if settings.get("Storage") == "none":
        return [
            differs("journald's Storage", "none", "lines that are kept", "Storage=auto; restart journald")
        ]
    if any(settings.get(name) for name in ("SystemMaxUse", "RuntimeMaxUse", "SystemKeepFree")):
        return []
    return [differs("the journal", "no bound but 10 % of the disk", "SystemMaxUse", fix)]


def fast_journal(journal: Facts, now: float, machine: Machine) -> list[Problem]:
    """The unit's journal grows no faster than declared. now: by the machine's clock."""
    if not journal["lines"] or machine.log_mb_per_day is None:
        return []
    span = now - journal["first"]
    span = max(span, 1.0) if journal["cut"] else max(span, SHORTEST_SPAN_S)
    grown = journal["bytes"] / MEBIBYTE * DAY_S / span
    if grown <= machine.log_mb_per_day:
        return []
    has = f"{grown:.0f} MiB a day ({journal['lines']} lines in {span:.0f} s)"
    fix = f"quieten what writes most: journalctl -u {machine.unit} -n 200"
    return [differs(f"the journal of {machine.unit}", has, f"at most {machine.log_mb_per_day} MiB", fix)]


def secrets_in_journal(journal: Mapping[str, Any], machine: Machine) -> list[Problem]:
    """No line gives a secret away."""
    fix = "change the secret, and quieten what wrote it; then journalctl --rotate --vacuum-time=1s"
    return [
        differs(f"the journal of {machine.unit}: {line}", "a secret", "none", fix)
        for line in journal["secrets"]
    ]
