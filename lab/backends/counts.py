"""What a backend served: the witness that tests and the lab read."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

RECENT = 10_000  # entries of the log; older ones are dropped
KEPT_TEXT = 1000  # characters of a request that are kept


@dataclass(frozen=True, slots=True)
class CountedRequest:
    """One request: its place in the order of arrival (from 1), model, endpoint, and the fault in force."""

    index: int
    model: str
    endpoint: str
    scenario: str


class Counts:
    """Requests by endpoint, model and scenario, and a bounded log. May be read from any thread.

    ``model`` is the normalised name, empty where the request names none; ``scenario`` is empty for a healthy
    answer; ``abandoned`` are requests whose client left before the answer was complete; ``direct`` those that
    the suite itself sent, past the gateway, by their User-Agent.
    """

    def __init__(self, recent: int = RECENT) -> None:
        self._lock = threading.Lock()
        self._by_key: Counter[tuple[str, str, str]] = Counter()
        self._recent: deque[CountedRequest] = deque(maxlen=recent)
        self._texts: deque[tuple[str, str]] = deque(maxlen=recent)
        self._index = 0
        self._abandoned = 0
        self._direct = 0
        self._tokens = 0

    def next_index(self) -> int:
        """The index of the request that just arrived."""
        with self._lock:
            self._index += 1
            return self._index

    def served(self, index: int, endpoint: str, model: str, scenario: str) -> None:
        """Note one request, before it is answered."""
        with self._lock:
            self._by_key[endpoint, model, scenario] += 1
            self._recent.append(CountedRequest(index, model, endpoint, scenario))

    def inferred(self, model: str, text: str) -> None:
        """Note what one request to a model said, before it is answered; only its beginning is kept."""
        with self._lock:
            self._texts.append((model, text[:KEPT_TEXT]))

    def spent(self, tokens: int) -> None:
        """Note what one answer told of its tokens, of prompt and answer together, before it is sent."""
        with self._lock:
            self._tokens += tokens

    def marked(self, mark: str) -> dict[str, int]:
        """Requests to models whose text holds ``mark``, by model; every one where it is empty."""
        with self._lock:
            return dict(Counter(model for model, text in self._texts if mark in text))

    def came_directly(self) -> None:
        """Note a request of the suite itself."""
        with self._lock:
            self._direct += 1

    def left(self) -> None:
        """Note that a client left before its answer was complete."""
        with self._lock:
            self._abandoned += 1

    @property
    def abandoned(self) -> int:
        """How many clients left before their answer was complete."""
        return self._abandoned

    @property
    def tokens(self) -> int:
        """Of all answers together, as they told."""
        return self._tokens

    @property
    def last_index(self) -> int:
        """The index of the latest request; 0 before the first."""
        return self._index

    def total(
        self, endpoint: str | None = None, model: str | None = None, scenario: str | None = None
    ) -> int:
        """Requests that match; None matches everything."""
        wanted = (endpoint, model, scenario)
        with self._lock:
            return sum(
                number
                for key, number in self._by_key.items()
                if all(mark is None or mark == have for mark, have in zip(wanted, key, strict=True))
            )

    def by_key(self) -> dict[tuple[str, str, str], int]:
        """Requests by (endpoint, model, scenario)."""
        with self._lock:
            return dict(self._by_key)

    def recent(self, after: int = 0) -> list[CountedRequest]:
        """The log's requests with an index above ``after``, oldest first."""
        with self._lock:
            return [served for served in self._recent if served.index > after]

    def snapshot(self) -> dict[str, Any]:
        """All of it as JSON: requests [{endpoint, model, scenario, count}], last_index, abandoned,
        direct, tokens."""
        requests = [
            {"endpoint": endpoint, "model": model, "scenario": scenario, "count": number}
            for (endpoint, model, scenario), number in sorted(self.by_key().items())
        ]
        return {
            "requests": requests,
            "last_index": self._index,
            "abandoned": self._abandoned,
            "direct": self._direct,
            "tokens": self._tokens,
        }
