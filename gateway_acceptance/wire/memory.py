"""What rules remember over a run: named values, of bounded number."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from typing import Any

MOST_KEPT = 20_000
"""Entries of one name; the oldest is forgotten first."""
LONG = 256
"""A text of more characters is known by its digest: an id may be megabytes, each time others."""


class Memory:
    """Values by name and key, and the last few values by name."""

    def __init__(self) -> None:
        self._kept: dict[str, OrderedDict[Any, Any]] = {}
        self._last: dict[str, deque[Any]] = {}

    def first(self, name: str, key: Any, value: Any, most: int = MOST_KEPT) -> Any:
        """What was kept first under this key; the value itself, where that is now."""
        entries, key = self._kept.setdefault(name, OrderedDict()), _short(key)
        if key in entries:
            return entries[key]
        entries[key] = value
        if len(entries) > most:
            entries.popitem(last=False)
        return value

    def known(self, name: str, key: Any) -> Any:
        """What is kept under this key, or None."""
        return self._kept.get(name, {}).get(_short(key))

    def count(self, name: str, key: Any) -> int:
        """How often this has been asked for the key, this time included."""
        entries, key = self._kept.setdefault(name, OrderedDict()), _short(key)
        entries[key] = entries.get(key, 0) + 1
        if len(entries) > MOST_KEPT:
            entries.popitem(last=False)
        return int(entries[key])

    def last(self, name: str, value: Any, most: int) -> list[Any]:
        """The last values under this name, at most so many, this one included."""
        values = self._last.setdefault(name, deque(maxlen=most))
        values.append(value)
        return list(values)

    def latest(self, name: str) -> Any:
        """The last value under this name, or None."""
        values = self._last.get(name)
        return values[-1] if values else None


def _short(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_short(part) for part in key)
    if isinstance(key, str) and len(key) > LONG:
        return "sha256", hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return key
