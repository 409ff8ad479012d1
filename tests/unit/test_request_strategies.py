"""The strategies: what is called valid is valid, and what is called spoiled is not."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft202012Validator

from suites.api.properties.strategies import (
    CHAT_MUTATIONS,
    EMBEDDING_MUTATIONS,
    LONG_TEXT,
    MOST_TOKENS,
    Json,
    Mutation,
    encoded,
    mutated,
    valid_chats,
    valid_embeddings,
)

CHATS, EMBEDDINGS = valid_chats("hx-chat"), valid_embeddings("emb-light")

TEXTS = {"type": "string", "minLength": 1}
CHAT_SCHEMA = {
    "type": "object",
    "required": ["model", "messages"],
    "additionalProperties": False,
    "properties": {
        "model": {"const": "hx-chat"},
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["role", "content"],
                "properties": {"role": {"enum": ["system", "user", "assistant"]}, "content": TEXTS},
            },
        },
        "max_tokens": {"type": "integer", "minimum": 1, "maximum": MOST_TOKENS},
        "max_completion_tokens": {"type": "integer", "minimum": 1, "maximum": MOST_TOKENS},
        "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        "top_p": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "presence_penalty": {"type": "number", "minimum": -2, "maximum": 2},
        "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
        "seed": {"type": "integer"},
        "n": {"type": "integer", "minimum": 1},
        "user": TEXTS,
        "stream": {"type": "boolean"},
        "stop": {"anyOf": [TEXTS, {"type": "array", "minItems": 1, "maxItems": 4, "items": TEXTS}]},
        "tools": {"type": "array"},
        "response_format": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"const": "text"}},
        },
    },
}
EMBEDDING_SCHEMA = {
    "type": "object",
    "required": ["model", "input"],
    "additionalProperties": False,
    "properties": {
        "model": {"const": "emb-light"},
        "input": {"anyOf": [TEXTS, {"type": "array", "minItems": 1, "items": TEXTS}]},
        "encoding_format": {"enum": ["float", "base64"]},
        "user": TEXTS,
    },
}
"""What the specification says of the fields that the strategies use (CreateChatCompletionRequest,
CreateEmbeddingRequest); the SDK's own types do not tell: pydantic reads their iterables lazily."""

explored = settings(
    max_examples=50, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


@explored
@given(CHATS)
def test_valid_chats_are_valid(chat: Json) -> None:
    assert not _errors(chat, CHAT_SCHEMA)
    assert chat["messages"][-1]["role"] == "user"
    assert len({"max_tokens", "max_completion_tokens"} & chat.keys()) == 1
    assert sum(len(message["content"]) for message in chat["messages"]) <= 6 * LONG_TEXT
    assert json.loads(encoded(chat)) == chat, "it survives its encoding"


@explored
@given(EMBEDDINGS)
def test_valid_embeddings_are_valid(request: Json) -> None:
    assert not _errors(request, EMBEDDING_SCHEMA)
    assert json.loads(encoded(request)) == request


def test_streams_differ_in_nothing_else() -> None:
    @explored
    @given(valid_chats("hx-chat", stream=True))
    def holds(chat: Json) -> None:
        assert chat["stream"] is True
        assert not _errors(chat, CHAT_SCHEMA)

    holds()


@pytest.mark.parametrize("mutation", CHAT_MUTATIONS.values(), ids=lambda mutation: mutation.name)
def test_mutated_chats_are_invalid(mutation: Mutation) -> None:
    """Each one breaks the schema, or is no JSON at all."""
    _check(mutation, CHATS, CHAT_SCHEMA)


@pytest.mark.parametrize("mutation", EMBEDDING_MUTATIONS.values(), ids=lambda mutation: mutation.name)
def test_mutated_embeddings_are_invalid(mutation: Mutation) -> None:
    _check(mutation, EMBEDDINGS, EMBEDDING_SCHEMA)


def _check(mutation: Mutation, valid: SearchStrategy[Json], schema: Json) -> None:
    @explored
    @given(mutated(valid, mutation))
    def holds(body: bytes) -> None:
        try:
            document = json.loads(body)
        except ValueError:
            return
        assert _errors(document, schema), body

    holds()


def _errors(document: object, schema: Json) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]
