"""A small instance of a JSON Schema, always the same for the same schema.

It stands for what constrained decoding makes of a schema. Understood: const, enum, type (also a list of
types), required, items, prefixItems, minItems, minLength, maxLength, numeric bounds, multipleOf, the usual
string formats, local ``$ref``, allOf, and the first alternative of anyOf and oneOf. Not understood: pattern,
not, if/then/else, dependencies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

MAX_DEPTH = 32  # a schema that requires itself has no finite instance

_FORMATS = {
    "date": "2025-01-01",
    "date-time": "2025-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "hostname": "example.com",
}


def instance(schema: Schema, said: str = "") -> Any:
    """The smallest instance that the understood keywords of ``schema`` allow: required properties only. said:
    what the model would say without it, which it chooses where an enum has it; else the first.

    Raises ValueError where a ``$ref`` leads nowhere or the schema requires itself without end.
    """
    chosen = _chosen(schema, said) if said else schema
    return _build(chosen, chosen, 0)


def _chosen(schema: Any, said: str) -> Any:
    """The schema with what is said as the only choice where it is one."""
    if isinstance(schema, list):
        return [_chosen(part, said) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    if isinstance(schema.get("enum"), list) and said in schema["enum"]:
        return {**schema, "enum": [said]}
    return {name: _chosen(part, said) for name, part in schema.items()}


def _build(schema: object, root: Schema, depth: int, number: int = 0) -> Any:
    """One value; ``number`` tells the elements of an array apart, for uniqueItems."""
    if depth > MAX_DEPTH:
        raise ValueError("the schema requires itself without end")
    if not isinstance(schema, Mapping):  # true, or nothing: anything will do
        return _string({}, number)
    schema = _merged(schema, root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][number % len(schema["enum"])]
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            rest = {key: value for key, value in schema.items() if key != keyword}
            return _build({**rest, **_merged(schema[keyword][0], root)}, root, depth + 1, number)
    match _type_of(schema):
        case "object":
            properties = schema.get("properties", {})
            names = schema.get("required", [])
            return {name: _build(properties.get(name), root, depth + 1) for name in names}
        case "array":
            return _array(schema, root, depth)
        case "integer":
            return _number(schema, number, integral=True)
        case "number":
            return _number(schema, number, integral=False)
        case "boolean":
            return number % 2 == 0
        case "null":
            return None
        case _:
            return _string(schema, number)


def _merged(schema: Schema, root: Schema) -> dict[str, Any]:
    """The schema with its ``$ref`` and ``allOf`` folded in."""
    merged = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
    parts = [_resolved(schema["$ref"], root)] if "$ref" in schema else []
    for part in [*parts, *schema.get("allOf", [])]:
        for key, value in _merged(part, root).items():
            if key == "properties":
                merged[key] = {**value, **merged.get(key, {})}
            elif key == "required":
                merged[key] = list(dict.fromkeys([*merged.get(key, []), *value]))
            else:
                merged.setdefault(key, value)
    return merged


def _resolved(reference: str, root: Schema) -> Schema:
    node: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, Mapping) or key not in node:
            raise ValueError(f"$ref {reference!r} leads nowhere in the schema")
        node = node[key]
    if node is root or not isinstance(node, Mapping):
        raise ValueError(f"$ref {reference!r} is not followed")
    return node


def _type_of(schema: Schema) -> str:
    declared = schema.get("type")
    if isinstance(declared, list):
        declared = next((kind for kind in declared if kind != "null"), "null")
    if isinstance(declared, str):
        return declared
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "string"


def _array(schema: Schema, root: Schema, depth: int) -> list[Any]:
    prefix = list(schema.get("prefixItems", []))
    length = max(int(schema.get("minItems", 0)), len(prefix))
    items = [*prefix, *[schema.get("items")] * (length - len(prefix))]
    return [_build(item, root, depth + 1, number) for number, item in enumerate(items)]


def _number(schema: Schema, number: int, *, integral: bool) -> int | float:
    step = schema.get("multipleOf", 1 if integral else 0)
    low = schema.get("minimum")
    if (above := schema.get("exclusiveMinimum")) is not None:
        low = max(above + (step or 0.5), low if low is not None else -math.inf)
    high = schema.get("maximum")
    if (below := schema.get("exclusiveMaximum")) is not None:
        high = min(below - (step or 0.5), high if high is not None else math.inf)
    value: float = low if low is not None else min(0, high if high is not None else 0)
    if step:
        value = math.ceil(value / step) * step
    value += number * (step or 1)
    return int(value) if integral else float(value)


def _string(schema: Schema, number: int) -> str:
    text = _FORMATS.get(schema.get("format", ""), "text") if number == 0 else f"text {number}"
    text = text.ljust(int(schema.get("minLength", 0)), "x")
    return text[: int(schema["maxLength"])] if "maxLength" in schema else text
