"""One interface for what stands behind a gateway: how each protocol is asked, and how answers are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from gateway_acceptance.environment import Backend
from gateway_acceptance.verdict import CheckFailed, NoAnswer, NotApplicable
from gateway_acceptance.wire.backends import CLIENTS, JSON_MODE, BackendClient, DirectChat, Offer, client_of
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.sender import Sender, tokens_needed

PLACE = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "horn"}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "horn", "arguments": '{"times": 2}'}}
HI = {"role": "user", "content": "hi"}


class Canned:
    """Answers every request alike, and keeps what was asked."""

    def __init__(self, body: object, status: int = 200, failure: Exception | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.tokens: list[int] = []
        self._body, self._status, self._failure = body, status, failure

    def send(self, method: str, url: str, **given: Any) -> Exchange:
        self.asked.append((method, url))
        self.headers.append(dict(given.get("headers", ())))
        self.tokens.append(given.get("tokens", 0))
        if given.get("body"):
            self.bodies.append(json.loads(given["body"]))
        if self._failure is not None:
            raise self._failure
        raw = self._body if isinstance(self._body, bytes) else json.dumps(self._body).encode()
        return Exchange(method, url, (), b"", self._status, chunks=((0.1, raw),), elapsed_s=32.0)


def client(product: str, canned: Canned) -> BackendClient:
    backend = Backend(name="one", url="http://127.0.0.1:8000", product=product)  # type: ignore[arg-type]
    return client_of(backend, cast(Sender, canned))


def answer(body: object, status: int = 200) -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange("POST", "http://b", (), b"", status, chunks=((0.1, raw),), elapsed_s=32.0)


@pytest.mark.parametrize("product", CLIENTS)
def test_every_declarable_protocol_has_its_client(product: str) -> None:
    assert client(product, Canned({})).backend.product == product
    declarable = Backend.model_fields["product"].annotation.__args__  # type: ignore[union-attr]
    assert set(declarable) == set(CLIENTS)


OPTIONAL: dict[Offer, Callable[[BackendClient], object]] = {
    Offer.VERSION: lambda one: one.version(),
    Offer.ROOT: lambda one: one.root(),
    Offer.DIGESTS: lambda one: one.require(Offer.DIGESTS),
    Offer.LOADED: lambda one: one.loaded(),
    Offer.LOADING: lambda one: one.load("m"),
    Offer.CAPABILITIES: lambda one: one.capabilities("m"),
    Offer.IDLE_MARK: lambda one: one.idle_mark("m"),
}


@pytest.mark.parametrize("product", CLIENTS)
@pytest.mark.parametrize("offer", Offer)
def test_what_a_protocol_lacks_is_not_applicable_by_declaration(product: str, offer: Offer) -> None:
    """Nothing is sent to find it out."""
    canned = Canned({"version": "1", "models": [], "capabilities": []})
    one = client(product, canned)
    if offer in one.offers:
        OPTIONAL[offer](one)
        return
    with pytest.raises(NotApplicable, match=f"its protocol has no {offer}") as lacking:
        OPTIONAL[offer](one)
    assert (lacking.value.declared, canned.asked) == ("backends.product", [])


@pytest.mark.parametrize(
    ("product", "body", "paths"),
    [
        ("ollama", {"models": [{"name": "phi3", "digest": "d"}, {"name": "a:1"}, 3]}, "/api/tags"),
        ("openai", {"data": [{"id": "phi3", "object": "model"}, {"id": "a:1"}, None]}, "/v1/models"),
    ],
)
def test_models(product: str, body: object, paths: str) -> None:
    canned = Canned(body)
    held = client(product, canned).models()
    assert held == {"ollama": {"phi3:latest": "d", "a:1": ""}, "openai": {"phi3": "", "a:1": ""}}[product]
    tagged = client("openai", Canned({"data": [{"id": "phi3:latest"}]}))
    assert tagged.models() == {"phi3:latest": "", "phi3": ""}
    assert canned.asked == [("GET", f"http://127.0.0.1:8000{paths}")]


@pytest.mark.parametrize("product", CLIENTS)
@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 200, "expected a list of models, got None"),
        ([], 200, "expected a list of models, got None"),
        ({"models": 1, "data": 1}, 200, "expected a list of models, got 1"),
        (b"junk", 200, "expected a JSON body"),
        ({"models": [], "data": []}, 500, "expected status 200, got 500"),
    ],
)
def test_what_is_no_list_of_models(product: str, body: object, status: int, words: str) -> None:
    with pytest.raises(CheckFailed, match=words):
        client(product, Canned(body, status)).models()


@pytest.mark.parametrize("product", CLIENTS)
def test_silence_is_blamed_on_the_backend(product: str) -> None:
    with pytest.raises(NoAnswer) as silent:
        client(product, Canned(None, failure=NoAnswer("refused"))).alive()
    assert silent.value.blame == "backend"


def test_a_question_in_ollamas_words() -> None:
    canned = Canned({})
    one = client("ollama", canned)
    one.chat("m", "hi", max_tokens=7)
    one.converse("m", DirectChat([HI], 7, {"seed": 3}, tools=[TOOL], form=PLACE, stream=True))
    first, second = canned.bodies
    assert first == {
        "model": "m",
        "messages": [HI],
        "stream": False,
        "options": {"temperature": 0, "num_predict": 7},
    }
    assert second == {
        "model": "m",
        "messages": [HI],
        "stream": True,
        "options": {"seed": 3, "num_predict": 7},
        "tools": [TOOL],
        "format": PLACE,
    }
    assert {path for _, path in canned.asked} == {"http://127.0.0.1:8000/api/chat"}
    assert canned.tokens[0] == tokens_needed("hi", 7)


def test_a_question_in_openais_words() -> None:
    canned = Canned({})
    one = client("openai", canned)
    one.chat("m", "hi", max_tokens=7)
    one.converse("m", DirectChat([HI], 7, {"seed": 3}, tools=[TOOL], form=PLACE, stream=True))
    one.converse("m", DirectChat([HI], 7, form=JSON_MODE))
    first, second, third = canned.bodies
    assert first == {"model": "m", "messages": [HI], "stream": False, "temperature": 0, "max_tokens": 7}
    assert second == {
        "model": "m",
        "messages": [HI],
        "stream": True,
        "seed": 3,
        "max_tokens": 7,
        "tools": [TOOL],
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": PLACE}},
    }
    assert third["response_format"] == {"type": "json_object"}
    assert {path for _, path in canned.asked} == {"http://127.0.0.1:8000/v1/chat/completions"}
    assert min(canned.tokens) > 7


CONVERSATION: list[dict[str, Any]] = [
    {"role": "developer", "content": "be brief"},
    {"role": "user", "content": [{"type": "text", "text": "a\n"}, {"type": "text", "text": "b"}]},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "done"},
]


def test_a_conversation_in_each_protocol() -> None:
    """Templates of small models know neither content parts nor developers."""
    spoken = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "a\nb"}]
    asked = {}
    for product in CLIENTS:
        canned = Canned({})
        client(product, canned).converse("m", DirectChat(CONVERSATION, 7))
        asked[product] = canned.bodies[0]["messages"]
    assert asked["openai"] == [*spoken, *CONVERSATION[2:]]
    called = {"function": {"name": "horn", "arguments": {"times": 2}}}
    assert asked["ollama"] == [
        *spoken,
        {"role": "assistant", "content": "", "tool_calls": [called]},
        {"role": "tool", "tool_name": "horn", "content": "done"},
    ]


def completion(message: object) -> dict[str, Any]:
    return {"choices": [{"message": message}], "usage": {"prompt_tokens": 9}}


@pytest.mark.parametrize(
    ("product", "body"),
    [
        ("ollama", {"message": {"content": "hi"}, "prompt_eval_count": 9}),
        ("openai", completion({"content": "hi"})),
    ],
)
def test_an_answer_is_read(product: str, body: object) -> None:
    read = client(product, Canned({})).read(answer(body))
    assert (read.text, read.calls, read.prompt_tokens) == ("hi", [], 9)
    refused = client(product, Canned({})).read(answer(body, 400))
    assert (refused.text, refused.said) == (None, "")


def calling(arguments: object, content: object = None) -> dict[str, Any]:
    return {"content": content, "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}


@pytest.mark.parametrize(
    ("product", "message", "called"),
    [
        ("ollama", calling({"a": 1}, ""), {"a": 1}),
        ("openai", calling('{"a": 1}'), {"a": 1}),
        ("openai", calling("no"), "no"),
        ("openai", calling("", ""), ""),
        ("openai", {"tool_calls": [{"function": {"name": "f"}}]}, {}),
    ],
)
def test_calls_are_read(product: str, message: object, called: object) -> None:
    body = {"message": message} if product == "ollama" else completion(message)
    read = client(product, Canned({})).read(answer(body))
    assert (read.text, read.calls) == ("", [("f", called)])


ABSURD: list[Any] = [
    None,
    1,
    [],
    {},
    {"choices": []},
    {"choices": [1]},
    {"choices": {}},
    {"message": 1},
    completion(None),
]


@pytest.mark.parametrize("product", CLIENTS)
@pytest.mark.parametrize("body", [*ABSURD, completion({"tool_calls": [1, {"function": 2}]}), completion([])])
def test_what_a_backend_sends_is_no_error_of_the_suite(product: str, body: object) -> None:
    one = client(product, Canned({}))
    assert one.read(answer(body)).said == ""
    assert one.vectors(answer(body)) is None
    assert one.times_of_text(answer(body)) == ()


@pytest.mark.parametrize(
    ("product", "path", "body"),
    [
        ("ollama", "/api/embed", {"embeddings": [[0.5, 1]]}),
        ("openai", "/v1/embeddings", {"data": [{"index": 0, "embedding": [0.5, 1]}]}),
    ],
)
def test_a_vector(product: str, path: str, body: object) -> None:
    canned = Canned(body)
    assert client(product, canned).embed("m", "a text") == [0.5, 1.0]
    assert canned.asked == [("POST", f"http://127.0.0.1:8000{path}")]
    assert canned.bodies == [{"model": "m", "input": "a text"}]
    with pytest.raises(CheckFailed, match="expected one vector"):
        client(product, Canned({})).embed("m", "a text")
    with pytest.raises(CheckFailed, match="expected status 200, got 404"):
        client(product, Canned(body, 404)).embed("m", "a text")


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"load_duration": 30_000_000_000}, 2.0),
        ({"load_duration": 0}, 32.0),
        ({"load_duration": 33_000_000_000}, 32.0),
        ({"load_duration": "30"}, 32.0),
        ({}, 32.0),
        ([], 32.0),
    ],
)
def test_a_cold_start_is_not_slowness(body: object, seconds: float) -> None:
    assert client("ollama", Canned({})).warm_s(answer(body)) == pytest.approx(seconds)
    assert client("openai", Canned({})).warm_s(answer(body)) == 32.0


def test_times_of_ollamas_lines_however_they_are_cut() -> None:
    def line(**message: str) -> bytes:
        return json.dumps({"message": message}).encode() + b"\n"

    first, second = line(content="1"), line(thinking="2")
    chunks = (
        (0.1, first + second[:5]),
        (0.2, second[5:] + line(content="")),
        (0.3, b"oops\n[1]\n" + line(content="3")),
    )
    stream = Exchange("POST", "http://b", (), b"", 200, chunks=chunks)
    assert client("ollama", Canned({})).times_of_text(stream) == (0.1, 0.2, 0.3)


def test_times_of_openais_events_however_they_are_cut() -> None:
    def event(**delta: str) -> bytes:
        return b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n"

    first, second = event(content="1"), event(reasoning_content="2")
    chunks = (
        (0.1, first + second[:9]),
        (0.2, second[9:] + event(role="assistant")),
        (0.3, b"data: oops\n\ndata: [DONE]\n\n" + event(content="3")),
    )
    stream = Exchange("POST", "http://b", (), b"", 200, chunks=chunks)
    assert client("openai", Canned({})).times_of_text(stream) == (0.1, 0.2, 0.3)


def test_an_idle_mark_is_of_a_loaded_model() -> None:
    running = {"models": [{"name": "phi3", "expires_at": "2026-01-01T00:00:00Z"}]}
    assert client("ollama", Canned(running)).idle_mark("phi3:latest") == "2026-01-01T00:00:00Z"
    assert client("ollama", Canned(running)).idle_mark("other") is None
    assert client("ollama", Canned(running, 500)).idle_mark("phi3") is None


@pytest.mark.parametrize("body", [[], {"models": 7}])
def test_a_list_of_loaded_models_that_is_none_is_the_backends_failure(body: object) -> None:
    with pytest.raises(CheckFailed, match="expected a list of models") as failed:
        client("ollama", Canned(body)).idle_mark("phi3")
    assert failed.value.blame == "backend"
