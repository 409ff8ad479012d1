"""Lines of a commented TOML file: values by a TOML writer, comments of one harmless line each."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tomli_w

from gateway_acceptance.redaction import STEERING

WIDTH = 112
QUESTION = "QUESTION:"
"""What stands before everything that a person has to answer."""
Redact = Callable[[str], str]


class Text:
    """A file as it grows. redact: takes secrets, and what steers a terminal, out of comments."""

    def __init__(self, redact: Redact) -> None:
        self._redact, self.questions = redact, 0
        self._lines: list[str] = []

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"

    def blank(self) -> None:
        """An empty line."""
        self._lines.append("")

    def comment(self, said: str) -> None:
        """A comment, wrapped; whatever it holds, it stays one."""
        words = " ".join(self._redact(said).split())
        self._lines += [f"# {line}" for line in textwrap.wrap(words, WIDTH - 2, break_on_hyphens=False)]

    def question(self, said: str) -> None:
        """A comment that asks for an answer."""
        self.questions += 1
        self.comment(f"{QUESTION} {said}")

    def table(self, name: str) -> None:
        """``[name]``, after an empty line."""
        self._lines += ["", f"[{name}]"]

    def entry(self, name: str) -> None:
        """``[[name]]``, after an empty line."""
        self._lines += ["", f"[[{name}]]"]

    def value(self, name: str, value: Any, said: str = "") -> None:
        """``name = value``. said: behind a value of one line, before one of several."""
        lines = written(name, value)
        note = " ".join(self._redact(said).split())
        if note and (len(lines) > 1 or len(lines[0]) + len(note) + 4 > WIDTH):
            self.comment(said)
        elif note:
            lines = [f"{lines[0]}  # {note}"]
        self._lines += lines

    def pairs(self, name: str, pairs: Mapping[str, Any]) -> None:
        """A table on one line."""
        self._lines.append(f"{name} = {inline(pairs)}")

    def rows(self, name: str, rows: Sequence[str]) -> None:
        """A list of what is written already, one each line."""
        self._lines += [f"{name} = [", *(f"    {row}," for row in rows), "]"]

    def silent_table(self, name: str) -> None:
        """``[name]``, commented out."""
        self._lines.append(f"# [{name}]")

    def silent(self, name: str, value: Any, said: str = "") -> None:
        """The same, commented out."""
        lines = written(name, value)
        note = " ".join(self._redact(said).split())
        self._lines += [f"# {line}" for line in lines[:-1]]
        self._lines.append(f"# {lines[-1]}" + (f"  # {note}" if note else ""))


def written(name: str, value: Any) -> list[str]:
    """The lines of one value; a list of short words on one line. Raises what ``tomli_w`` raises."""
    text = tomli_w.dumps({name: value}).rstrip("\n")
    lines = [STEERING.sub(_escaped, line) for line in text.split("\n")]
    if isinstance(value, list) and value and not any(isinstance(item, Mapping) for item in value):
        items = [line.strip() for line in lines[1:-1]]
        flat = f"{lines[0]}{' '.join(items).rstrip(',')}]"
        return [flat] if len(flat) <= WIDTH else [lines[0], *_filled(items), "]"]
    return lines


def _escaped(found: re.Match[str]) -> str:
    """What would steer a terminal, as TOML writes it in a string; nothing of it stands elsewhere."""
    return f"\\u{ord(found[0]):04x}"


def _filled(items: Sequence[str]) -> list[str]:
    """As many items on a line as fit."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) + 5 > WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {item}" if lines[-1] else f"    {item}"
    return lines


def inline(pairs: Mapping[str, Any]) -> str:
    """A table on one line."""
    values = (" ".join(line.strip() for line in written(name, value)) for name, value in pairs.items())
    return "{ " + ", ".join(values) + " }"


def listing(items: Sequence[str], most: int = 6) -> str:
    """Some names for a sentence, and how many more there are."""
    shown = ", ".join(items[:most])
    return shown + (f" and {len(items) - most} more" if len(items) > most else "")
