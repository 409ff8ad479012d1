"""Ollama's own OpenAI-compatible surface: what it refuses, and how its answers are told apart."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from gateway_acceptance.wire.schema import embedding_vector
from lab.backends import BackendServer, ModelSpec
from lab.backends.answers import BackendAnswer
from lab.backends.compatible import CHAT, EMBEDDINGS, answer
from lab.backends.embedding import embed
from lab.backends.scenario import HEALTHY, Call

ASKED: dict[str, Any] = {
    "model": "phi3",
    "messages": [{"role": "user", "content": "Return exactly the text: x"}],
}


def told(
    fields: Mapping[str, object] = MappingProxyType({}), backend: str = "llm-01", index: int = 1
) -> BackendAnswer:
    """The answer to a chat completion with further fields."""
    body = {**ASKED, **fields}
    call = Call(backend, CHAT, "phi3:latest", index, body)
    return answer(BackendServer(backend, {"phi3": ModelSpec("chat")}), HEALTHY, call, "POST", body)


@pytest.mark.parametrize(
    ("name", "value", "kinds"),
    [
        ("temperature", "warm", ("string", "float64")),
        ("top_p", {}, ("object", "float64")),
        ("frequency_penalty", True, ("bool", "float64")),
        ("max_tokens", "many", ("string", "int")),
        ("max_completion_tokens", "many", ("string", "int")),
        ("seed", [], ("array", "int")),
        ("response_format", "json", ("string", "openai.ResponseFormat")),
        ("stream_options", 1, ("number", "openai.StreamOptions")),
    ],
)
def test_a_field_of_the_wrong_type_is_refused_in_gos_words(
    name: str, value: object, kinds: tuple[str, str]
) -> None:
    """Ollama binds the body to a struct, and answers 400 where that fails (openai/openai.go)."""
    refused = told({name: value})
    seen, wanted = kinds
    message = (
        f"json: cannot unmarshal {seen} into Go struct field ChatCompletionRequest.{name} of type {wanted}"
    )
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    assert (refused.status, refused.objects) == (400, ({"error": error},))


def test_null_is_as_good_as_absent() -> None:
    names = ("temperature", "max_tokens", "seed", "response_format", "stream_options")
    nothing: dict[str, Any] = dict.fromkeys(names)
    assert told(nothing).objects == told().objects


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_by_either_name(name: str) -> None:
    (limited,) = told({"messages": [{"role": "user", "content": "Count from 1 to 9"}], name: 2}).objects
    assert limited["usage"]["completion_tokens"] == 2
    assert limited["choices"][0]["finish_reason"] == "length"


def test_ids_differ_between_requests_and_between_backends() -> None:
    asked = [("llm-01", 1), ("llm-01", 2), ("llm-02", 1)]
    ids = [told(backend=backend, index=index).objects[0]["id"] for backend, index in asked]
    assert len(set(ids)) == 3
    assert told().objects[0]["id"] == ids[0]


def embedded(**fields: object) -> BackendAnswer:
    """The answer to a request for vectors with further fields."""
    body = {"model": "vec", "input": ["a", "b"], **fields}
    call = Call("llm-01", EMBEDDINGS, "vec:latest", 1, body)
    models = {"vec": ModelSpec("embedding", dimensions=4)}
    return answer(BackendServer("llm-01", models), HEALTHY, call, "POST", body)


def test_vectors_are_those_of_its_own_protocol() -> None:
    (given,) = embedded().objects
    assert (given["object"], given["model"], given["usage"]["total_tokens"]) == ("list", "vec", 2)
    assert [entry["embedding"] for entry in given["data"]] == [embed("vec:latest", text, 4) for text in "ab"]
    assert [entry["index"] for entry in given["data"]] == [0, 1]
    assert {entry["object"] for entry in given["data"]} == {"embedding"}


def test_vectors_in_base64() -> None:
    (given,) = embedded(encoding_format="base64").objects
    vector = embedding_vector(given["data"][0]["embedding"])
    assert vector == pytest.approx(embed("vec:latest", "a", 4), abs=1e-6)


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"input": None}, 400, "invalid input"),
        ({"input": []}, 400, "invalid input"),
        ({"input": [1]}, 400, "invalid input type"),
        ({"encoding_format": "hex"}, 400, "Invalid value for 'encoding_format' = hex. Supported"),
        ({"model": "ghost"}, 404, "model 'ghost' not found"),
    ],
)
def test_what_gets_no_vector(fields: dict[str, object], status: int, words: str) -> None:
    refused = embedded(**fields)
    assert refused.status == status
    assert refused.objects[0]["error"]["message"].startswith(words)
