"""The record's published JSON Schema, generated from its model: ``gateway-acceptance schemas --write``."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from gateway_acceptance.record_model.base import Declared, given
from gateway_acceptance.record_model.record import Record

FILE = "tracker/record.json"
"""Below the folder of schemas."""


class Published(GenerateJsonSchema):
    """As people read it: without titles that repeat a name and defaults of what is left out; what is left out
    is never null; tables of the environment file are open, and described by their own page."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def default_schema(self, schema: Any) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def function_before_schema(self, schema: Any) -> dict[str, Any]:
        inner = schema["schema"]
        if schema["function"]["function"] is given and inner["type"] == "nullable":
            return self.generate_inner(inner["schema"])
        return super().function_before_schema(schema)

    def model_schema(self, schema: Any) -> dict[str, Any]:
        made = super().model_schema(schema)
        made.pop("title", None)
        if "description" in made:
            made["description"] = " ".join(made["description"].split())
        if issubclass(schema["cls"], Declared):
            made = {name: made[name] for name in ("type", "description", "required") if name in made}
        if made.get("additionalProperties") is True:
            del made["additionalProperties"]
        return made


def record_schema() -> dict[str, Any]:
    """The schema as it is published."""
    made = Record.model_json_schema(schema_generator=Published)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "record.json",
        "title": "record.json: every verdict of one run of one environment; the authority",
    }
    return {**head, **{name: part for name, part in made.items() if name not in ("title", "description")}}


def record_schema_text() -> str:
    """The published file's text."""
    return json.dumps(record_schema(), indent=2, ensure_ascii=False) + "\n"
