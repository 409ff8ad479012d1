"""A backend that answers nobody is not waited for again and again.

While an answer of a backend has not begun for a while, it is asked its cheapest question. Where that has no
answer either, twice, the wait is over, and for a minute whoever would ask it is told so at once: as if it had
been asked, for the verdicts are the same. What refuses connections needs no such look (docs/safety.md).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway_acceptance.environment import Backend
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire import breaker
from gateway_acceptance.wire.exchange import Exchange

REMEMBERED_S = 60.0
"""So long a backend counts as silent; then whoever wants it asks it again, for it may have been restarted."""


class BackendSilence:
    """Of one environment. folder: shared by the workers of a run; backends: that may be asked directly;
    answers: whether one answers its cheapest question within so many seconds; lateness: as of ``Breaker``."""

    def __init__(
        self,
        folder: Path,
        environment: str,
        backends: Sequence[Backend],
        answers: Callable[[Backend, float], bool],
        lateness: Callable[[], float],
    ) -> None:
        self._answers, self._lateness = answers, lateness
        self._backends = [(one, folder / f"silent-{environment}-{_digest(one.name)}") for one in backends]
        self._well_at: dict[str, float] = {}

    def before(self, asked: Exchange) -> None:
        """Before sending. Raises NoAnswer where it is known that none would come."""
        found = self._of(asked.url)
        if found is not None and _is_fresh(found[1]):
            raise NoAnswer(f"{asked.method} {asked.url}: {_words_in(found[1])}")

    def silent(self, url: str, quiet_s: float) -> None:
        """Nothing has come for so many seconds. Raises NoAnswer where nothing will."""
        found = self._of(url)
        if found is None:
            return
        backend, file = found
        if _is_fresh(file):
            raise NoAnswer(f"{url}: {_words_in(file)}")
        late, now = self._lateness(), time.monotonic()
        if min(quiet_s, now - self._well_at.get(backend.name, 0.0)) <= breaker.PATIENCE_S * late:
            return
        for question_s in (breaker.PROBE_S, breaker.SECOND_PROBE_S):
            if self._answers(backend, question_s * late):
                self._well_at[backend.name] = time.monotonic()
                return
        waited_s = quiet_s + time.monotonic() - now
        words = f"no answer within {waited_s:.0f} s, and {backend.name} answered nothing else meanwhile"
        file.write_text(words, encoding="utf-8")
        raise NoAnswer(f"{url}: {words}")

    def _of(self, url: str) -> tuple[Backend, Path] | None:
        for backend, file in self._backends:
            if url == backend.url or url.startswith(backend.url + "/"):
                return backend, file
        return None


def _is_fresh(file: Path) -> bool:
    try:
        return time.time() - file.stat().st_mtime < REMEMBERED_S
    except FileNotFoundError:
        return False


def _words_in(file: Path) -> str:
    return file.read_text(encoding="utf-8") or "no answer"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]
