"""Ages in words, as a person would say them."""

from __future__ import annotations

from datetime import UTC, datetime

UNITS = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def age_in_words(seconds: float) -> str:
    """``2 days ago``, ``1 minute ago``, ``just now``; ``in 3 hours`` where it is to come. Rounded down."""
    if abs(seconds) < 1:
        return "just now"
    length, unit = next((length, unit) for length, unit in UNITS if abs(seconds) >= length)
    count = int(abs(seconds) // length)
    words = f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{words} ago" if seconds > 0 else f"in {words}"


def instant(text: str) -> datetime:
    """A time of a record; UTC where it names no zone. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
