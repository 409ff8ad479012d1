"""HOST-SOAK: what load leaves behind on the machines of gateway and backends (docs/soak.md)."""

from collections.abc import Callable

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import Untestable, require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.soak.hold import AFTER_IDLE, BEFORE_IDLE, MIDDLE, Snapshots, soaked
from suites.host.soak.rules import files, more_memory, more_open_files, resident, restarted, still_busy

Note = Callable[[str, object], None]


@check(
    "HOST-SOAK-001",
    "a service's memory does not grow on under load and refused requests",
    level=MUST,
    effect=SPEND,
    claims="STA-05",
    spec="proc(5) statm; environment: soak.memory_mb",
    alone=True,
)
def test_memory(target: Target, gateway: GatewayClient, machine: MachineFacts, note: Note) -> None:
    """What keeps each request ends, after days, as a service that the kernel kills."""
    snapshots, unit = seen(target, machine, "usage"), machine.declared.unit
    note("soak.memory", f"{course(snapshots, resident)} MiB")
    judge(snapshots, restarted(snapshots, unit) or more_memory(snapshots, target.environment.soak, unit))


@check(
    "HOST-SOAK-002",
    "a service's open files do not grow on under load and refused requests",
    level=MUST,
    effect=SPEND,
    claims="STA-05",
    spec="getrlimit(2) RLIMIT_NOFILE; environment: soak.open_files",
    alone=True,
)
def test_open_files(target: Target, gateway: GatewayClient, machine: MachineFacts, note: Note) -> None:
    """Failing requests leak connections more often than others: their end is the path that nobody tries."""
    snapshots, unit = seen(target, machine, "open_files"), machine.declared.unit
    note("soak.open_files", course(snapshots, files))
    judge(snapshots, restarted(snapshots, unit) or more_open_files(snapshots, target.environment.soak, unit))


@check(
    "HOST-SOAK-003",
    "a service is idle again after load and refused requests",
    level=SHOULD,
    effect=SPEND,
    claims="STA-05",
    spec="proc(5) stat; environment: soak.busy",
    alone=True,
)
def test_idle(target: Target, gateway: GatewayClient, machine: MachineFacts) -> None:
    """What goes round in circles takes its processor from all requests to come."""
    snapshots, unit = seen(target, machine, "usage"), machine.declared.unit
    judge(snapshots, restarted(snapshots, unit) or still_busy(snapshots, target.environment.soak, unit))


def judge(snapshots: Snapshots, problems: list[Problem]) -> None:
    """Of every look."""
    require(problems, judged={"snapshots of the service": len(snapshots)})


def course(snapshots: Snapshots, part: Callable[[Snapshots, int], float]) -> str:
    """What it was before the load, half-way and afterwards."""
    turns = (BEFORE_IDLE, MIDDLE, AFTER_IDLE)
    return ", ".join(f"{part(snapshots, turn):.0f}" for turn in turns if (snapshots[turn] or {}).get("pid"))


def seen(target: Target, machine: MachineFacts, part: str) -> Snapshots:
    """The snapshots of a machine. Raises Untestable where one lacks what is asked for, or nothing ran."""
    snapshots = soaked(target).snapshots.get(machine.name, ())
    lack = [snapshot is None or (snapshot["pid"] and part not in snapshot) for snapshot in snapshots]
    if not snapshots or any(lack) or not snapshots[0] or not snapshots[0]["pid"]:
        raise Untestable(
            f"{machine.name}: the {part} of {machine.declared.unit} could not be had before and after load",
            "see HOST-RES-005 and HOST-UNIT-002: they say what the look lacks",
        )
    return snapshots
