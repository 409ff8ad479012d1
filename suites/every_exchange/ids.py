"""Whether an id is an answer's own."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_acceptance.wire.memory import Memory

UNIQUE = 20
"""Characters of an id that is not there twice by chance. Ollama's own, ``chatcmpl-`` and up to three digits,
are: they are drawn from a thousand."""
WINDOW, TIMES, IN_A_ROW = 16, 5, 4
"""An id from a thousand is five times among sixteen once in 700 million draws, and four times in a row once
in a thousand million (``SAME_SHORT_ID`` of the account of alpha, gateway_acceptance/balance/ledger.py)."""


@dataclass(frozen=True, slots=True)
class RepeatedId:
    """id: as JSON has it, short; answers: how many are known."""

    id: str
    answers: int


def repeated_id(memory: Memory, name: str, value: object) -> RepeatedId | None:
    """Whether an answer has the id of another one. Short ids must be there too often for chance."""
    if not isinstance(value, str) or not value:
        return None
    answers = memory.count(f"{name}: answers", "")
    if len(value) >= UNIQUE:
        again = memory.count(f"{name}: long", value) > 1
    else:
        latest = memory.last(f"{name}: short", value, WINDOW)
        again = latest.count(value) >= TIMES or latest[-IN_A_ROW:].count(value) >= IN_A_ROW
    return RepeatedId(f'"{value[:60]}"', answers) if again else None
