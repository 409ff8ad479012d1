"""Whether an id is an answer's own."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_acceptance.wire.memory import Memory

UNIQUE = 20
"""Characters of an id that is not there twice by chance. Ollama's own, ``chatcmpl-`` and up to three digits,
are: they are drawn from a thousand."""
WINDOW, TIMES = 16, 4
"""An id from a thousand is four times among sixteen once in two million draws."""


@dataclass(frozen=True, slots=True)
class Told:
    """id: as JSON has it, short; answers: how many are known."""

    id: str
    answers: int


def repeated_id(memory: Memory, name: str, value: object) -> Told | None:
    """Whether an answer has the id of another one. Short ids must be there too often for chance."""
    if not isinstance(value, str) or not value:
        return None
    answers = memory.count(f"{name}: answers", "")
    if len(value) >= UNIQUE:
        again = memory.count(f"{name}: long", value) > 1
    else:
        again = memory.last(f"{name}: short", value, WINDOW).count(value) >= TIMES
    return Told(f'"{value[:60]}"', answers) if again else None
