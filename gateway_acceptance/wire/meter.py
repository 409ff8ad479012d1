"""What each case has cost, and what the observations that several cases share: the measure behind
``--plan``."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum


class Chance(StrEnum):
    """What decides how many requests are sent, where neither the check nor the environment does. All but
    WAIT have their bounds in the environment's file (``plan_ranges``)."""

    SOAK = "load that is held for a declared time"
    SAMPLE = "draws of a sample"
    GENERATED = "draws of generated requests"
    SECOND_BACKEND = "draws until a second backend is seen"
    WAIT = "looks until what is waited for has come"


@dataclass
class Cost:
    """requests and tokens (reserved, or more where more was reported) of its own; served: the tokens that
    its answers took; seconds; uses: the names of the shared observations that it needs besides; drawn: how
    many of its requests were sent because of chance or time, by what decides; most: how many these can be,
    where who waits says so; probes: requests that asked meanwhile whether the gateway still lives, beyond
    these: no plan can know them."""

    requests: int = 0
    tokens: int = 0
    served: int = 0
    seconds: float = 0.0
    uses: set[str] = field(default_factory=set)
    drawn: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    probes: int = 0

    def add(self, requests: int, tokens: int, served: int = 0) -> None:
        """So much more."""
        self.requests += requests
        self.tokens += tokens
        self.served += served

    def take(self, other: Cost) -> None:
        """All that another one has cost; its time is its own."""
        self.add(other.requests, other.tokens, other.served)
        self.uses |= other.uses
        self.probes += other.probes
        for name, number in other.drawn.items():
            self.drawn[name] = self.drawn.get(name, 0) + number
        for name, number in other.most.items():
            self.most[name] = self.most.get(name, 0) + number


class Meter:
    """case: of the running case; shared: of observations, by name, each made once."""

    def __init__(self) -> None:
        self.case = Cost()
        self.shared: dict[str, Cost] = {}
        self._open = [self.case]
        self._lock = threading.Lock()
        self._deciding: Chance | None = None

    def begin(self) -> None:
        """A new case begins."""
        self.case = Cost()
        self._open = [self.case]

    def sent(self, tokens: int) -> None:
        """One request is about to leave, by any thread of the running case."""
        with self._lock:
            self._open[-1].add(1, tokens)
            if self._deciding is not None:
                self._open[-1].drawn[self._deciding] += 1

    def settle(self, more: int, served: int) -> None:
        """An answer tells of so many tokens more than were reserved, and took so many."""
        with self._lock:
            self._open[-1].add(0, more, served)

    def took(self, other: Meter) -> None:
        """What another one has measured meanwhile, of the running case in a thread of its own."""
        with self._lock:
            self._open[-1].take(other.case)
            self.shared |= other.shared

    def probed(self, requests: int) -> None:
        """So many requests asked meanwhile whether the gateway still lives."""
        with self._lock:
            self._open[-1].probes += requests

    def used(self, name: str) -> None:
        """What is asked just now needs an observation, whoever made it."""
        self._open[-1].uses.add(name)

    @contextmanager
    def chance(self, decides: Chance, most: int = 0) -> Iterator[None]:
        """How many requests are sent inside is decided so. most: of WAIT, how many they can be. What is sent
        within another one counts for the outer."""
        if self._deciding is not None:
            yield
            return
        cost = self._open[-1]
        cost.drawn.setdefault(decides, 0)
        if most:
            cost.most[decides] = cost.most.get(decides, 0) + most
        self._deciding = decides
        try:
            yield
        finally:
            self._deciding = None

    @contextmanager
    def sharing(self, name: str) -> Iterator[None]:
        """What is sent inside belongs to an observation that others will use. Where it is not made, for it
        raises, it is the cost of who asked."""
        cost, begun = Cost(), time.monotonic()
        self._open.append(cost)
        try:
            yield
        except BaseException:
            self._open[-2].take(cost)
            self._open[-2].uses.discard(name)
            raise
        else:
            cost.seconds = time.monotonic() - begun
            self._open[-2].seconds -= cost.seconds
            self.shared[name] = cost
        finally:
            self._open.pop()
