"""A scenario: one deliberate defect of a backend, as a set of hooks that all default to health."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from lab.backends.embedding import Vector
from lab.backends.generation import Generation
from lab.backends.models import Inventory

Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """The request a hook speaks about: its order of arrival, and the JSON body as it came."""

    backend: str
    endpoint: str
    model: str
    index: int
    body: Mapping[str, Any]


class Connection(StrEnum):
    """What becomes of a request's connection."""

    ANSWER = "answer"
    RESET = "reset"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Fixed:
    """An answer given instead of any other: a text body goes out as text, everything else as JSON."""

    status: int
    body: Json | str


def keep(value: T, _call: Call) -> T:
    """The hook of health: change nothing."""
    return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One defect. Where, then what; each field left out is health.

    backends, endpoints, models: only there (None is everywhere; models by normalised name).
    connection: reset it before answering, or stay silent until the client leaves.
    delay_s: seconds before the answer. token_delay_s: seconds between two tokens.
    abort_after_lines: a stream's connection ends after so many lines.
    fixed: this answer instead of any other.
    runs_on_s: seconds for which the slot of a client that left stays taken.
    request: changes the JSON body before it is understood (drop what is to be ignored).
    inventory: changes the models the backend has. text: changes what the model wants to say, before limits.
    generation: changes the outcome after limits. vectors: changes a batch's embeddings.
    reply: changes each JSON object sent: every answer, listing, and line of a stream.
    lines: changes the raw lines of a stream (bytes, each with its line end), or a body as the only line.
    """

    name: str
    description: str
    backends: frozenset[str] | None = None
    endpoints: frozenset[str] | None = None
    models: frozenset[str] | None = None
    connection: Connection = Connection.ANSWER
    delay_s: float = 0.0
    token_delay_s: float | None = None
    abort_after_lines: int | None = None
    fixed: Fixed | None = None
    runs_on_s: float = 0.0
    request: Callable[[Json, Call], Json] = keep
    inventory: Callable[[Inventory, Call], Inventory] = keep
    text: Callable[[str, Call], str] = keep
    generation: Callable[[Generation, Call], Generation] = keep
    vectors: Callable[[list[Vector], Call], list[Vector]] = keep
    reply: Callable[[Json, Call], Json] = keep
    lines: Callable[[list[bytes], Call], list[bytes]] = keep

    def applies(self, call: Call) -> bool:
        """Whether this backend, endpoint and model are among those the defect is declared for."""
        places = ((self.backends, call.backend), (self.endpoints, call.endpoint), (self.models, call.model))
        return all(among is None or place in among for among, place in places)


HEALTHY = Scenario(name="", description="no defect")
