"""The published schemas of a sign-off's own documents (schemas/signoff/)."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from gateway_acceptance.wire.schema_files import schema_directory

FOLDER = "signoff"
SHOWN = 5
"""Violations that are told of one document; the rest is counted."""


def violations(document: object, schema: str) -> list[str]:
    """What a document breaks of ``schemas/signoff/<schema>.json``, each with its place."""
    errors = sorted(_validator(schema).iter_errors(document), key=lambda error: list(map(str, error.path)))
    told = [f"{error.json_path}: {error.message[:200]}" for error in errors[:SHOWN]]
    more = len(errors) - len(told)
    return told if more <= 0 else [*told, f"{more} violations more"]


@cache
def _validator(schema: str) -> Draft202012Validator:
    path = schema_directory() / FOLDER / f"{schema}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Draft202012Validator(content)
