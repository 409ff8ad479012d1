"""A look's sections, held against their shapes: what has another one is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gateway_acceptance.host.shapes import SHAPES

SHOWN = 120
"""Characters of a place that are told: its names are the machine's."""


def well_formed(sections: Mapping[str, Any]) -> dict[str, Any]:
    """The same sections; each that has another shape is missing, with the first place that is wrong."""
    return {name: _formed(name, section) for name, section in sections.items()}


def complete(sections: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """The same sections; one that does not tell of all that it was asked for by name is missing."""
    found = dict(sections)
    for name in ("commands", "files", "reach"):
        left: Collection[str] = {*request.get(name, ())} - {
            *found.get(name, {}).get("value", request.get(name, ()))
        }
        if left:
            found[name] = _missing(f"nothing of {', '.join(sorted(left))}")
    for name in request["sections"]:
        found.setdefault(name, _missing("it did not come"))
    return found


def _formed(name: str, section: Any) -> Any:
    if not isinstance(section, dict):
        return _missing(f"it came as {type(section).__name__}")
    if "value" not in section:
        explained = isinstance(section.get("missing"), str) and isinstance(section.get("needs"), str)
        return section if explained else _missing("neither a value nor why there is none")
    if name not in SHAPES:
        return section
    try:
        _adapter(name).validate_python(section["value"])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "it"
        return _missing(f"{place[:SHOWN]}: {first['msg']}")
    return section


def _missing(what: str) -> dict[str, str]:
    return {"missing": f"the machine's facts have another shape: {what}", "needs": ""}


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(SHAPES[name])
