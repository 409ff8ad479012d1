"""Ages in words, as a person would say them."""

from __future__ import annotations

from datetime import UTC, datetime

UNITS = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def age_in_words(seconds: float) -> str:
    """``2 days ago``, ``1 minute ago``, ``just now``; ``in 3 hours`` where it is to come. Rounded down."""
    if abs(seconds) < 1:
        return "just now"
    length, unit = next((length, unit) for length, unit in UNITS if abs(seconds) >= length)
    words = _counted(int(abs(seconds) // length), unit)
    return f"{words} ago" if seconds > 0 else f"in {words}"


def hours_in_words(hours: float) -> str:
    """``7 days``, ``1 day``, ``36 hours``, ``0.5 hours``: exactly that long."""
    if hours % 24 == 0:
        return _counted(hours / 24, "day")
    return _counted(hours, "hour")


def _counted(count: float, unit: str) -> str:
    return f"{count:g} {unit}{'' if count == 1 else 's'}"


def instant(text: str) -> datetime:
    """A time of a record; UTC where it names no zone. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
