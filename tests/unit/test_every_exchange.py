"""Every exchange against every rule: what keeps them in any form is quiet, what breaks one is its owner's."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.seen import Kind, seen_exchange
from gateway_acceptance.wire.watch import MOST_PROBLEMS, UniversalRule, Watch
from suites.api.observations import ECHO_PROMPT
from suites.api.streams import test_rules as stream_checks
from suites.api.streams.rules import JUDGED
from suites.every_exchange import RULES
from suites.every_exchange.streams import OWNERS
from tests.unit.bodies import CHAT
from tests.unit.declared import URL, environment

KEY = "sk-" + "x1" * 12
NOW = 1_795_387_583
JSON = (("content-type", "application/json"), ("date", formatdate(NOW, usegmt=True)))
SSE = (("content-type", "text/event-stream"),)
OWN = (("authorization", f"Bearer {KEY}"), ("content-type", "application/json"))
ECHO = {"model": "chat-one", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 16}
ANSWER = {**CHAT, "model": "chat-one", "id": "chatcmpl-" + "a" * 32}
Json = dict[str, Any]


def asked(path: str, body: Json, headers: Any = OWN) -> Exchange:
    return Exchange("POST", URL + path, headers, json.dumps(body).encode(), sent_at=NOW)


def answered(path: str, body: Json, answer: object, headers: Any = JSON, **more: Any) -> Exchange:
    data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    fields = {"status": 200, "headers": headers, "chunks": ((0.1, data),), "elapsed_s": 0.1, **more}
    return asked(path, body).answered(**fields)


def chat(change: Callable[[Json], object] = lambda _: None, **more: Any) -> Exchange:
    answer = copy.deepcopy(ANSWER)
    change(answer)
    return answered("/v1/chat/completions", ECHO, answer, **more)


def embedding(texts: object, vectors: list[Any], **body: Any) -> Exchange:
    answer = {
        "object": "list",
        "model": "emb",
        "data": [
            {"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }
    return answered("/v1/embeddings", {"model": "emb", "input": texts, **body}, answer)


def chunk(**choice: Any) -> Json:
    return {
        "id": "chatcmpl-" + "b" * 32,
        "object": "chat.completion.chunk",
        "created": NOW,
        "model": "chat-one",
        "choices": [{"index": 0, "delta": {}, "finish_reason": None, **choice}],
    }


CHUNKS = [
    chunk(delta={"role": "assistant", "content": "HX"}),
    chunk(delta={"content": "-OK"}),
    chunk(finish_reason="stop"),
]


def stream(chunks: list[Json], end: str = "data: [DONE]\n\n", **more: Any) -> Exchange:
    text = "".join(f"data: {json.dumps(one)}\n\n" for one in chunks) + end
    return answered("/v1/chat/completions", {**ECHO, "stream": True}, text.encode(), SSE, **more)


def owners(*exchanges: Exchange, **tables: Any) -> set[str]:
    """Whose rules are broken."""
    watch = Watch(environment(**tables), KEY, RULES)
    for one in exchanges:
        watch.after(one)
    assert watch.mistakes == []
    return {breach.check for breach in watch.taken()}


def renamed(**names: str) -> Callable[[Json], object]:
    return lambda answer: answer.update(names)


def with_usage(**counts: int) -> Callable[[Json], object]:
    return lambda answer: answer["usage"].update(counts)


UNWITNESSED = {"BACKEND-WITNESS-005"}
QUIET = {
    "an ordinary answer": [chat()],
    "the upstream's name": [chat(lambda answer: answer.update(model="tiny"))],
    "a dated snapshot": [chat(renamed(model="tiny-2026-02-11"))],
    "further fields": [chat(lambda answer: answer.update(x_more={"a": 1}, system_fingerprint=None))],
    "short ids that collide by chance": [chat(renamed(id=f"chatcmpl-{n}")) for n in (7, 8, 7, 9, 7)],
    "cut by its limit": [
        chat(
            lambda answer: (
                answer["choices"][0].update(finish_reason="length"),
                answer["usage"].update(completion_tokens=16, total_tokens=19),
            )
        )
    ],
    "a plain stream": [stream(CHUNKS)],
    "the SDK's stream": [stream(CHUNKS, whole=False)],
    "a stream that the client left": [stream(CHUNKS[:1], end="", whole=False)],
    "vectors, twice the same": [embedding(["a b"], [[0.1] * 8]), embedding("a b", [[0.1] * 8])],
    "an answer that is late once": [chat(elapsed_s=99.0)],
    "an answer that a cache kept": [
        chat(headers=(JSON[0], ("date", "Mon, 23 Nov 2020 01:26:23 GMT"), ("age", "900")))
    ],
    "an error": [chat(lambda answer: answer.clear(), status=400)],
    "another key": [
        Exchange("POST", URL + "/v1/chat/completions", (("authorization", "Bearer sk-other"),), b"{}", 200)
    ],
    "a bent request": [
        answered("/v1/chat/completions", {**ECHO, "mock_response": "x"}, {"no": "completion"})
    ],
    "a stream to who asked for one in a word": [
        answered("/v1/chat/completions", {**ECHO, "stream": "perhaps"}, b"data: [DONE]\n\n", SSE)
    ],
    "a backend's own answer": [Exchange("POST", "http://127.0.0.1:11434/api/chat", (), b"{}", 200)],
}


@pytest.mark.parametrize("name", list(QUIET))
def test_what_is_right_in_its_own_way_is_quiet(name: str) -> None:
    assert owners(*QUIET[name]) == set()


BROKEN: dict[str, tuple[str, list[Exchange]]] = {
    "no usage": ("API-CHAT-012", [chat(lambda answer: answer.pop("usage"))]),
    "a usage of zero": (
        "API-CHAT-012",
        [chat(with_usage(completion_tokens=0, prompt_tokens=0, total_tokens=0))],
    ),
    "a prompt of no token": ("API-CHAT-013", [chat(with_usage(prompt_tokens=0, total_tokens=2))]),
    "a sum that is none": ("API-CHAT-001", [chat(with_usage(total_tokens=9))]),
    "milliseconds": ("API-CHAT-004", [chat(lambda answer: answer.update(created=NOW * 1000))]),
    "another model": ("API-CHAT-005", [chat(lambda answer: answer.update(model="gpt-4o"))]),
    "a provider's name": ("API-CHAT-006", [chat(lambda answer: answer.update(model="ollama/tiny"))]),
    "one id for all": ("API-CHAT-003", [chat(), chat()]),
    "one short id for all": ("API-CHAT-003", [chat(lambda a: a.update(id="chatcmpl-1"))] * 4),
    "length of a short answer": (
        "API-CHAT-008",
        [chat(lambda answer: answer["choices"][0].update(finish_reason="length"))],
    ),
    "another content type": ("API-OPS-013", [chat(headers=(("content-type", "text/plain"),))]),
    "another clock": (
        "API-OPS-015",
        [chat(headers=(JSON[0], ("date", "Mon, 23 Nov 2020 01:26:23 GMT")))],
    ),
    "a late answer": ("API-OPS-008", [chat(elapsed_s=99.0)] * 2),
    "a stream without its end": ("API-STREAM-020", [stream(CHUNKS, end="")]),
    "a stream that finishes twice": ("API-STREAM-053", [stream([*CHUNKS, CHUNKS[-1]])]),
    "a stream that breaks": (
        "API-STREAM-004",
        [stream(CHUNKS[:1], end="", whole=False, error="the connection broke")],
    ),
    "one id for all streams": ("API-STREAM-084", [stream(CHUNKS), stream(CHUNKS)]),
    "a stream of another model": (
        "API-CHAT-007",
        [chat(), stream([{**one, "model": "tiny"} for one in CHUNKS])],
    ),
    "a vector too short": ("API-EMB-001", [embedding("a b", [[0.1] * 7])]),
    "base64 unasked": ("API-EMB-012", [embedding("a b", ["AAAAAA=="])]),
    "a vector that drifts": (
        "API-EMB-004",
        [embedding("a b", [[0.1] * 8]), embedding("a b", [[0.1] * 7 + [9.0]])],
    ),
    "a batch that differs": (
        "API-EMB-007",
        [
            *[embedding("a b", [[0.1] * 8])] * 2,
            embedding(["a b", "c d"], [[0.1] * 7 + [9.0], [0.3] * 8]),
        ],
    ),
    "vectors that did not turn with their texts": (
        "API-EMB-003",
        [
            embedding(["a b", "c d"], [[0.1] * 8, [0.1] * 7 + [9.0]]),
            embedding(["c d", "a b"], [[0.1] * 8, [0.1] * 7 + [9.0]]),
        ],
    ),
    "one vector for two texts": (
        "API-EMB-005",
        [embedding(["one two three", "four five six"], [[0.1] * 8, [0.1] * 8])],
    ),
    "a trace": (
        "API-ERR-038",
        [chat(lambda answer: answer.update(e="Traceback (most recent call last)"), status=500)],
    ),
    "the key": ("API-ERR-041", [chat(lambda answer: answer.update(e=f"no {KEY}"), status=400)]),
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_what_is_broken_belongs_to_its_owner(name: str) -> None:
    owner, exchanges = BROKEN[name]
    assert owner in owners(*exchanges)


PROMPT = {"messages": [{"role": "user", "content": ECHO_PROMPT}], "temperature": 0, "max_tokens": 16}


def echo(text: str, number: int, *, alias: str = "chat-one", **more: object) -> Exchange:
    answer = copy.deepcopy(ANSWER)
    answer["id"] = "chatcmpl-" + str(number) * 32
    answer["choices"][0]["message"]["content"] = text
    return answered("/v1/chat/completions", {"model": alias, **PROMPT, **more}, answer)


def test_the_validation_prompt_is_answered_the_same_again() -> None:
    """Where one deployment that is declared exact answers the same question."""
    model = {"alias": "chat-one", "kind": "chat", "backend": "one", "upstream": "tiny"}
    exact = [{**model, "abilities": ["exact"]}]
    assert "API-CHAT-002" in owners(echo("HX-OK", 1), echo("HX-OK ", 2), models=exact)
    assert "API-CHAT-002" not in owners(echo("HX-OK", 1), echo("HX-OK", 2), models=exact)
    assert "API-CHAT-002" not in owners(echo("HX-OK", 1), echo("HX-OK ", 2, top_p=1), models=exact)
    assert "API-CHAT-002" not in owners(
        echo("HX-OK", 1), echo("HX-OK ", 2), models=[{**model, "abilities": []}]
    )


def test_vectors_are_held_against_what_is_declared_of_them() -> None:
    models = [
        {"alias": "chat-one", "kind": "chat", "backend": "one", "upstream": "tiny"},
        {
            **{"alias": "emb", "kind": "embedding", "backend": "two", "upstream": "vec"},
            **{"dimensions": 2, "unit_norm": True},
        },
    ]
    assert "API-EMB-002" in owners(embedding("a b", [[3.0, 4.0]]), models=models)
    assert owners(embedding("a b", [[0.6, 0.8]]), models=models) == set()


def test_who_serves_is_held_against_the_declaration() -> None:
    assert "BACKEND-ROUTE-005" in owners(chat(served_by="two"))
    assert "BACKEND-ROUTE-005" not in owners(chat(served_by="one"))


UNTOLD = [
    {"alias": "chat-one", "kind": "chat"},
    {"alias": "acme/chat-two", "kind": "chat"},
    {"alias": "chat-two", "kind": "chat"},
    {"alias": "emb", "kind": "embedding", "dimensions": 2},
]


def named_so(*answers: str, alias: str = "chat-one") -> set[str]:
    """The owners of rules that answers of an alias break which name these models."""
    body = {**ECHO, "model": alias}
    return owners(
        *(
            answered("/v1/chat/completions", body, {**ANSWER, "model": name, "id": f"chatcmpl-{at:032}"})
            for at, name in enumerate(answers)
        ),
        models=UNTOLD,
        groups=[],
    )


def test_an_alias_is_not_sometimes_another() -> None:
    """Nothing is declared behind them: a gateway that falls back to another model in silence."""
    assert "API-CHAT-005" in named_so("chat-one", "chat-two")
    assert "API-CHAT-005" in named_so("chat-two", "chat-one-2026-01-01")
    assert named_so("chat-two", "chat-two") == set(), "an alias of an alias"
    assert named_so("chat-two", "acme/chat-two") == set(), "a router, which is never itself"
    assert named_so("chat-one", "chat-one-2026-01-01", "tiny:3b") == set(), "names that nobody declared"
    assert named_so("chat-two", "acme/chat-two", alias="acme/chat-two") == set(), "a provider's prefix"


def test_a_vector_is_not_sometimes_of_another() -> None:
    ours = embedding("a b", [[0.6, 0.8]])
    other = answered("/v1/embeddings", {"model": "emb", "input": "c d"}, {**ours.json(), "model": "chat-two"})
    assert "API-EMB-016" in owners(ours, other, models=UNTOLD, groups=[])
    assert "API-EMB-016" not in owners(other, models=UNTOLD, groups=[])


def test_nothing_is_judged_while_a_check_takes_something_down() -> None:
    watch = Watch(environment(), KEY, RULES)
    watch.suspended = True
    watch.after(chat(lambda answer: answer.clear()))
    assert watch.taken() == []


def test_what_breaks_a_thousand_times_is_told_a_few() -> None:
    watch = Watch(environment(), KEY, RULES)
    for number in range(1000):
        watch.after(chat(renamed(model=f"stranger-{number}")))
    (breach,) = [one for one in watch.taken() if one.check == "API-CHAT-005"]
    assert len(breach.problems) == MOST_PROBLEMS
    assert len(breach.exchanges) <= MOST_PROBLEMS
    assert watch.taken() == []


def test_a_rule_that_falls_over_is_our_mistake_and_told_once() -> None:
    def falls(seen: object, memory: object) -> list[Any]:
        raise KeyError("x")

    watch = Watch(environment(), KEY, [UniversalRule("API-CHAT-001", frozenset({Kind.CHAT}), falls)])
    watch.after(chat())
    watch.after(chat())
    assert len(watch.mistakes) == 1
    assert "API-CHAT-001" in watch.mistakes[0]


def test_rules_of_streams_are_those_of_their_checks() -> None:
    assert stream_checks.TOOL  # declared, and so in JUDGED
    assert {check: set(names) for check, names in OWNERS.items()} == {
        check: set(names) for check, names in JUDGED.items() if names != ("stream.status",)
    }


def _junk(random_of: random.Random, depth: int = 0) -> object:
    if depth > 3 or random_of.random() < 0.4:
        return random_of.choice([None, True, -1, 1e308, 2**70, "", "x", "\ud800", [], {}, 0.5, NOW])
    names = ["id", "choices", "usage", "data", "model", "message", "delta", "content", "embedding", "index"]
    if random_of.random() < 0.5:
        return [_junk(random_of, depth + 1) for _ in range(random_of.randint(0, 3))]
    return {name: _junk(random_of, depth + 1) for name in random_of.sample(names, 4)}


def test_no_rule_falls_over_what_a_target_sends() -> None:
    """Answers of every shape: 600 of them, drawn with a seed."""
    random_of, watch = random.Random(18), Watch(environment(), KEY, RULES)
    for _ in range(200):
        answer: Any = copy.deepcopy(ANSWER)
        answer[random_of.choice(list(answer))] = _junk(random_of)
        chunks: Any = [*copy.deepcopy(CHUNKS), _junk(random_of)]
        watch.after(answered("/v1/chat/completions", ECHO, answer))
        watch.after(stream(chunks))
        watch.after(embedding(["a b", "c d"], [_junk(random_of), _junk(random_of)]))
    watch.after(Exchange("GET", URL + "/v1/models", OWN, b"", 200, JSON, ((0.1, b'{"data": [{"id": []}]}'),)))
    assert watch.mistakes == []


def test_a_bent_request_is_none_of_its_kind() -> None:
    found = seen_exchange(
        answered("/v1/chat/completions", {**ECHO, "api_base": "x"}, ANSWER), environment(), KEY
    )
    assert found is not None
    assert found.kinds == {Kind.ANY}


def test_what_nobody_judges_may_be_listed() -> None:
    names = ("chat-one", "emb", "both", "dall-e-3", "openai/gpt-4o")
    entries = [{"id": name, "object": "model", "created": NOW, "owned_by": "x"} for name in names]
    body = json.dumps({"object": "list", "data": entries}).encode()
    listed = Exchange("GET", URL + "/v1/models", OWN, b"", 200, JSON, ((0.1, body),), sent_at=NOW)
    gateway = {"url": URL, "key_variable": "MINI_KEY"}
    assert owners(listed, gateway=gateway) == {"API-MODELS-001"}
    assert owners(listed, gateway=gateway | {"unjudged_models": ["dall-e-3", "openai/*"]}) == set()
