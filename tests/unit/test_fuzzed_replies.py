"""Generated replies: whatever a target sends is read, refused in words, or the SDK's error; never ours.

``make fuzz`` sends 100,000, in pieces of a seed each; here a few, the same ones each time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.model import Policy
from gateway_acceptance.plugin.outcome import outcome_of
from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import CheckFailed, Verdict
from gateway_acceptance.wire import sdk
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.ledger import tokens_reported
from gateway_acceptance.wire.sse import parse_sse
from gateway_acceptance.wire.stream import read_chat_stream
from gateway_acceptance.wire.strict_json import parse_json
from tests.unit.declared import environment

NUMBER = int(os.environ.get("GATEWAY_ACCEPTANCE_REPLIES", "150"))
"""Of each of the two."""
SEED = int(os.environ.get("GATEWAY_ACCEPTANCE_SEED", "17"))
AT_ONCE = 2_500
"""Hypothesis remembers what it made; and pieces keep two workers busy until the end."""
PIECES = pytest.mark.parametrize("piece", range(-(-NUMBER // AT_ONCE)))
few = settings(
    max_examples=min(NUMBER, AT_ONCE), deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
WORDS = st.sampled_from(
    [
        "id",
        "object",
        "choices",
        "message",
        "content",
        "delta",
        "usage",
        "total_tokens",
        "data",
        "error",
        "model",
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.just("\ud800"),
    st.just("x" * 5000),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)
JSON = TREES.map(lambda tree: json.dumps(tree).encode())
DEEP = st.integers(1, 50_000).map(lambda depth: b"[" * depth)
EVENTS = st.lists(
    st.one_of(
        JSON.map(lambda one: b"data: " + one + b"\n\n"),
        st.sampled_from(
            [b"data: [DONE]\n\n", b": ping\n\n", b"data:\r\n\r\n", b"event: x\rdata: {}\r\r", b"\xef\xbb\xbf"]
        ),
        st.binary(max_size=20),
    ),
    max_size=6,
).map(b"".join)
BODIES = st.one_of(JSON, DEEP, EVENTS, st.binary(max_size=200))
STATUSES = st.sampled_from([200, 200, 200, 400, 401, 429, 500, 503])
TYPES = st.sampled_from(
    ["application/json", "text/event-stream", "text/html", "", "application/json; charset=utf-16"]
)


@PIECES
def test_parsers_refuse_in_words(piece: int) -> None:
    generated = given(body=BODIES, cut=st.integers(1, 40))(parsers_refuse_in_words)
    seed(SEED * 1000 + piece)(few(generated))()


def parsers_refuse_in_words(body: bytes, cut: int) -> None:
    pieces = [(0.0, body[at : at + cut]) for at in range(0, min(len(body), 4000), cut)]
    parse_json(body)
    parse_sse(pieces)
    read_chat_stream(200, [("content-type", "text/event-stream")], pieces)
    answer = Exchange("POST", "http://h", (), b"", 200, (), tuple(pieces))
    assert tokens_reported(answer, 7) >= 7
    error = raised_by(answer.json)
    assert error is None or isinstance(error, CheckFailed), repr(error)


class Replies(httpx2.BaseTransport):
    """Answers every request with the one reply."""

    reply: tuple[int, str, bytes] = (200, "", b"")

    def __init__(self, *_: object, **__: object) -> None:
        """As ``wire.connections.Connections``."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:  # noqa: ARG002
        status, kind, body = self.reply
        return httpx2.Response(status, headers={"content-type": kind}, stream=httpx2.ByteStream(body))


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The official client over our transport, over made-up replies."""
    monkeypatch.setattr(sdk, "Connections", Replies)
    policy = Policy(effects=(Effect.READ, Effect.SPEND), requests=10**9, tokens=10**12, seconds=10**6)
    budget = Budget(tmp_path / "budget", policy, time.time())
    with sdk.sdk_client(environment(), "sk-made-up-key", Notebook(), budget) as made:
        yield made


@PIECES
def test_the_sdk_path_blames_the_target(piece: int, client: Any) -> None:
    def asked(status: int, kind: str, body: bytes) -> None:
        blames_the_target(client, status, kind, body)

    generated = given(status=STATUSES, kind=TYPES, body=BODIES)(asked)
    seed(SEED * 1000 + piece)(few(generated))()


def blames_the_target(client: Any, status: int, kind: str, body: bytes) -> None:
    """An answer, or an error that is a verdict on the target; never an error of the harness."""
    Replies.reply = (status, kind, body)
    question: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    for ask in (
        client.models.list,
        lambda: client.chat.completions.create(**question),
        lambda: list(client.chat.completions.create(**question, stream=True)),
        lambda: client.embeddings.create(model="m", input="hi"),
    ):
        error = raised_by(ask)
        assert error is None or outcome_of(error, "call").verdict is Verdict.FAILED, repr(error)


def raised_by(ask: Callable[[], object]) -> Exception | None:
    """What it raises, whose ever it is."""
    try:
        ask()
    except Exception as error:  # noqa: BLE001
        return error
    return None
