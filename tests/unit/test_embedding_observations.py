"""How embedding answers are read, and refusals of inputs judged."""

from __future__ import annotations

import base64
import json
import struct

import pytest

from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from suites.api.embeddings.probes import raw_vectors, refusal_problems, usage, vectors

JSON_TYPE = (("content-type", "application/json"),)


def answer(status: int, body: object) -> Exchange:
    data = json.dumps(body).encode()
    return Exchange("POST", "http://g", (), b"", status=status, headers=JSON_TYPE, chunks=((0.1, data),))


def embedded(*values: object) -> Exchange:
    return answer(200, {"data": [{"embedding": value} for value in values]})


def test_floats_and_base64_are_read_alike() -> None:
    packed = base64.b64encode(struct.pack("<2f", 0.5, -1.0)).decode()
    assert vectors(embedded([0.5, -1.0], packed), 2) == [[0.5, -1.0], [0.5, -1.0]]
    assert raw_vectors(embedded(packed), 1) == [packed]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (answer(500, {}), "expected 200 .* got 500"),
        (answer(200, []), "expected 1 vectors"),
        (answer(200, {"data": []}), "expected 1 vectors"),
        (embedded([0.5], [0.5]), "expected 1 vectors"),
        (embedded(None), "expected a vector at /data/0/embedding, got None"),
        (embedded("no base64!"), "expected a vector"),
        (answer(200, {"data": [5]}), "expected a vector"),
    ],
)
def test_what_is_no_vector_fails_the_check(given: Exchange, words: str) -> None:
    with pytest.raises(CheckFailed, match=words):
        vectors(given, 1)


def test_usage() -> None:
    counted = {"prompt_tokens": 2, "total_tokens": 2}
    assert usage(answer(200, {"usage": counted})) == counted


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"usage": None},
        {"usage": {"prompt_tokens": 2}},
        {"usage": {"prompt_tokens": True, "total_tokens": 1}},
    ],
)
def test_usage_that_is_none_fails_the_check(body: object) -> None:
    with pytest.raises(CheckFailed, match="expected usage"):
        usage(answer(200, body))


def test_refusals() -> None:
    error = {"error": {"message": "no", "type": "t", "param": None, "code": None}}
    assert refusal_problems("x", answer(400, error)) == []
    (served,) = refusal_problems("x", answer(200, {"data": []}))
    assert "x: expected a refusal (400, 413, 422), got 200" in served.message
    (crashed,) = refusal_problems("x", answer(500, error))
    assert "got 500" in crashed.message
    assert refusal_problems("x", answer(400, {"detail": "no"}))
