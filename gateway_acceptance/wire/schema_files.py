"""Validation against the JSON Schemas in ``schemas/``: every violation, with its rule's level and source.

A schema says beside a constraint where it comes from (``x-source``) and how much it matters (``x-level``,
MUST where it is silent); both hold for everything below, until said otherwise. See docs/schemas.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gateway_acceptance import places
from gateway_acceptance.check import Level
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.rule import collapse, is_finite, is_integer, quoted
from gateway_acceptance.wire.strict_json import DEPTH

if TYPE_CHECKING:  # imported where a first value is validated: a collection validates none
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

Files = Mapping[str, dict[str, Any]]
"""Schemas by file name."""


class NoSuchSchemaError(LookupError):
    """There is no such schema file: a mistake of the suite or of its installation, never of the target."""


NUMBER_KEYS = frozenset({"type", "x-level", "x-source", "$comment"})
"""What a schema may say that asks for numbers and nothing else."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a schema says of one of its rules."""

    level: Level
    source: str


def problems_of(instance: object, schema: str, *, directory: Path | None = None) -> list[Problem]:
    """Every violation of ``schemas/<schema>.json`` by a JSON value.

    Each problem has the rule ``schema.<schema>.<JSON pointer of the rule>``, as in
    ``schema.model./properties/id/type``; for ``required`` the missing name ends the pointer. Its place is a
    JSON pointer into the value. Of one rule the first violations are reported and the others counted.
    Raises NoSuchSchemaError where the file is not to be found.
    """
    directory = directory or schema_directory()
    name = f"{schema}.json"
    files = schema_files(directory)
    if name not in files:
        raise NoSuchSchemaError(f"there is no {name} in {directory}; there are {', '.join(sorted(files))}")
    try:
        errors = list(_validator(directory, name).iter_errors(cast(Any, instance)))
    except RecursionError:
        return [DEPTH.problem("the value nests too deep to be validated")]
    return collapse(_problem(error, schema, files) for error in errors)


@cache
def schema_directory() -> Path:
    """The schemas that came with this package. Raises NoSuchSchemaError where the installation lost them."""
    folder = places.schemas()
    if not (folder / "model.json").is_file():
        raise NoSuchSchemaError(f"{folder} holds no schemas; install the suite again")
    return folder


@cache
def schema_files(directory: Path) -> Files:
    """Every schema of the folder by file name; with the published ones, those that lie in the folder of an
    endpoint (``suites/api/<endpoint>/<object>.json``). Raises NoSuchSchemaError where there is none."""
    paths = sorted(directory.glob("*.json"))
    if directory == places.schemas():
        paths += sorted(places.endpoint_schemas())
    files = {path.name: json.loads(path.read_text("utf-8")) for path in paths}
    if not files:
        raise NoSuchSchemaError(f"{directory} holds no schema")
    for content in files.values():
        content.pop("$schema", None)  # or a $ref would switch to the dialect's own, more lenient types
    return files


def label_of(files: Files, name: str, path: Iterable[str | int]) -> Label:
    """Level and source of the rule at ``path`` below file ``name``: the nearest that enclose it."""
    level, source = Level.MUST, ""
    node: Any = files[name]
    for token in path:
        while isinstance(node, dict):
            level, source = Level(node.get("x-level", level)), node.get("x-source", source)
            if token in node or "$ref" not in node:
                break
            name, node = _target(files, name, node["$ref"])
        if not isinstance(node, dict) and not isinstance(token, int):
            break  # the name that ends the path of a ``required``
        node = node[token]
    return Label(level, source)


def _target(files: Files, name: str, reference: str) -> tuple[str, Any]:
    """File and node that a ``$ref`` in file ``name`` means."""
    file, _, pointer = reference.partition("#")
    name = file or name
    node: Any = files[name]
    for token in pointer.split("/")[1:]:
        node = node[token.replace("~1", "/").replace("~0", "~")]
    return name, node


def _required(_: Validator, names: list[str], instance: object, __: object) -> Iterator[ValidationError]:
    """As the standard's, and the path tells which name is missing."""
    from jsonschema import ValidationError

    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                yield ValidationError("", path=[name], schema_path=[name])


def _items(validator: Any, items: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """As the standard's; a good vector of numbers is passed at once, which saves seconds per batch."""
    only_numbers = isinstance(items, dict) and items.get("type") == "number" and items.keys() <= NUMBER_KEYS
    if only_numbers and isinstance(instance, list) and all(map(is_finite, instance)):
        return
    from jsonschema import Draft202012Validator

    yield from Draft202012Validator.VALIDATORS["items"](validator, items, instance, schema)


@cache
def _validating() -> type[Validator]:
    """The standard counts 1.0 among the integers; Go, Java and C# clients refuse it."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: is_integer(value),
            "number": lambda _, value: is_finite(value),
        }
    )
    kind: type[Validator] = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"required": _required, "items": _items}, type_checker=types
    )
    return kind


@cache
def _validator(directory: Path, name: str) -> Validator:
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    files = schema_files(directory)
    resources = [(file, DRAFT202012.create_resource(content)) for file, content in files.items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    return _validating()(files[name], registry=registry)


def _problem(error: ValidationError, schema: str, files: Files) -> Problem:
    path = list(error.absolute_schema_path)
    label = label_of(files, f"{schema}.json", path)
    rule = f"schema.{schema}.{pointer_of(path)}"
    return Problem(rule, _message(error), pointer_of(error.absolute_path), label.level, label.source)


def pointer_of(path: Iterable[str | int]) -> str:
    """The JSON pointer of a path; the empty string means the whole."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in path)


def _message(error: ValidationError) -> str:
    value: Any = error.validator_value
    seen = quoted(error.instance)
    match error.validator:
        case "required":
            return "is absent"
        case "type":
            types = [value] if isinstance(value, str) else value
            return f"expected {' or '.join(types)}, got {seen}"
        case "const":
            return f"expected {quoted(value)}, got {seen}"
        case "enum":
            return f"expected one of {', '.join(quoted(item) for item in value)}, got {seen}"
    return f"expected {error.validator} {quoted(value)}, got {seen}"
