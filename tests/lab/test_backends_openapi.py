"""The backends' answers, held against Ollama's published API description, read where it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.lab.test_backends_client import ask, chat, make_backend

REFERENCE = Path(__file__).parents[2] / "../shared/reference/ollama-openapi.yaml"

TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "d",
        "parameters": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
    },
}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
OPTIONS = {
    "temperature": 0,
    "seed": 1,
    "num_predict": 9,
    "num_ctx": 2048,
    "top_p": 0.9,
    "stop": ["END"],
    "repeat_penalty": 1.1,
}
CHATS: dict[str, dict[str, Any]] = {
    "plain": chat("hello"),
    "options": chat("hello", options=OPTIONS, keep_alive="5m"),
    "cut": chat("Count from 1 to 99", options={"num_predict": 3}),
    "json": chat("hello", format="json"),
    "schema": chat("hello", format=SCHEMA),
    "tools": chat("Call the tool f with {}", tools=[TOOL]),
    "load": {"model": "phi3", "messages": [], "stream": False},
    "conversation": {
        "model": "llama3.2:3b",
        "stream": False,
        "messages": [
            {"role": "system", "content": "rule"},
            {"role": "user", "content": "use f", "images": []},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "f", "arguments": {"a": "b"}}}],
            },
            {"role": "tool", "content": "42", "tool_call_id": "call_1"},
        ],
    },
}
GENERATES: dict[str, dict[str, Any]] = {
    "plain": {"model": "phi3", "prompt": "hello", "stream": False, "images": []},
    "options": {"model": "phi3", "prompt": "hello", "system": "rule", "stream": False, "options": OPTIONS},
    "json": {"model": "phi3", "prompt": "hello", "stream": False, "format": "json"},
    "load": {"model": "phi3", "stream": False},
}
EMBEDS: dict[str, dict[str, Any]] = {
    "text": {"model": "all-minilm", "input": "a"},
    "batch": {"model": "all-minilm", "input": ["a", "b"], "truncate": True, "dimensions": 8, "options": {}},
    "nothing": {"model": "all-minilm", "input": []},
}


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    """Ollama's description as published."""
    if not REFERENCE.is_file():
        pytest.skip("reference absent: ../shared/reference/ollama-openapi.yaml is not beside the repository")
    loaded = yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def problems(description: dict[str, Any], schema: dict[str, Any], value: object) -> list[str]:
    """What violates a schema of the description, and which fields it does not know at all."""
    whole = {**schema, "components": description["components"]}
    validator = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def response_schema(description: dict[str, Any], path: str, method: str, media: str) -> dict[str, Any]:
    schema = description["paths"][path][method]["responses"]["200"]["content"][media]["schema"]
    assert isinstance(schema, dict)
    return schema


def request_schema(description: dict[str, Any], path: str) -> dict[str, Any]:
    schema = description["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert isinstance(schema, dict)
    return schema


def fields_of(description: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """The top-level fields a schema names."""
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(schema["properties"])


@pytest.mark.parametrize("path", ["/api/version", "/api/tags", "/api/ps"])
def test_listings(description: dict[str, Any], path: str) -> None:
    backend = make_backend()
    ask("/api/chat", chat("hello"), backend=backend)
    answer = ask(path, backend=backend).json
    schema = response_schema(description, path, "get", "application/json")
    assert problems(description, schema, answer) == []
    assert set(answer) == fields_of(description, schema)


@pytest.mark.parametrize("listing", [("/api/tags", "ModelSummary"), ("/api/ps", "Ps")])
def test_entries_have_every_field_of_a_local_model(
    description: dict[str, Any], listing: tuple[str, str]
) -> None:
    path, name = listing
    backend = make_backend()
    ask("/api/chat", chat("hello"), backend=backend)
    entry = ask(path, backend=backend).json["models"][0]
    named = set(description["components"]["schemas"][name]["properties"])
    assert named - set(entry) <= {"remote_model", "remote_host"}
    assert set(entry) <= named


def test_show(description: dict[str, Any]) -> None:
    schema = response_schema(description, "/api/show", "post", "application/json")
    answer = ask("/api/show", {"model": "phi3"}).json
    assert problems(description, schema, answer) == []
    assert fields_of(description, schema) <= set(answer)


CASES = [
    *[("/api/chat", case, body) for case, body in CHATS.items()],
    *[("/api/generate", case, body) for case, body in GENERATES.items()],
    *[("/api/embed", case, body) for case, body in EMBEDS.items()],
]


@pytest.mark.parametrize(("path", "case", "body"), CASES, ids=[f"{path}-{case}" for path, case, _ in CASES])
def test_answers(description: dict[str, Any], path: str, case: str, body: dict[str, Any]) -> None:
    assert problems(description, request_schema(description, path), body) == [], "the request of this test"
    reply = ask(path, body)
    assert reply.status == 200
    schema = response_schema(description, path, "post", "application/json")
    assert problems(description, schema, reply.json) == []
    missing = fields_of(description, schema) - set(reply.json) - {"thinking", "logprobs"}
    assert set(reply.json) <= fields_of(description, schema)
    assert case in ("load", "nothing") or not missing


@pytest.mark.parametrize(
    ("path", "case", "body"),
    [case for case in CASES if case[0] != "/api/embed"],
    ids=[f"{path}-{case}" for path, case, _ in CASES if path != "/api/embed"],
)
def test_stream_lines(description: dict[str, Any], path: str, case: str, body: dict[str, Any]) -> None:
    lines = ask(path, {**body, "stream": True}).lines
    schema = response_schema(description, path, "post", "application/x-ndjson")
    found = [problem for line in lines for problem in problems(description, schema, line)]
    assert found == []
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert case == "load" or len(lines) > 1


def test_errors(description: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/ErrorResponse", "required": ["error"]}
    for path, body in (("/api/chat", {"model": "nope"}), ("/api/embed", b"nonsense"), ("/api/generate", {})):
        reply = ask(path, body)
        assert reply.status in (400, 404)
        assert problems(description, schema, reply.json) == []


def test_the_validation_can_fail(description: dict[str, Any]) -> None:
    schema = response_schema(description, "/api/embed", "post", "application/json")
    assert problems(description, schema, {"embeddings": [["x"]]})
    assert problems(description, request_schema(description, "/api/embed"), {"model": "a"})
