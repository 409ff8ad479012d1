"""Gateways that serve and are ill in one thing: every rule judges their answers, every client reads them."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from gateway_acceptance.plugin.outcome import outcome_of
from gateway_acceptance.verdict import NoAnswer, Verdict
from gateway_acceptance.wire.deadline import Deadline
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.sender import Sender
from gateway_acceptance.wire.vectors import ollama_vectors, openai_vectors
from gateway_acceptance.wire.watch import Watch
from lab.patience import patient
from suites.every_exchange import RULES
from tests.ill_gateways import ReceivedRequest, RightAnswer, right, serving
from tests.ill_twists import ABSURD, TWISTS, mutated
from tests.unit.declared import URL, environment

KEY = "sk-made-up-3f9c0d7a51e84b26"
OWN = (("authorization", f"Bearer {KEY}"), ("content-type", "application/json"))
ASKED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GET", "/v1/models", {}),
    (
        "POST",
        "/v1/chat/completions",
        {"model": "chat-one", "messages": [{"role": "user", "content": "Say: OK"}]},
    ),
    (
        "POST",
        "/v1/chat/completions",
        {
            "model": "chat-one",
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": [{"role": "user", "content": "Say: twice"}],
        },
    ),
    ("POST", "/v1/embeddings", {"model": "vectors", "input": ["one", "two"]}),
    ("POST", "/v1/chat/completions", {"model": "none", "messages": []}),
)
READS_TO_AN_END = sorted({*TWISTS} - {"stream_without_end", "bombs_of_chat"})


def judged(asked: ReceivedRequest, answer: RightAnswer) -> Exchange:
    body = json.dumps(asked.body).encode() if asked.body else b""
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers)
    question = Exchange(asked.method, URL + asked.path, OWN, body, sent_at=1_795_000_000.0)
    return question.answered(
        status=answer.status, headers=headers, chunks=((0.1, answer.body),), elapsed_s=0.2, first_byte_s=0.1
    )


def questions() -> Iterator[ReceivedRequest]:
    draw = random.Random(3)
    number = 0
    while True:
        number += 1
        method, path, body = draw.choice(ASKED)
        yield ReceivedRequest(method, path, KEY, body, number)


@pytest.mark.parametrize("seed", range(4))
def test_every_rule_judges_an_answer_that_is_absurd_in_one_place(seed: int) -> None:
    watch, twist = Watch(environment(), KEY, RULES), mutated(seed)
    for _, asked in zip(range(300), questions(), strict=False):
        watch.after(judged(asked, twist(asked, right(asked))))
    assert watch.mistakes == []
    assert len(watch.taken()) > 3, "they are absurd, and somebody says so"


@pytest.mark.parametrize("name", [name for name in READS_TO_AN_END if not name.startswith("mutated")])
def test_every_rule_judges_each(name: str) -> None:
    watch = Watch(environment(), KEY, RULES)
    for _, asked in zip(range(60), questions(), strict=False):
        answer = TWISTS[name](asked, right(asked))
        if answer.written is None:
            watch.after(judged(asked, answer))
    assert watch.mistakes == []


@pytest.mark.parametrize("absurd", ABSURD, ids=lambda one: repr(one)[:20])
def test_what_is_no_vector_is_none(absurd: Any) -> None:
    """Nightly's own reading of an answer broke off with a KeyError, and was called an error of the suite."""
    for place in (absurd, {"data": absurd}, {"data": [absurd]}, {"data": [{"embedding": absurd}]}):
        found = openai_vectors(place)
        assert found is None or all(isinstance(one, float) for vector in found for one in vector)
    for place in (absurd, {"embeddings": absurd}, {"embeddings": [absurd]}, {"embeddings": [[absurd]]}):
        found = ollama_vectors(place)
        assert found is None or all(isinstance(one, float) for vector in found for one in vector)


def test_vectors_are_read_in_order() -> None:
    assert openai_vectors({"data": [{"embedding": [1, 2.5]}, {"embedding": [3]}]}) == [[1.0, 2.5], [3.0]]
    assert openai_vectors({"data": [{"embedding": [1]}, {}]}) is None
    assert ollama_vectors({"embeddings": [[1, 2.5], [3]]}) == [[1.0, 2.5], [3.0]]


NEVER_WHOLE = "half_of_it"
"""Every answer of it is waited for as long as the deadline lets."""


@pytest.mark.parametrize("name", list(TWISTS))
def test_the_sender_reads_each_or_says_why_not(name: str) -> None:
    notebook, seen = Notebook(), Counter[str]()
    waited = name == NEVER_WHOLE
    asked = ASKED if waited else ASKED * 2
    with serving(TWISTS[name]) as target:
        sender = Sender(notebook, None, Deadline(10, patient(1 if waited else 10)))
        for method, path, body in asked:
            try:
                data = json.dumps(body).encode() if body else b""
                answer = sender.send(method, target.url + path, headers=OWN, body=data)
            except NoAnswer as none:
                seen[outcome_of(none, "call").verdict.value] += 1
            else:
                seen["read" if answer.status is not None else "nothing"] += 1
        sender.close()
    assert seen["read"] + seen[Verdict.FAILED.value] == len(asked), seen
    assert seen["read"] > 0 or name in ("absurd_headers", "many_cookies"), seen
