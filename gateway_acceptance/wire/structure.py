"""How much structure an answer may hold: a few megabytes of ``{},{},…`` are hundreds once they are read."""

from __future__ import annotations

from collections import Counter

MOST: dict[bytes, tuple[int, str]] = {
    b"[": (100_000, "lists"),
    b"{": (100_000, "objects"),
    b'":': (200_000, "names"),
    b",": (1_000_000, "values"),
    b"\n": (200_000, "lines"),
    b"\r": (200_000, "lines"),
}
"""What stands in the text -> (how many of it at most, what that is). An honest answer of ``LARGEST_BODY`` is
mostly text or numbers: 64 vectors of 3072 numbers have 200,000 values in 64 lists. Read, so much takes some
60 MB."""


class Structure:
    """Of one answer, piece by piece."""

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()

    def add(self, data: bytes) -> str:
        """What there is too much of, in words; empty for nothing."""
        for mark, (most, what) in MOST.items():
            self._counts[mark] += data.count(mark)
            if self._counts[mark] > most:
                return f"the answer holds more than {most} {what}"
        return ""
