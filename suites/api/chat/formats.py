"""What is asked for answers in a form that a program reads."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from gateway_acceptance.environment import Ability
from suites.api.chat.probes import ChatProbe, echo, user

TOKENS = 160
"""A small object; the rest bounds a model that will not stop."""

PLACE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "inhabitants": {"type": "integer"},
        "coastal": {"type": "boolean"},
        "districts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["city", "inhabitants", "coastal", "districts"],
    "additionalProperties": False,
}
"""Within what OpenAI allows of a strict schema: everything required, nothing else allowed."""


PLACE_TEXT = (
    '{"city": "Oslo", "inhabitants": 700000, "coastal": true, '
    '"districts": [{"name": "Sagene"}, {"name": "Frogner"}]}'
)


def is_object(text: str) -> bool:
    """Whether a text is a JSON object and nothing beside it."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def is_place(text: str) -> bool:
    """Whether a text is JSON that conforms to the schema."""
    try:
        return Draft202012Validator(PLACE).is_valid(json.loads(text))
    except (ValueError, RecursionError):
        return False


JSON_MODE = ChatProbe(
    "JSON mode",
    "answers in JSON",
    [user("Count from 1 to 5 and answer in JSON")],
    is_object,
    TOKENS,
    "json",
    (Ability.JSON_OBJECT,),
    echo('{"1": "one"}'),
)
SCHEMA = ChatProbe(
    "schema",
    "answers as a schema demands",
    [user("Which city is the capital of Norway? How many live there, in which two districts, by the sea?")],
    is_place,
    TOKENS,
    PLACE,
    (Ability.JSON_SCHEMA,),
    echo(PLACE_TEXT),
)
OBJECT_FORM: dict[str, Any] = {"type": "json_object"}
SCHEMA_FORM: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {"name": "place", "strict": True, "schema": PLACE},
}
"""Values of ``response_format``."""
