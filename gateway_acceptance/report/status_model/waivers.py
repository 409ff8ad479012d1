"""The waivers in scope of a run: what each covers, until when, and whether somebody must look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gateway_acceptance.record_model import Record, RecordedWaiver

SOON_DAYS = 14
"""A waiver that ends within so many days is shown as such (as the run itself warns)."""
SHOWN = {"id", "check", "reason", "link", "owner", "expires"}
"""Of a waiver, as the record says it."""
CALM = ("used", "not used")
"""What a waiver may be without anybody having to do something."""


@dataclass(frozen=True, slots=True)
class WaiverLine:
    """One accepted deviation in scope. days: until it ends, negative once it has; use: in words."""

    id: str
    check: str
    reason: str
    link: str
    owner: str
    expires: str
    days: int
    use: str

    @property
    def soon(self) -> bool:
        """Whether it has ended, or will within two weeks."""
        return self.days <= SOON_DAYS

    @property
    def urgent(self) -> bool:
        """Whether somebody must look at it now."""
        return self.soon or self.use not in CALM

    @property
    def left(self) -> str:
        """``12 days left``, ``ends today``, ``ended 3 days ago``"""
        if self.days == 0:
            return "ends today"
        count = f"{abs(self.days)} day{'' if abs(self.days) == 1 else 's'}"
        return f"{count} left" if self.days > 0 else f"ended {count} ago"


@dataclass(frozen=True, slots=True)
class Waivers:
    """lines: those in scope, the first to end first."""

    lines: Sequence[WaiverLine]

    @property
    def urgent(self) -> list[WaiverLine]:
        """Those that somebody must look at now."""
        return [line for line in self.lines if line.urgent]

    @property
    def calm(self) -> list[WaiverLine]:
        """The others."""
        return [line for line in self.lines if not line.urgent]


def waivers_of(record: Record, today: date) -> Waivers:
    """Those in scope, the first to end first."""
    listed = [
        WaiverLine(
            **entry.model_dump(include=SHOWN),
            days=(date.fromisoformat(entry.expires) - today).days,
            use=_use(entry),
        )
        for entry in record.waivers
        if entry.in_scope
    ]
    return Waivers(sorted(listed, key=lambda waiver: waiver.days))


def _use(entry: RecordedWaiver) -> str:
    if entry.expired:
        return "expired: renew or remove it"
    if entry.stale:
        return "no longer needed here: narrow or remove it"
    return "used" if entry.used else "not used"
