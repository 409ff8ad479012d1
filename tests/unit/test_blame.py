"""Blame: the same question, asked of the backend itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from gateway_acceptance.environment.model import Bounds
from gateway_acceptance.plugin.blame import located, located_by
from gateway_acceptance.plugin.outcome import Outcome
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.wire.backends.ollama import OllamaClient
from gateway_acceptance.wire.comparison import Asked, by_time, is_late
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
    made = WorkerState([declared], tmp_path, {}, set())
    made.targets["mini"] = Target(declared, "sk-123456", tmp_path, time.time(), made.notebook)
    yield made
    made.close()


def blamed(
    state: WorkerState,
    backends: Backends,
    *,
    served_by: str = "",
    through: Mapping[str, Any] | None = None,
    request: bytes = b"",
    outcome: Outcome = FAILED,
    **parameters: str,
) -> str:
    """The blame of a case whose last answer through the gateway was this one."""
    target = state.targets["mini"]
    target.sender.close()
    target.connection.sender = Sender(
        target.notebook, target.budget, target.sender.deadline, connections=httpx2.MockTransport(backends)
    )
    plain = {"model": "chat-one", "messages": [{"role": "user", "content": "hi"}]}
    body = request or json.dumps(plain).encode()
    seen = {"status": 200, **(through or {})}
    asked = Exchange("POST", URL + "/v1/chat/completions", (), body, served_by=served_by, **seen)
    state.notebook.exchanges.append(asked)
    params = {"environment": "mini", **parameters}
    item = pytest.Function.__new__(pytest.Function)
    item.callspec = SimpleNamespace(params=params)  # type: ignore[assignment]
    found = located(outcome, item, state)
    assert state.notebook.exchanges == [asked], "the evidence is what the check saw"
    return found.blame


def test_a_backend_that_answers_right_leaves_the_gateway(state: WorkerState) -> None:
    blame = blamed(state, Backends(), chat_model="chat-one")
    assert blame == "gateway: by body: one itself answers the same question with 'HX-OK'"


@pytest.mark.parametrize(
    ("backends", "words"),
    [
        (Backends(tags={"models": []}), "backend: one does not hold tiny"),
        (Backends(tags=None), "backend: GET http://127.0.0.1:11434/api/tags: connection refused"),
        (Backends(tags=b"junk"), "backend: expected a JSON body"),
        (Backends(status=500, chat=b"oops"), "backend: by status: one itself answers 500: oops"),
        (Backends(chat=b"junk"), "backend: expected a JSON body"),
        (Backends(chat=[]), "backend: one itself answers 200 without a message: []"),
        (Backends(chat={"message": None}), "backend: one itself answers 200 without a message"),
    ],
)
def test_a_backend_that_is_wrong_itself(state: WorkerState, backends: Backends, words: str) -> None:
    assert blamed(state, backends, chat_model="chat-one").startswith(words)


DEEP = b"[" * 100_000


@pytest.mark.parametrize(("request_body", "answer"), [(DEEP, b"{}"), (b"\xff", DEEP), (b"", DEEP)])
def test_what_nobody_can_read_is_no_error_of_the_suite(
    state: WorkerState, request_body: bytes, answer: bytes
) -> None:
    blame = blamed(
        state, Backends(), through={"chunks": [(0.1, answer)]}, request=request_body, chat_model="chat-one"
    )
    assert blame.partition(":")[0] in ("", "gateway")


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


def said(text: str) -> list[tuple[float, bytes]]:
    """The body of a chat completion with this text, as it arrives."""
    return [(0.1, json.dumps({"choices": [{"message": {"content": text}}]}).encode())]


def test_a_refusal_that_only_the_gateway_gives_is_its_own(state: WorkerState) -> None:
    blame = blamed(state, Backends(), through={"status": 503}, chat_model="chat-one")
    assert blame == "gateway: by status: 503 through the gateway, 200 from one itself"


def test_too_many_requests_is_asked_more_than_once(state: WorkerState) -> None:
    class Limited(Backends):
        def __call__(self, request: httpx2.Request) -> httpx2.Response:
            self.status = 429 if self.asked.count("127.0.0.1/api/chat") >= 2 else 200
            return super().__call__(request)

    blame = blamed(state, Limited(chat={"message": {"content": "a"}}), through={"status": 429}, group="both")
    assert blame.startswith("backend: by status: one itself answers 429")


def test_a_plain_blame_of_the_gateway_gives_way_to_a_backend_that_refuses(state: WorkerState) -> None:
    failed = Outcome(Verdict.FAILED, "got 500", "gateway")
    backends = Backends(status=500, chat=b"oops")
    blame = blamed(state, backends, through={"status": 500}, outcome=failed, chat_model="chat-one")
    assert blame == "backend: by status: one itself answers 500: oops"


def test_a_plain_blame_of_the_gateway_stands_otherwise(state: WorkerState) -> None:
    failed = Outcome(Verdict.FAILED, "got 500", "gateway")
    blame = blamed(state, Backends(), through={"status": 500}, outcome=failed, chat_model="chat-one")
    assert blame == "gateway"


def test_a_plain_blame_of_the_gateway_is_not_asked_about_without_evidence(state: WorkerState) -> None:
    failed, backends = Outcome(Verdict.FAILED, "another text", "gateway"), Backends()
    assert blamed(state, backends, outcome=failed, chat_model="chat-one") == "gateway"
    assert backends.asked == []


def test_the_same_text_from_both_leaves_the_model_too(state: WorkerState) -> None:
    blame = blamed(state, Backends(), through={"chunks": said("HX-OK\n")}, chat_model="chat-one")
    assert blame.startswith("gateway, or the model: by body: one itself says the same, 'HX-OK'")


class Differing(Backends):
    """Each of the two says something else."""

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.chat = {"message": {"content": f"said at {request.url.host}"}}
        return super().__call__(request)


@pytest.mark.parametrize(
    ("text", "begins", "one"),
    [
        ("said at 127.0.0.2", "gateway, or the model: by body: two itself says the same", False),
        ("said by nobody", "gateway: by body: one itself answers", True),
    ],
)
def test_of_several_that_may_have_served_the_one_that_says_the_same_speaks(
    state: WorkerState, text: str, begins: str, one: bool
) -> None:
    blame = blamed(state, Differing(), through={"chunks": said(text)}, group="both")
    assert blame.startswith(begins)
    assert ("one itself" in blame) == one


LATE = Exchange("POST", URL, (), b"", 200, elapsed_s=8.0)


@pytest.mark.parametrize(
    ("own_s", "sentence"),
    [
        (7.5, "backend: by time: 7.5 s from one itself, 8.0 s through the gateway"),
        (0.3, "gateway: by time: 0.3 s from one itself, 8.0 s through the gateway"),
    ],
)
def test_a_late_answer_is_held_against_the_backends_own(own_s: float, sentence: str) -> None:
    assert by_time(LATE, Asked("one", replace(LATE, elapsed_s=own_s), "a")) == sentence


def test_what_is_late() -> None:
    bounds = Bounds(first_token_s=1.0, answer_s=5.0)
    assert is_late(LATE, bounds)
    assert is_late(replace(LATE, elapsed_s=2.0, first_byte_s=1.5), bounds)
    assert is_late(replace(LATE, elapsed_s=0.1, error="no answer within 0.1 s"), bounds)
    assert not is_late(replace(LATE, elapsed_s=4.0, first_byte_s=0.5), bounds)


def test_a_backend_with_room_for_one_model_is_asked_after_another(
    state: WorkerState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of model costs its seconds once: the same question right after it is quick."""
    loaded = ["tiny"]

    def chat(_: OllamaClient, model: str, prompt: str, *, max_tokens: int) -> Exchange:
        took, loaded[0] = 0.2 if loaded[0] == model else 7.0, model
        return Exchange(
            "POST", URL, (), prompt.encode(), 200, (), said_by("a"), elapsed_s=took + 0 * max_tokens
        )

    monkeypatch.setattr(OllamaClient, "chat", chat)
    monkeypatch.setattr(OllamaClient, "load", lambda _, model: loaded.__setitem__(0, model))
    monkeypatch.setattr(type(state.targets["mini"].environment), "upstreams_on", lambda *_: ["other", "tiny"])
    late = {"elapsed_s": 70.0 / 8, "error": "the answer was not complete within 8 s"}
    blame = blamed(state, Backends(), through=late, chat_model="chat-one")
    assert blame == ("backend: by time: 7.0 s from one itself, asked after other, 8.8 s through the gateway")


