"""The published schemas of a sign-off: valid themselves, strict, and described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway_acceptance.signoff.schema import violations
from gateway_acceptance.signoff.uncovered import read_limits
from gateway_acceptance.usage import UsageProblem

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "schemas" / "signoff").glob("*.json"))


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from nodes(value)


def test_what_is_published() -> None:
    assert [path.name for path in FILES] == ["attestation.json", "manifest.json", "signoff.json"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_schema_is_valid_and_lets_nothing_else_in(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]
    objects = [node for node in nodes(schema) if node.get("type") == "object"]
    assert objects
    assert all("additionalProperties" in node for node in objects)


def test_violations_have_a_place_and_are_counted() -> None:
    assert violations({"format": 1, "files": {"a": "0" * 64}}, "manifest") == []
    (told,) = violations({"format": 1, "files": {"a": "0"}}, "manifest")
    assert told.startswith("$.files.a: '0' does not match")
    assert violations({"format": 1, "files": {f"a{n}": "0" for n in range(9)}}, "manifest")[-1] == (
        "4 violations more"
    )


@pytest.mark.parametrize("name", ["/etc/passwd", "a//b", "a\\b", ""])
def test_a_manifest_names_relative_paths(name: str) -> None:
    assert violations({"format": 1, "files": {name: "0" * 64}}, "manifest") != []


def test_the_suites_own_limits_can_be_read() -> None:
    assert len(read_limits(ROOT / "suites" / "limits.toml")) > 3


@pytest.mark.parametrize(
    "text", ["", "limits = []\nmore = 1", 'limits = "one"', "limits = [1]", "limits = ["]
)
def test_limits_that_are_wrong(tmp_path: Path, text: str) -> None:
    (tmp_path / "limits.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageProblem, match=r"limits\.toml: "):
        read_limits(tmp_path / "limits.toml")
