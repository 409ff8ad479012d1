"""A rule of the wire: what can be violated, how badly, and who says so; and how violations are worded."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway_acceptance.check import Level
from gateway_acceptance.problem import Problem

SHOWN = 120
"""Characters of a value that a message quotes at most."""

SHOWN_ITEMS = 3
"""Items of an array or object that a message quotes at most."""

SHOWN_DEPTH = 3
"""Levels of nesting that a message quotes at most."""

REPEATS = 3
"""How often one rule is reported in full before the rest is only counted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with a stable name; title: what holds where it is kept; source: who says so."""

    name: str
    level: Level
    title: str
    source: str

    def problem(self, message: str, where: str = "") -> Problem:
        """A violation of this rule."""
        return Problem(self.name, message, where, self.level, self.source)


def catalogue(*rules: Rule) -> dict[str, Rule]:
    """Rules by name, in their order. Raises ValueError where two share a name."""
    doubled = [name for name, count in Counter(rule.name for rule in rules).items() if count > 1]
    if doubled:
        raise ValueError(f"rules declared twice: {', '.join(doubled)}")
    return {rule.name: rule for rule in rules}


def collapse(problems: Iterable[Problem], repeats: int = REPEATS) -> list[Problem]:
    """The problems in their order; of each rule the first few, then one that counts the others.

    A vector of 1536 wrong numbers is one mistake, not 1536 lines.
    """
    problems = list(problems)
    totals = Counter(problem.rule for problem in problems)
    seen: Counter[str] = Counter()
    kept = []
    for problem in problems:
        seen[problem.rule] += 1
        left = totals[problem.rule] - repeats
        if seen[problem.rule] <= repeats:
            kept.append(problem)
        elif seen[problem.rule] == repeats + 1:
            kept.append(problem if left == 1 else replace(problem, message=f"and {left} more like these"))
    return kept


def cut(text: str, limit: int = SHOWN) -> str:
    """The text, printable on any output (no lone surrogates), shortened to ``limit`` characters."""
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8")


def quoted(value: object) -> str:
    """A JSON value as a message quotes it: as JSON, short, however large or deep the value is."""
    return cut(_json(value, SHOWN_DEPTH))


def _json(value: object, depth: int) -> str:
    if isinstance(value, str):
        return json.dumps(value[:SHOWN], ensure_ascii=False)
    if isinstance(value, list | tuple):
        items = [_json(item, depth - 1) for item in value[:SHOWN_ITEMS]] if depth else []
        return f"[{_listed(items, len(value))}]"
    if isinstance(value, dict):
        pairs = list(value.items())[:SHOWN_ITEMS] if depth else []
        items = [f"{_json(key, 0)}: {_json(item, depth - 1)}" for key, item in pairs]
        return f"{{{_listed(items, len(value))}}}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and not abs(value) < 10**SHOWN:  # str() of a huge integer raises
        return "an integer of more than 120 digits"
    return str(value) if isinstance(value, int | float) else type(value).__name__


def _listed(items: list[str], total: int) -> str:
    more = [f"… {total} in all"] if total > len(items) else []
    return ", ".join(items + more)


def is_integer(value: object) -> bool:
    """True for a JSON integer; ``true`` is none, and neither is ``1.0``: typed clients refuse it."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_index(value: object) -> bool:
    """True for an integer from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_finite(value: object) -> bool:
    """True for a JSON number that a double can hold."""
    if type(value) is float:
        return math.isfinite(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every double
        return False


def media_type(headers: Iterable[tuple[str, str]]) -> str:
    """The media type of ``content-type`` in lower case, without parameters; empty where there is none."""
    values = [value for name, value in headers if name.lower() == "content-type"]
    return values[0].split(";", 1)[0].strip().lower() if values else ""
