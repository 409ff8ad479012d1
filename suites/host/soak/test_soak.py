"""HOST-SOAK: what load leaves behind on the machines of gateway and backends (docs/soak.md)."""

from collections.abc import Callable

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import Untestable, require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.soak.hold import AFTER_IDLE, BEFORE_IDLE, MIDDLE, Looks, soaked
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
    looks, unit = seen(target, machine, "usage"), machine.declared.unit
    note("soak.memory", f"{course(looks, resident)} MiB")
    judge(looks, restarted(looks, unit) or more_memory(looks, target.environment.soak, unit))


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
    looks, unit = seen(target, machine, "open_files"), machine.declared.unit
    note("soak.open_files", course(looks, files))
    judge(looks, restarted(looks, unit) or more_open_files(looks, target.environment.soak, unit))


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
    looks, unit = seen(target, machine, "usage"), machine.declared.unit
    judge(looks, restarted(looks, unit) or still_busy(looks, target.environment.soak, unit))


def judge(looks: Looks, problems: list[Problem]) -> None:
    """Of every look."""
    require(problems, judged={"looks at the service": len(looks)})


def course(looks: Looks, part: Callable[[Looks, int], float]) -> str:
    """What it was before the load, half-way and afterwards."""
    turns = (BEFORE_IDLE, MIDDLE, AFTER_IDLE)
    return ", ".join(f"{part(looks, turn):.0f}" for turn in turns if (looks[turn] or {}).get("pid"))


def seen(target: Target, machine: MachineFacts, part: str) -> Looks:
    """The looks at a machine. Raises Untestable where one lacks what is asked for, or nothing ran before."""
    looks = soaked(target).looks.get(machine.name, ())
    lack = [look is None or (look["pid"] and part not in look) for look in looks]
    if not looks or any(lack) or not looks[0] or not looks[0]["pid"]:
        raise Untestable(
            f"{machine.name}: the {part} of {machine.declared.unit} could not be had before and after load",
            "see HOST-RES-005 and HOST-UNIT-002: they say what the look lacks",
        )
    return looks
