"""What each case has cost, and what the observations that several cases share: the measure behind
``--plan``."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Cost:
    """requests and tokens (reserved, or more where more was reported) of its own; served: the tokens that
    its answers took; seconds; uses: the names of the shared observations that it needs besides; drawn:
    whether chance decides how many requests it takes."""

    requests: int = 0
    tokens: int = 0
    served: int = 0
    seconds: float = 0.0
    uses: set[str] = field(default_factory=set)
    drawn: bool = False

    def add(self, requests: int, tokens: int, served: int = 0) -> None:
        """So much more."""
        self.requests += requests
        self.tokens += tokens
        self.served += served


class Meter:
    """case: of the running case; shared: of observations, by name, each made once."""

    def __init__(self) -> None:
        self.case = Cost()
        self.shared: dict[str, Cost] = {}
        self._open = [self.case]
        self._lock = threading.Lock()

    def begin(self) -> None:
        """A new case begins."""
        self.case = Cost()
        self._open = [self.case]

    def sent(self, tokens: int) -> None:
        """One request is about to leave, by any thread of the running case."""
        with self._lock:
            self._open[-1].add(1, tokens)

    def settle(self, more: int, served: int) -> None:
        """An answer tells of so many tokens more than were reserved, and took so many."""
        with self._lock:
            self._open[-1].add(0, more, served)

    def took(self, other: Meter) -> None:
        """What another one has measured meanwhile, of the running case in a thread of its own."""
        with self._lock:
            self._open[-1].add(other.case.requests, other.case.tokens, other.case.served)
            self._open[-1].uses |= other.case.uses
            self.shared |= other.shared

    def used(self, name: str) -> None:
        """What is asked just now needs an observation, whoever made it."""
        self._open[-1].uses.add(name)

    @contextmanager
    def sharing(self, name: str, *, drawn: bool = False) -> Iterator[None]:
        """What is sent inside belongs to an observation that others will use. Where it is not made, for it
        raises, it is the cost of who asked."""
        cost, begun = Cost(drawn=drawn), time.monotonic()
        self._open.append(cost)
        try:
            yield
        except BaseException:
            self._open[-2].add(cost.requests, cost.tokens, cost.served)
            self._open[-2].uses |= cost.uses
            self._open[-2].uses.discard(name)
            raise
        else:
            cost.seconds = time.monotonic() - begun
            self._open[-2].seconds -= cost.seconds
            self.shared[name] = cost
        finally:
            self._open.pop()
