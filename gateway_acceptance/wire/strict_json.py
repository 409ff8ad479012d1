"""JSON as the standards have it. Python's parser is more generous: NaN, Infinity, 1e999, duplicate keys."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import NoReturn

from gateway_acceptance.check import MUST, SHOULD
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.rule import Rule, catalogue, collapse, cut, is_finite, quoted

RFC = "RFC 8259"

UTF8 = Rule("json.utf8", MUST, "JSON text is UTF-8", f"{RFC} section 8.1")
INVALID = Rule("json.invalid", MUST, "the text is JSON", f"{RFC} section 2")
NONFINITE = Rule("json.nonfinite", MUST, "every number is finite and fits a double", f"{RFC} section 6")
DEPTH = Rule("json.depth", MUST, "arrays and objects nest no deeper than clients accept", f"{RFC} section 9")
SURROGATE = Rule("json.surrogate", MUST, "strings hold no half of a surrogate pair", "RFC 7493 section 2.1")
DUPLICATE = Rule("json.duplicate_key", SHOULD, "an object names each key once", f"{RFC} section 4")

RULES = catalogue(UTF8, INVALID, NONFINITE, DEPTH, SURROGATE, DUPLICATE)
"""Every rule that parse_json can report."""

MAX_DEPTH = 64
"""System.Text.Json's default, the least of the common clients' limits."""

MAX_DIGITS = 400
"""Beyond the 309 digits of the largest double; int() of thousands of digits is slow, then refused."""

SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class _NonfiniteError(ValueError):
    """A number that no double holds."""


def parse_json(data: bytes) -> tuple[object, list[Problem]]:
    """The value and what is wrong with its text. Never raises.

    Where the text had to be refused (no UTF-8, no JSON, a number that is not finite, too deep) the value is
    None. Duplicate keys (the last one wins) and lone surrogates are reported, and the value is returned.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, [
            UTF8.problem(f"byte {error.start} is no UTF-8: {quoted(ascii(error.object[error.start :][:8]))}")
        ]
    return parse_json_text(text)


def parse_json_text(text: str) -> tuple[object, list[Problem]]:
    """As parse_json, for text that is decoded already."""
    doubled: list[str] = []

    def to_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            doubled.extend(name for name, count in counts.items() if count > 1)
        return found

    try:
        value: object = json.loads(
            text,
            parse_constant=_refuse,
            parse_float=_to_float,
            parse_int=_to_int,
            object_pairs_hook=to_object,
        )
    except _NonfiniteError as error:
        return None, [NONFINITE.problem(f"{cut(str(error), 40)} is no finite number")]
    except RecursionError:
        return None, [_too_deep()]
    except ValueError as error:
        return None, [
            INVALID.problem(f"no JSON: {cut(str(error))}; the text is {quoted(text) if text else 'empty'}")
        ]
    if _deeper_than(value, MAX_DEPTH):
        return None, [_too_deep()]
    problems = collapse(
        DUPLICATE.problem(f"the key {quoted(name)} occurs more than once") for name in doubled
    )
    if SURROGATE_ESCAPE.search(text):
        broken = next((string for string in _strings(value) if not _encodable(string)), None)
        if broken is not None:
            problems.append(SURROGATE.problem(f"half of a surrogate pair in {quoted(broken)}"))
    return value, problems


def _refuse(constant: str) -> NoReturn:
    raise _NonfiniteError(constant)


def _to_float(text: str) -> float:
    number = float(text)
    if not is_finite(number):
        raise _NonfiniteError(text)
    return number


def _to_int(text: str) -> int:
    if len(text) > MAX_DIGITS or not is_finite(number := int(text)):
        raise _NonfiniteError(text)
    return number


def _too_deep() -> Problem:
    return DEPTH.problem(f"arrays and objects nest more than {MAX_DEPTH} deep")


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _deeper_than(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _strings(value: object) -> Iterator[str]:
    """Every string of the value, keys included."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting.extend(item)
        waiting.extend(_children(item))


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
