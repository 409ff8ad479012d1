"""What must hold of a service's process before load and after it: snapshots in, problems out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway_acceptance.environment.soak import Soak
from gateway_acceptance.problem import Problem
from suites.api.soak.hold import AFTER, AFTER_IDLE, BEFORE, BEFORE_IDLE, MIDDLE, Snapshots
from suites.host.user.facts import differs

KIBIBYTES = 1024
LATE = 0.25
"""Of what grew, the least part that the second of two equal halves of the load adds where growth goes on:
half of it, where each request leaves as much. Of what is made once (pools, caches, a model that a backend
loads) it adds next to nothing."""


def restarted(snapshots: Snapshots, unit: str) -> list[Problem]:
    """It is the same process: another one has forgotten what the first one held; 0 is none at all."""
    was, *then = [_of(snapshots, turn)["pid"] for turn in range(len(snapshots))]
    other = [now for now in then if now != was]
    expected = f"{was}, as before the load"
    return (
        [
            differs(
                f"the process of {unit}",
                other[-1],
                expected,
                f"find out why it ended: journalctl -u {unit} -n 100",
            )
        ]
        if other
        else []
    )


def grows(was: float, middle: float, now: float, most: float) -> bool:
    """By more than is declared, and in the second half of the load as well."""
    return now - was > most and now - middle > LATE * (now - was)


def more_memory(snapshots: Snapshots, soak: Soak, unit: str) -> list[Problem]:
    """Resident, of all processes of the service, where it grows on."""
    was, middle, now = (resident(snapshots, turn) for turn in (BEFORE_IDLE, MIDDLE, AFTER_IDLE))
    if not grows(was, middle, now, soak.memory_mb):
        return []
    has = (
        f"{now:.0f} MiB after load and {soak.failing} refused requests, "
        f"{middle:.0f} half-way, {was:.0f} before"
    )
    expected = f"at most {soak.memory_mb:g} MiB more (soak.memory_mb)"
    return [
        differs(f"resident memory of {unit}", has, expected, f"look for what keeps each request in {unit}")
    ]


def more_open_files(snapshots: Snapshots, soak: Soak, unit: str) -> list[Problem]:
    """Of all processes of the service, connections among them, where they grow on."""
    was, middle, now = (files(snapshots, turn) for turn in (BEFORE_IDLE, MIDDLE, AFTER_IDLE))
    if not grows(was, middle, now, soak.open_files):
        return []
    has = f"{now} after load and {soak.failing} refused requests, {middle} half-way, {was} before"
    expected = f"at most {soak.open_files} more (soak.open_files)"
    pid = _of(snapshots, AFTER)["pid"]
    fix = f"look what keeps them open: sudo ls -l /proc/{pid}/fd"
    return [differs(f"open files of {unit}", has, expected, fix)]


def still_busy(snapshots: Snapshots, soak: Soak, unit: str) -> list[Problem]:
    """Processors that it uses with nothing to do."""
    was, now = _share(snapshots, BEFORE, BEFORE_IDLE), _share(snapshots, AFTER, AFTER_IDLE)
    if now - was <= soak.busy:
        return []
    has = f"{now:.2f} processors in use without a request, {was:.2f} before"
    expected = f"at most {soak.busy:g} more (soak.busy)"
    return [differs(f"idle {unit}", has, expected, f"look for what goes round in circles in {unit}")]


def resident(snapshots: Snapshots, turn: int) -> float:
    """MiB of all processes of the service."""
    return float(_usage(snapshots, turn)["rss_kb"] / KIBIBYTES)


def files(snapshots: Snapshots, turn: int) -> int:
    """Open in all of them."""
    return int(_of(snapshots, turn)["open_files"])


def _share(snapshots: Snapshots, one: int, other: int) -> float:
    first, second = _usage(snapshots, one), _usage(snapshots, other)
    return float((second["cpu_s"] - first["cpu_s"]) / max(second["at_s"] - first["at_s"], 0.01))


def _usage(snapshots: Snapshots, turn: int) -> Mapping[str, Any]:
    usage: Mapping[str, Any] = _of(snapshots, turn)["usage"]
    return usage


def _of(snapshots: Snapshots, turn: int) -> Mapping[str, Any]:
    snapshot = snapshots[turn]
    assert snapshot is not None  # ``seen`` says so before
    return snapshot
