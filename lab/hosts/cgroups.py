"""The lab's own cgroups: made beside those that are there, and removed again. Others are never touched."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

PREFIX = "gateway-acceptance-"
EMPTY_BUDGET_S = 15
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """roots: where this machine mounts its cgroups; kind: ``v1``, ``hybrid`` or ``v2``."""

    roots: tuple[Path, ...]
    kind: str


def hierarchies(mounts: str) -> Hierarchies:
    """From the text of /proc/self/mounts."""
    rows = [line.split() for line in mounts.splitlines()]
    found = [(Path(row[1]), row[2]) for row in rows if row[2] in ("cgroup", "cgroup2")]
    old = [path for path, kind in found if kind == "cgroup"]
    new = [path for path, kind in found if kind == "cgroup2"]
    kind = "v2" if not old else "hybrid" if new else "v1"
    return Hierarchies((*old, *new), kind)


def make(found: Hierarchies, lab: str, hosts: Sequence[str]) -> dict[str, list[str]]:
    """One cgroup per host and hierarchy; returns their paths by host. A hierarchy that this machine does not
    let be used (read-only mounts) is left out."""
    made: dict[str, list[str]] = {}
    for host in hosts:
        made[host] = []
        for root in found.roots:
            place = root / lab / host
            try:
                place.mkdir(parents=True)
                for folder in (place.parent, place):
                    for name in ("cpuset.cpus", "cpuset.mems"):
                        if (folder / name).exists() and not _read(folder / name).strip():
                            (folder / name).write_text(_read(folder.parent / name).strip())
            except OSError:
                continue
            made[host].append(str(place))
    return made


def remove(roots: Sequence[Path], lab: str) -> list[str]:
    """Remove the lab's cgroups when their last process is gone; returns those left after the budget."""
    assert lab.startswith(PREFIX)
    left = [root / lab for root in roots]
    end = time.monotonic() + EMPTY_BUDGET_S
    while True:
        for top in left:
            _remove_empty(top)
        left = [top for top in left if top.exists()]
        if not left or time.monotonic() > end:
            return [str(top) for top in left]
        time.sleep(POLL_S)


def sweep(roots: Sequence[Path]) -> None:
    """Remove what a lab left that was killed together with its janitor: cgroups without processes."""
    for top in (path for root in roots for path in root.glob(f"{PREFIX}*")):
        pid = top.name.removeprefix(PREFIX)
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            _remove_empty(top)


def start_janitor(found: Hierarchies, lab: str) -> None:
    """A small process that outlives this one for a moment, and removes the cgroups also after ``kill -9``."""
    roots = [str(root) for root in found.roots]
    subprocess.Popen(
        [sys.executable, "-m", "lab.hosts.cgroups", str(os.getpid()), lab, *roots],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )


def main() -> None:
    """``python -m lab.hosts.cgroups PID LAB ROOT...``: wait for the process's end, then remove."""
    pid, lab, roots = int(sys.argv[1]), sys.argv[2], [Path(root) for root in sys.argv[3:]]
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        select.select([descriptor], [], [])
    remove(roots, lab)


def _remove_empty(top: Path) -> None:
    for folder, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


if __name__ == "__main__":
    main()
