"""A program of outages as it was played: who was away when, what was sent meanwhile, what came back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway_acceptance.disruptor import Load, OutageKind
from gateway_acceptance.wire.exchange import Exchange


class RequestKind(StrEnum):
    """What a request asks for."""

    CHAT = "chat"
    STREAM = "stream"
    EMBEDDING = "embedding"
    LIVENESS = "liveness"


@dataclass(frozen=True, slots=True)
class ObservedRequest:
    """One request. begun, ended: seconds since the program's start; exchange: None where no HTTP answer came
    whole, then ``error`` says why; mark: the text that it and its pulse hold; expects: what a right answer
    holds; witness: who served it (``Exchange.served_by``); deployment: its id, where the gateway tells."""

    way: RequestKind
    alias: str
    begun: float
    ended: float
    exchange: Exchange | None
    error: str = ""
    mark: str = ""
    expects: str = ""
    witness: str = ""
    deployment: str = ""
    step: int = 0

    @property
    def status(self) -> int | None:
        """The HTTP status, or None where no answer came."""
        return self.exchange.status if self.exchange is not None else None

    @property
    def served(self) -> bool:
        """Whether it claims success."""
        return self.status == 200

    @property
    def took_s(self) -> float:
        """Seconds, with what the suite itself waited before it was sent."""
        return self.ended - self.begun

    @property
    def answered_s(self) -> float:
        """Seconds that the answer took; all of them where there is none."""
        return self.took_s if self.exchange is None else self.exchange.elapsed_s


@dataclass(slots=True)
class Span:
    """One outage of one backend, in seconds since the program's start: certainly in force from ``begun`` to
    ``ended``, possibly from ``asked`` to ``restored``."""

    backend: str
    kind: OutageKind
    asked: float
    begun: float = math.inf
    ended: float = math.inf
    restored: float = math.inf

    def covers(self, seen: ObservedRequest) -> bool:
        """Whether it was certainly in force all the time that a request took."""
        return self.begun <= seen.begun and seen.ended <= self.ended

    def touches(self, seen: ObservedRequest) -> bool:
        """Whether it may have been in force at any time that a request took."""
        return self.asked <= seen.ended and seen.begun <= self.restored


Counted = Mapping[str, Mapping[str, int]]
"""Backend -> full model name -> requests."""


@dataclass(slots=True)
class Program:
    """steps: in words; settled: whether all was well again after it, and if not, what was not; counted: by
    mark, the backends' own counts, empty where they declare none; before, after: what each backend held."""

    steps: list[str] = field(default_factory=list)
    seen: list[ObservedRequest] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    counted: dict[str, Counted] = field(default_factory=dict)
    before: dict[str, Load] = field(default_factory=dict)
    after: dict[str, Load] = field(default_factory=dict)
    unsettled: str = ""

    def words(self, seen: ObservedRequest | None = None) -> str:
        """The program as a person would type it, up to a request's step."""
        return "; ".join(self.steps[: seen.step] if seen is not None else self.steps)

    def away(self, seen: ObservedRequest) -> dict[str, OutageKind]:
        """The backends that were certainly away all the time that a request took."""
        return {span.backend: span.kind for span in self.spans if span.covers(seen)}
