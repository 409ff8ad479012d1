"""Who takes backends away and gives them back: what a check of outages may ask of an environment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class OutageKind(StrEnum):
    """What is wrong with a backend during an outage; the value is how people say it."""

    KILL = "kill"
    REFUSE = "refuse"
    BLACK_HOLE = "black hole"
    SLOW = "slow"
    BUSY = "answer 429"
    BROKEN = "answer 500"
    DROP = "drop mid-stream"
    SWAP = "swap the model"

    @property
    def serves(self) -> bool:
        """Whether a request that is answered with 200 may have come from such a backend: it drops streams
        only, and what is slow may still be in time."""
        return self in (OutageKind.DROP, OutageKind.SLOW)

    @property
    def keeps_waiting(self) -> bool:
        """Whether a request ends by the gateway's patience only."""
        return self in (OutageKind.BLACK_HOLE, OutageKind.SLOW)


@dataclass(frozen=True, slots=True)
class Load:
    """What a backend holds: requests under way in its slots, and open connections to it."""

    slots: int
    connections: int


class Disruptor(Protocol):
    """Takes backends away. Everything is given back when it is closed, and as well when the process that
    holds it ends, however that happens: its implementation must see to that."""

    def apply(self, kind: OutageKind, backend: str) -> None:
        """Begin an outage; it replaces another one of the same backend. Returns when it is in force."""
        ...  # pragma: no cover

    def restore(self, backend: str) -> None:
        """End the outage of a backend. Returns when it serves again; without effect where there is none."""
        ...  # pragma: no cover

    def load(self, backend: str) -> Load:
        """What the backend holds now."""
        ...  # pragma: no cover

    def close(self) -> None:
        """Give everything back."""
        ...  # pragma: no cover
