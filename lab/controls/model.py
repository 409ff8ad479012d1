"""A control: a gateway that is right in another way than the lab's own. No check may turn red on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.faults.model import After, Before, Fault, Layer

CLOSED = "/closed"


@dataclass(frozen=True, slots=True)
class Control:
    """name: kebab-case, begins with ``right-``; description: what is otherwise, and whose habit it is.

    before, after: of the reverse proxy, as of a fault. checks: beginnings of the ids that are run beside
    those of smoke; empty for smoke alone. concerns: the ids that its difference concerns, which ``make test``
    runs beside smoke. declares: what the environment declares otherwise, as tables of
    keys: ``gateway``, ``policy``, ``chat`` (each chat model), ``backends`` (each). without: kinds of models
    that are not declared. closed: the backends refuse everybody but the gateway; forbids: they
    are told to be below a path of the gateway, ``CLOSED``, where ``before`` answers for them.
    """

    name: str
    description: str
    before: Before | None = None
    after: After | None = None
    checks: tuple[str, ...] = ()
    concerns: tuple[str, ...] = ()
    declares: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    closed: bool = False
    forbids: bool = False

    @property
    def view(self) -> Fault:
        """What the reverse proxy makes of it: a fault that nothing detects."""
        return Fault(self.name, Layer.GATEWAY, self.description, {}, before=self.before, after=self.after)
