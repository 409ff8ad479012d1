"""The schema files, and validation against them: healthy answers, and mutations that break one rule."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai.types
import openai.types.chat
import openai.types.chat.chat_completion_chunk as streamed
import pytest
from jsonschema import Draft202012Validator

from gateway_acceptance.check import Level
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.wire.schema import NoSuchSchemaError, problems_of
from gateway_acceptance.wire.schema_files import schema_directory
from tests.unit.bodies import (
    CHAT,
    CHAT_FULL,
    CHAT_OLD,
    CHUNK,
    CHUNK_FULL,
    COMPLETION,
    EMBEDDINGS,
    ERROR,
    ERROR_AUTH,
    MODEL,
    MODELS,
    changed,
)

LITERAL: list[tuple[str, Any]] = [
    ("chat-completion", CHAT_FULL),
    ("chat-completion-chunk", CHUNK_FULL),
    ("completion", COMPLETION),
    ("embedding-response", EMBEDDINGS),
    ("model-list", MODELS),
    ("model", MODEL),
    ("error-envelope", ERROR),
    ("error-envelope", ERROR_AUTH),
]
DEVIATING: list[tuple[str, Any]] = [
    ("chat-completion", CHAT),
    ("chat-completion", CHAT_OLD),
    ("chat-completion-chunk", CHUNK),
    ("error-envelope", {"error": {"message": "no"}}),
    ("error-envelope", {"error": {**ERROR["error"], "type": None}}),
]


@pytest.mark.parametrize(("schema", "body"), LITERAL)
def test_what_is_documented_is_healthy(schema: str, body: object) -> None:
    assert problems_of(body, schema) == []


@pytest.mark.parametrize(("schema", "body"), DEVIATING)
def test_what_clients_bear_breaks_only_the_literal_contract(schema: str, body: object) -> None:
    assert {problem.level for problem in problems_of(body, schema)} == {Level.SHOULD}


CHOICE = "/properties/choices/items"
MESSAGE = f"{CHOICE}/properties/message/properties"
TOOLS = f"{MESSAGE}/tool_calls/items"
VECTOR = "/properties/data/items/properties/embedding"

MUTATIONS = [
    ("chat-completion", CHAT, "/id", ..., "/required/id"),
    ("chat-completion", CHAT, "/id", "", "/properties/id/minLength"),
    ("chat-completion", CHAT, "/object", "chat.completion.chunk", "/properties/object/const"),
    ("chat-completion", CHAT, "/created", 1.0, "/properties/created/type"),
    ("chat-completion", CHAT, "/created", True, "/properties/created/type"),
    ("chat-completion", CHAT, "/created", -1, "/properties/created/minimum"),
    ("chat-completion", CHAT, "/choices", [], "/properties/choices/minItems"),
    ("chat-completion", CHAT, "/choices/0/index", "0", f"{CHOICE}/properties/index/type"),
    ("chat-completion", CHAT, "/choices/0/finish_reason", None, f"{CHOICE}/properties/finish_reason/enum"),
    ("chat-completion", CHAT, "/choices/0/message/content", ["a"], f"{MESSAGE}/content/type"),
    ("chat-completion", CHAT, "/choices/0/message/role", "user", f"{MESSAGE}/role/const"),
    (
        "chat-completion",
        CHAT_FULL,
        "/choices/0/message/tool_calls/0/function/arguments",
        {},
        f"{TOOLS}/then/properties/function/properties/arguments/type",
    ),
    (
        "chat-completion",
        CHAT_FULL,
        "/choices/0/message/tool_calls/0/function",
        ...,
        f"{TOOLS}/then/required/function",
    ),
    (
        "chat-completion",
        CHAT_FULL,
        "/choices/0/logprobs/content/0/logprob",
        "a",
        f"{CHOICE}/properties/logprobs/properties/content/items/properties/logprob/type",
    ),
    ("chat-completion", CHAT, "/usage/total_tokens", ..., "/properties/usage/required/total_tokens"),
    ("chat-completion", CHAT, "/usage", None, "/properties/usage/type"),
    ("chat-completion-chunk", CHUNK, "/choices/0/delta", ..., f"{CHOICE}/required/delta"),
    (
        "chat-completion-chunk",
        CHUNK,
        "/choices/0/delta/role",
        "user",
        f"{CHOICE}/properties/delta/properties/role/enum",
    ),
    (
        "chat-completion-chunk",
        CHUNK_FULL,
        "/choices/0/finish_reason",
        "",
        f"{CHOICE}/properties/finish_reason/enum",
    ),
    (
        "chat-completion-chunk",
        CHUNK_FULL,
        "/choices/0/delta/tool_calls/0/index",
        ...,
        f"{CHOICE}/properties/delta/properties/tool_calls/items/required/index",
    ),
    ("chat-completion-chunk", CHUNK_FULL, "/usage", {}, "/properties/usage/else/required/prompt_tokens"),
    ("completion", COMPLETION, "/choices/0/text", None, f"{CHOICE}/properties/text/type"),
    ("embedding-response", EMBEDDINGS, "/data/1/embedding/0", "x", f"{VECTOR}/items/type"),
    ("embedding-response", EMBEDDINGS, "/data/1/embedding/0", float("nan"), f"{VECTOR}/items/type"),
    ("embedding-response", EMBEDDINGS, "/data/1/embedding", "?", f"{VECTOR}/pattern"),
    ("embedding-response", EMBEDDINGS, "/data/1/embedding", [], f"{VECTOR}/minItems"),
    ("embedding-response", EMBEDDINGS, "/usage", ..., "/required/usage"),
    ("model-list", MODELS, "/object", "models", "/properties/object/const"),
    ("model-list", MODELS, "/data/0/owned_by", None, "/properties/data/items/properties/owned_by/type"),
    ("model", MODEL, "/created", "2023", "/properties/created/type"),
    ("error-envelope", ERROR, "/error", "no", "/properties/error/type"),
    ("error-envelope", ERROR, "/error/code", 400, "/properties/error/properties/code/type"),
    ("error-envelope", ERROR, "/error/message", "", "/properties/error/properties/message/minLength"),
]


@pytest.mark.parametrize(("schema", "body", "pointer", "value", "rule"), MUTATIONS)
def test_a_mutation_breaks_its_rule(
    schema: str, body: object, pointer: str, value: object, rule: str
) -> None:
    problems = at_level(problems_of(changed(body, pointer, value), schema), Level.MUST)
    found = next(problem for problem in problems if problem.rule == f"schema.{schema}.{rule}")
    assert found.where.startswith(pointer)
    assert found.source
    assert len(found.message) < 200


def test_labels_are_those_of_the_nearest_node() -> None:
    refusal, logprobs = problems_of(CHAT, "chat-completion")
    assert (refusal.level, refusal.source) == (
        Level.SHOULD,
        "openai-openapi ChatCompletionResponseMessage.required",
    )
    assert (logprobs.where, logprobs.message) == ("/choices/0/logprobs", "is absent")


def test_a_long_vector_is_not_dumped() -> None:
    body = changed(EMBEDDINGS, "/data/0/embedding", ["x" * 500] * 1536)
    found = problems_of(body, "embedding-response")
    assert [problem.message for problem in found][3:] == ["and 1533 more like these"]
    assert len(problems_of({"data": [0.1] * 1536}, "model")[0].message) < 200


def test_a_missing_schema_is_our_mistake(tmp_path: Path) -> None:
    with pytest.raises(NoSuchSchemaError, match=r"no nope\.json in .*there are chat-completion"):
        problems_of({}, "nope")
    with pytest.raises(NoSuchSchemaError, match="holds no schema"):
        problems_of({}, "model", directory=tmp_path)
    (tmp_path / "own.json").write_text('{"$ref": "other.json"}')
    (tmp_path / "other.json").write_text('{"type": "integer", "x-level": "SHOULD", "x-source": "here"}')
    assert problems_of(1.0, "own", directory=tmp_path) == [
        Problem("schema.own./type", "expected integer, got 1.0", "", Level.SHOULD, "here")
    ]


def test_nothing_nests_too_deep() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert problems_of(deep, "model")


FILES = sorted(schema_directory().glob("*.json"), key=lambda path: path.name)
CONSTRAINTS = {"type", "const", "enum", "required", "pattern", "minimum", "maximum", "minLength", "minItems"}
"""Keywords that refuse something."""

STRUCTURE = {"$schema", "title", "$ref", "$defs", "properties", "items", "allOf", "if", "then", "else"}
ANNOTATIONS = {"$comment", "x-source", "x-level"}


def nodes(schema: dict[str, Any], where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema in a schema that states something, with its pointer; an ``if`` only asks."""
    yield where, schema
    for keyword in ("properties", "$defs"):
        for name, inner in schema.get(keyword, {}).items():
            yield from nodes(inner, f"{where}/{keyword}/{name}")
    for keyword in ("items", "then", "else"):
        if keyword in schema:
            yield from nodes(schema[keyword], f"{where}/{keyword}")
    for position, inner in enumerate(schema.get("allOf", [])):
        yield from nodes(inner, f"{where}/allOf/{position}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_schema_is_valid_and_each_constraint_has_its_source(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    Draft202012Validator.check_schema(schema)
    for where, node in nodes(schema):
        assert node.keys() <= CONSTRAINTS | STRUCTURE | ANNOTATIONS, where
        assert node.get("x-source") or not CONSTRAINTS & node.keys(), f"{where} has no source"
        if "allOf" in node:  # one, always: so the pointers of its rules never move
            assert [inner.get("x-level") for inner in node["allOf"]] == ["SHOULD"], where


def test_what_is_said_of_the_sdk_is_true() -> None:
    texts = [path.read_text("utf-8") for path in FILES]
    said = {match for text in texts for match in re.findall(r"openai-python (\w+)\.(\w+): Optional", text)}
    assert len(said) > 10
    for name, field in said - {("APIError", "type")}:
        places = (openai.types, openai.types.chat, streamed)
        model = next(getattr(place, name) for place in places if hasattr(place, name))
        assert not model.model_fields[field].is_required(), f"{name}.{field}"
