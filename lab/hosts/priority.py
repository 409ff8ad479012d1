"""A host before others: what it wants of a busy machine's processors, it gets.

The kernel divides processors among cgroups: on a machine on which twelve processes run, a lab gets the
thirteenth part, however many of its threads go round in circles.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from lab.hosts.cgroups import PREFIX, hierarchies

FIRST = {"cpu.shares": "102400", "cpu.weight": "10000"}
"""A hundred times what a group has by itself, with cgroups of version 1 and 2."""


@contextlib.contextmanager
def preferred(pid: int) -> Iterator[None]:
    """Until it ends, the lab of this process (as this machine counts pids) has its processors first. Where
    the machine does not let that be said, nothing is changed."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    groups = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
    before: dict[Path, str] = {}
    try:
        for file in weights(groups, hierarchies(mounts).roots):
            with contextlib.suppress(OSError):
                was = file.read_text(encoding="ascii")
                file.write_text(FIRST[file.name], encoding="ascii")
                before[file] = was
        yield
    finally:
        for file, was in before.items():
            with contextlib.suppress(OSError):  # the lab has ended meanwhile
                file.write_text(was, encoding="ascii")


def weights(groups: str, roots: Sequence[Path]) -> list[Path]:
    """Where the weights of a process's lab and host stand. groups: the text of /proc/PID/cgroup; roots: where
    this machine mounts its cgroups. None where the process is in no group of a lab's."""
    found = []
    for line in groups.splitlines():
        _, controllers, place = line.split(":", 2)
        _, lab, *below = Path(place).parts if place != "/" else ("/", "")
        if not lab.startswith(PREFIX):
            continue
        for root in roots:
            for folder in (root / lab, *(root / lab / name for name in below[:1])):
                wanted = "cpu.shares" if "cpu" in controllers.split(",") else "cpu.weight"
                if (folder / wanted).is_file() and (controllers == "" or "cpu" in root.name.split(",")):
                    found.append(folder / wanted)
    return found