@pytest.mark.parametrize(
    ("status", "waited_s", "own_s", "blame"),
    [
        (408, 5.0, 2.6, "backend: by time: 2.6 s from one itself, 5.0 s through the gateway"),
        (504, 5.0, 2.6, "backend: by time: 2.6 s from one itself, 5.0 s through the gateway"),
        (500, 70.0, 60.0, "backend: by time: 60.0 s from one itself, 70.0 s through the gateway"),
        (408, 5.0, 0.2, "gateway: by status: 408 through the gateway, 200 from one itself"),
        (500, 0.5, 2.6, "gateway: by status: 500 through the gateway, 200 from one itself"),
    ],
)
def test_a_gateway_that_waited_in_vain_is_compared_by_time(
    state: WorkerState,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    waited_s: float,
    own_s: float,
    blame: str,
) -> None:
    """A timeout of the gateway's (LiteLLM: 408) before a backend that is slow and answers in the end."""
    slow = Exchange("POST", URL, (), b"", 200, (), said_by("a"), elapsed_s=own_s)
    monkeypatch.setattr(OllamaClient, "chat", lambda *_, **__: slow)
    monkeypatch.setattr(OllamaClient, "load", lambda *_: None)
    through = {"status": status, "elapsed_s": waited_s}
    assert blamed(state, Backends(), through=through, chat_model="chat-one") == blame


