"""Which environments have something red, over all workers of a run: a mark each in its private folder."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path


class RedSoFar:
    """folder: private to the run, shared by its workers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[str] = set()

    def add(self, environment: str) -> None:
        """Something was found against it. Where there is no room for a mark, this worker alone knows."""
        if environment not in self._known:
            self._known.add(environment)
            with contextlib.suppress(OSError):
                self._mark(environment).touch()

    def __contains__(self, environment: str) -> bool:
        """Whether any worker has found something; what it finds at this moment may be missed."""
        if environment not in self._known and self._mark(environment).exists():
            self._known.add(environment)
        return environment in self._known

    def _mark(self, environment: str) -> Path:
        return self._folder / f"red-{hashlib.sha256(environment.encode()).hexdigest()[:16]}"
