"""A backend asked directly: what it says of its models, and its own count."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from gateway_acceptance.environment import Backend
from gateway_acceptance.verdict import CheckFailed, NoAnswer, Untestable
from gateway_acceptance.wire.backends.ollama import OllamaClient
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.sender import Sender

BACKEND = Backend(name="one", url="http://127.0.0.1:11434", counts="/counts?mark={mark}")


class Canned:
    """Answers every request alike, and keeps what was asked."""

    def __init__(self, status: int, body: object, failure: Exception | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._status, self._body, self._failure = status, body, failure

    def send(self, method: str, url: str, **_: Any) -> Exchange:
        self.asked.append((method, url))
        if self._failure is not None:
            raise self._failure
        chunks = ((0.1, json.dumps(self._body).encode()),)
        return Exchange(method, url, (), b"", self._status, chunks=chunks)


def client(status: int, body: object, failure: Exception | None = None) -> OllamaClient:
    return OllamaClient(BACKEND, cast(Sender, Canned(status, body, failure)))


def test_counts_by_full_name_and_mark() -> None:
    canned = Canned(200, {"models": {"phi3": 2, "gemma2:2b": 1}})
    counts = OllamaClient(BACKEND, cast(Sender, canned)).counts("mark-1")
    assert counts == {"phi3:latest": 2, "gemma2:2b": 1}
    assert canned.asked == [("GET", "http://127.0.0.1:11434/counts?mark=mark-1")]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"models": {}}),
        (200, {}),
        (200, []),
        (200, {"models": {"m": "1"}}),
        (200, {"models": {"m": True}}),
    ],
)
def test_what_is_no_count_is_untestable(status: int, body: object) -> None:
    with pytest.raises(Untestable, match="the count of one is none"):
        client(status, body).counts("mark-1")


def test_a_count_that_cannot_be_read_is_untestable() -> None:
    with pytest.raises(Untestable, match="cannot be read: GET x: refused; correct"):
        client(0, None, NoAnswer("GET x: refused")).counts("mark-1")


def test_a_backend_without_a_count() -> None:
    with pytest.raises(KeyError):
        OllamaClient(Backend(name="two", url="http://127.0.0.2"), cast(Sender, Canned(200, {}))).counts("m")


def test_loaded() -> None:
    assert client(200, {"models": [{"name": "phi3"}, {"name": "a:1"}]}).loaded() == {"phi3:latest", "a:1"}
    with pytest.raises(CheckFailed, match="expected a list of models, got None"):
        client(200, {}).loaded()


def test_capabilities_may_be_untold() -> None:
    assert client(200, {"capabilities": ["completion"]}).capabilities("m") == ["completion"]
    assert client(200, {}).capabilities("m") is None
    with pytest.raises(CheckFailed, match="expected status 200, got 404"):
        client(404, {}).capabilities("m")


def test_a_vector() -> None:
    assert client(200, {"embeddings": [[0.5, 1.0]]}).embed("m", "t") == [0.5, 1.0]
    for vectors in (None, [], [[1.0], [1.0]], [1.0]):
        with pytest.raises(CheckFailed, match="expected one vector"):
            client(200, {"embeddings": vectors}).embed("m", "t")