@pytest.mark.parametrize(("own", "blame"), [(500, "backend: by status"), (200, "gateway")])
def test_what_exchanges_broke_is_located_by_them(state: WorkerState, own: int, blame: str) -> None:
    """A rule over every exchange, which no case of its own has asked."""
    target = state.targets["mini"]
    target.sender.close()
    backends = httpx2.MockTransport(Backends(status=own))
    target.connection.sender = Sender(
        target.notebook, target.budget, target.sender.deadline, connections=backends
    )
    body = json.dumps({"model": "chat-one", "messages": [{"role": "user", "content": "hi"}]}).encode()
    seen = Exchange("POST", URL + "/v1/chat/completions", (), body, 500)
    broken = Outcome(Verdict.FAILED, "late", "gateway")
    found = located_by(broken, [seen], {"chat_model": "chat-one"}, environment(), state)
    assert found.blame.startswith(blame)
    assert state.notebook.exchanges == []


def said_by(text: str) -> list[tuple[float, bytes]]:
    """Ollama's answer with this text."""
    return [(0.1, json.dumps({"message": {"content": text}}).encode())]


def undeclared(tmp_path: Path) -> WorkerState:
    """A gateway with two backends that does not say what stands behind its one model."""
    models = [{"alias": "tiny", "kind": "chat"}, {"alias": "ours", "kind": "chat"}]
    declared = environment(models=models, groups=[])
    made = WorkerState([declared], tmp_path, {}, set())
    made.targets["mini"] = Target(declared, "sk-123456", tmp_path, time.time(), made.notebook)
    return made


@pytest.mark.parametrize(
    ("alias", "served_by", "answer", "words"),
    [
        ("tiny", "two", {}, "backend: by status: two itself answers 500: oops"),
        ("ours", "two", {"model": "tiny"}, "backend: by status: two itself answers 500: oops"),
        ("ours", "two", {"model": "ours"}, ""),  # no name that the backend knows
        ("tiny", "", {}, ""),
        ("tiny", "http://elsewhere", {}, ""),
    ],
)
def test_what_an_answer_shows_of_an_undeclared_model(
    tmp_path: Path, alias: str, served_by: str, answer: Mapping[str, Any], words: str
) -> None:
    """``gateway.served_by_header`` without ``models.backend``."""
    state, backends = undeclared(tmp_path), Backends(status=500, chat=b"oops")
    request = json.dumps({"model": alias, "messages": [{"role": "user", "content": "hi"}]}).encode()
    through = {"status": 500, "chunks": [(0.1, json.dumps(answer).encode())]}
    try:
        blame = blamed(
            state, backends, served_by=served_by, request=request, through=through, chat_model=alias
        )
    finally:
        state.close()
    assert blame == words
    assert not any("127.0.0.1" in one for one in backends.asked)
