"""A fault: one deliberate defect, with the checks that must trip on it, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lab.message import Reply, Request


class Layer(StrEnum):
    """Where the defect sits."""

    GATEWAY = "gateway"
    BACKEND = "backend"
    HOST = "host"
    OUTAGE = "outage"
    ABSENCE = "absence"


Before = Callable[[Request], Request | Reply]
After = Callable[[Request, Reply], Reply]


@dataclass(frozen=True, slots=True)
class HostChange:
    """What makes a lab's host faulty. apply, revert: ``bash -eu`` scripts, run there as root; after revert
    the facts must be what they were. machine: as checks name it; declares: keys of the machine's table that
    the environment declares otherwise; of_gateway: keys of ``[gateway]``, likewise; restarts: the gateway's
    service must serve again after revert (and, where ``serves``, after apply) before it is looked at; load: a
    script that is run between looks, where what it does is the defect.
    """

    apply: str = ""
    revert: str = ""
    machine: str = "gateway"
    declares: Mapping[str, object] = field(default_factory=dict)
    restarts: bool = False
    serves: bool = True
    of_gateway: Mapping[str, object] = field(default_factory=dict)
    load: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """name: kebab-case, unique; detected_by: check id -> regular expression that the failure's message must
    match (a check that trips for another reason has not found the fault).

    Gateway and outage faults: ``before`` changes a request or answers it, ``after`` changes the gateway's
    reply, ``listens`` False leaves the port closed, ``repeats`` asks so often again where it failed,
    ``asks_twice`` says which requests the proxy makes once more and whose first answer it drops. Backend
    faults: ``scenario`` of the lab's backends. Host faults: ``change``.
    """

    name: str
    layer: Layer
    description: str
    detected_by: Mapping[str, str]
    before: Before | None = None
    after: After | None = None
    listens: bool = True
    asks_twice: Callable[[Request], bool] | None = None
    scenario: str | None = None
    repeats: int = 0
    change: HostChange | None = None


def gateway_fault(
    name: str,
    description: str,
    detected_by: Mapping[str, str],
    *,
    before: Before | None = None,
    after: After | None = None,
    listens: bool = True,
    asks_twice: Callable[[Request], bool] | None = None,
) -> Fault:
    """A defect of the reverse proxy in front of the real gateway."""
    return Fault(
        name,
        Layer.GATEWAY,
        description,
        detected_by,
        before=before,
        after=after,
        listens=listens,
        asks_twice=asks_twice,
    )


def backend_fault(name: str, description: str, detected_by: Mapping[str, str], *, scenario: str) -> Fault:
    """A defect of the backends, seen through the real gateway and by asking them directly."""
    return Fault(name, Layer.BACKEND, description, detected_by, scenario=scenario)


def host_fault(
    name: str,
    description: str,
    detected_by: Mapping[str, str],
    *,
    apply: str = "",
    revert: str = "",
    machine: str = "gateway",
    declares: Mapping[str, object] | None = None,
    restarts: bool = False,
    serves: bool = True,
    of_gateway: Mapping[str, object] | None = None,
    load: str = "",
) -> Fault:
    """A defect of a machine. See ``HostChange``."""
    change = HostChange(apply, revert, machine, declares or {}, restarts, serves, of_gateway or {}, load)
    return Fault(name, Layer.HOST, description, detected_by, change=change)
