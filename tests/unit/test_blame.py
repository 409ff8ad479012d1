"""Blame: the same question, asked of the backend itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from gateway_acceptance.plugin.blame import located
from gateway_acceptance.plugin.outcome import Outcome
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.sender import Sender
from tests.unit.declared import URL, environment

FAILED = Outcome(Verdict.FAILED, "the answer is wrong")
HOLDS = {"models": [{"name": "tiny:latest", "digest": "1"}, {"name": "tiny:2b", "digest": "2"}]}


@dataclass
class Backends:
    """What the backends answer by path; None refuses the connection."""

    tags: Any = field(default_factory=lambda: HOLDS)
    chat: Any = field(default_factory=lambda: {"message": {"content": "HX-OK"}})
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(f"{request.url.host}{request.url.path}")
        body = self.tags if request.url.path == "/api/tags" else self.chat
        if body is None:
            raise httpx2.ConnectError("refused")
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx2.Response(
            self.status if request.url.path == "/api/chat" else 200, stream=httpx2.ByteStream(content)
        )


@pytest.fixture
def state(tmp_path: Path) -> Iterator[WorkerState]:
    declared = environment()
    made = WorkerState([declared], tmp_path, (), set())
    made.targets["mini"] = Target(declared, "sk-123456", tmp_path, time.time(), made.notebook)
    yield made
    made.close()


def blamed(state: WorkerState, backends: Backends, *, served_by: str = "", **parameters: str) -> str:
    target = state.targets["mini"]
    target.sender.close()
    target.sender = Sender(
        target.notebook, target.budget, target.sender.deadline, connections=httpx2.MockTransport(backends)
    )
    body = json.dumps({"model": "chat-one", "messages": [{"role": "user", "content": "hi"}]}).encode()
    asked = Exchange("POST", URL + "/v1/chat/completions", (), body, 200, served_by=served_by)
    state.notebook.exchanges.append(asked)
    params = {"environment": "mini", **parameters}
    item = pytest.Function.__new__(pytest.Function)
    item.callspec = SimpleNamespace(params=params)  # type: ignore[assignment]
    outcome = located(FAILED, item, state)
    assert state.notebook.exchanges == [asked], "the evidence is what the check saw"
    return outcome.blame


def test_a_backend_that_answers_right_leaves_the_gateway(state: WorkerState) -> None:
    blame = blamed(state, Backends(), chat_model="chat-one")
    assert blame == "gateway: one itself answers the same question with 'HX-OK'"


@pytest.mark.parametrize(
    ("backends", "words"),
    [
        (Backends(tags={"models": []}), "backend: one does not hold tiny"),
        (Backends(tags=None), "backend: GET http://127.0.0.1:11434/api/tags: connection refused"),
        (Backends(tags=b"junk"), "backend: expected a JSON body"),
        (Backends(status=500, chat=b"oops"), "backend: one itself answers 500: oops"),
        (Backends(chat=b"junk"), "backend: expected a JSON body"),
        (Backends(chat=[]), "backend: one itself answers 200 without a message: []"),
        (Backends(chat={"message": None}), "backend: one itself answers 200 without a message"),
    ],
)
def test_a_backend_that_is_wrong_itself(state: WorkerState, backends: Backends, words: str) -> None:
    assert blamed(state, backends, chat_model="chat-one").startswith(words)


def test_the_one_that_served_is_asked(state: WorkerState) -> None:
    backends = Backends()
    blamed(state, backends, served_by="two", group="both")
    assert set(backends.asked) == {"127.0.0.2/api/tags", "127.0.0.2/api/chat"}


def test_nobody_is_blamed_where_nothing_may_be_asked(state: WorkerState) -> None:
    budget = state.targets["mini"].budget
    for _ in range(10):
        budget.reserve()
    backends = Backends()
    assert blamed(state, backends, chat_model="chat-one") == ""
    assert backends.asked == []
