"""The published schemas of a sign-off's own documents (schemas/signoff/)."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from gateway_acceptance.wire.schema_files import schema_directory

FOLDER = "signoff"
SHOWN = 5
TIMES = FormatChecker(formats=())
"""Violations that are told of one document; the rest is counted."""


@TIMES.checks("date-time", raises=ValueError)
@TIMES.checks("date", raises=ValueError)
def _is_a_time(value: object) -> bool:
    """Of the calendar, beyond what a pattern can say."""
    return not isinstance(value, str) or datetime.fromisoformat(value) is not None


TEXT_AT_MOST = 20_000
"""Characters of one text in a document of a sign-off; the longest of a real one has some hundred."""


def violations(document: object, schema: str) -> list[str]:
    """What a document breaks of ``schemas/signoff/<schema>.json``, each with its place."""
    longest = _longest(document)
    if longest > TEXT_AT_MOST:
        return [f"a text of {longest} characters; no sign-off holds more than {TEXT_AT_MOST}"]
    errors = sorted(_validator(schema).iter_errors(document), key=lambda error: list(map(str, error.path)))
    problems = [f"{error.json_path}: {error.message[:200]}" for error in errors[:SHOWN]]
    more = len(errors) - len(problems)
    return problems if more <= 0 else [*problems, f"{more} violations more"]


def _longest(part: object) -> int:
    if isinstance(part, dict):
        return max((_longest(one) for one in (*part, *part.values())), default=0)
    if isinstance(part, list):
        return max(map(_longest, part), default=0)
    return len(part) if isinstance(part, str) else 0


@cache
def _validator(schema: str) -> Draft202012Validator:
    path = schema_directory() / FOLDER / f"{schema}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Draft202012Validator(content, format_checker=TIMES)
