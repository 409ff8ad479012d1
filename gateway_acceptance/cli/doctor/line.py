"""What ``doctor`` says: one line each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DoctorState(StrEnum):
    """wrong: a run cannot be green before it is fixed."""

    OK = "ok"
    NOTE = "note"
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class DoctorLine:
    """about: what was looked at; fix: what to do, empty where nothing is to be done."""

    about: str
    state: DoctorState
    said: str
    fix: str = ""

    def __str__(self) -> str:
        fix = f"; fix: {self.fix}" if self.fix else ""
        return f"{self.about:<11} {self.state:<5}  {' '.join((self.said + fix).split())}"


def counted(number: int, what: str) -> str:
    """``1 check``, ``2 checks``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def few(names: list[str], most: int = 5) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
