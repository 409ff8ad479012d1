"""Sentinels that look at what smoke has anyway: what is right in its own way wakes nobody."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from gateway_acceptance.environment import ModelKind
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.exchange import Exchange
from suites.api.chat.rich import RICH
from suites.api.completions.probes import TextStream
from suites.api.embeddings.probes import BATCH, PARTS, batch_for, beside
from suites.api.observations import ECHO_TEXT
from suites.sentinels import chat, endpoints, refusals, service, tools
from tests.unit.bodies import CHAT
from tests.unit.declared import document, environment

ONE, OTHER, THIRD = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]


def declared() -> Any:
    given = document()
    given["gateway"] |= {"endpoints": ["completions"]}
    given["models"][0]["abilities"] = ["exact"]
    return environment(**given)


def target(declaration: Any = None, **answers: Any) -> Any:
    """Whose answers are known. answers: by the names under which they are kept, joined by blanks."""
    kept = {name.replace("__", " "): answer for name, answer in answers.items()}
    return SimpleNamespace(
        environment=declaration or declared(), once=lambda name, _: kept[" ".join(map(str, name))]
    )


def answer(body: object, **more: Any) -> Exchange:
    data = json.dumps(body).encode()
    return Exchange("POST", "http://g", (), b"", status=200, chunks=((0.1, data),), **more)


def embedded(*vectors: list[float]) -> Exchange:
    return answer({"data": [{"embedding": vector} for vector in vectors]})


def two_embedding_models() -> dict[str, Any]:
    models = [
        {**model, "alias": alias} for model, alias in zip([document()["models"][1]] * 2, "ab", strict=True)
    ]
    return document(models=[document()["models"][0], *models])


@pytest.mark.parametrize(
    ("status", "inputs"), [(200, PARTS + 1), (413, len(BATCH)), (422, len(BATCH)), (500, PARTS + 1)]
)
def test_who_refuses_many_texts_at_once_is_asked_for_few(status: int, inputs: int) -> None:
    many, few = replace(embedded(ONE), status=status), embedded(OTHER)
    one = target(
        environment(**two_embedding_models()), **{"embeddings b beside": many, "embeddings b few": few}
    )
    assert beside(one, "b") == (few if inputs == len(BATCH) else many, inputs)


def test_a_text_among_many() -> None:
    given = two_embedding_models()
    many = len(batch_for(environment(**given), "b"))
    assert (len(batch_for(environment(**given), "a")), many) == (len(BATCH), PARTS + 1)
    right = [OTHER, THIRD, OTHER, OTHER, ONE]
    for place, quiet in ((3, True), (1, False)):
        others = [[0.0, -1.0]] * (many - 1)
        others[0], others[place] = OTHER, OTHER
        known = {
            "embeddings alone": embedded(ONE),
            "embeddings a beside": embedded(*right),
            "embeddings b beside": embedded(*others, THIRD),
        }
        assert endpoints.embedded(target(environment(**given), **known)) is quiet


@pytest.mark.parametrize(
    ("alone", "beside", "quiet"),
    [
        (ONE, (OTHER, THIRD, OTHER, OTHER, ONE), True),
        (THIRD, (OTHER, THIRD, OTHER, OTHER, ONE), False),  # a string, a batch or base64 is otherwise
        (ONE, (OTHER, THIRD, ONE, OTHER, ONE), False),  # what is not ASCII was lost
        (ONE, (OTHER, ONE, THIRD, THIRD, ONE), False),  # moved
    ],
)
def test_a_text_alone_and_among_others(alone: list[float], beside: Any, quiet: bool) -> None:
    known = {"embeddings alone": embedded(alone), "embeddings emb beside": embedded(*beside)}
    assert endpoints.embedded(target(**known)) is quiet


@pytest.mark.parametrize(
    ("ids", "quiet"),
    [(("a", "a", "a"), True), (("a", "b", "c"), True), (("a", "a", "b"), False), (("a", "", "a"), False)],
)
def test_a_text_stream_has_one_id_or_each_chunk_its_own(ids: tuple[str, ...], quiet: bool) -> None:
    stream = TextStream(endpoints.JOINED, ids, [])
    assert endpoints.text_streams(target(**{"completions joined False": stream})) is quiet


def test_a_text_stream_keeps_what_joins_letters_and_its_end() -> None:
    lost = TextStream(endpoints.JOINED.replace("\u200d", ""), ("a",), [])
    endless = TextStream(endpoints.JOINED, ("a",), [Problem("", "the stream does not end with [DONE]")])
    for stream in (lost, endless):
        assert not endpoints.text_streams(target(**{"completions joined False": stream}))


def test_who_refuses_a_seed_is_asked_without() -> None:
    given = document()
    given["gateway"] |= {"endpoints": ["completions"]}
    given["models"][0]["abilities"] = ["seed"]
    refused, plain = TextStream("", (), [Problem("", "got 400")]), TextStream(endpoints.JOINED, ("a",), [])
    known = {"completions joined True": refused, "completions joined False": plain}
    assert endpoints.text_streams(target(environment(**given), **known))


def observed(identity: str | None) -> Any:
    return SimpleNamespace(stream=SimpleNamespace(chunks=[{"id": identity}, {"id": identity}]))


@pytest.mark.parametrize(
    ("one", "other", "quiet"),
    [("a", "b", True), ("a", "a", False), (None, None, True), ("", "", True)],
)
def test_streams_have_ids_of_their_own(one: str | None, other: str | None, quiet: bool) -> None:
    known = {
        "stream observed include_usage": observed(one),
        "stream observed max_tokens": observed(other),
    }
    assert tools.streams_apart(target(**known)) is quiet


def said(text: str, **choice: Any) -> Exchange:
    body: Any = copy.deepcopy(CHAT)
    body["choices"][0]["message"]["content"] = text
    body["choices"][0] |= choice
    return answer(body)


def test_a_text_of_all_scripts_has_the_shape_of_any_answer() -> None:
    shapeless = {"logprobs": {"content": [{"token": "1"}]}}
    for plain, rich, quiet in (({}, {}, True), ({}, shapeless, False), (shapeless, shapeless, True)):
        known = {"echo chat-one": said(ECHO_TEXT, **plain), "chat rich": said(RICH, **rich)}
        everywhere = target(**known, **{"echo both": known["echo chat-one"]})
        assert chat.rich(everywhere) is quiet


LATER = {"alias": "last", "kind": "chat", "backend": "one", "upstream": "tiny"}
REFUSED = Exchange("POST", "http://g", (), b"", status=400, chunks=((0.1, b'{"error": {}}'),))


def ruled(text: str) -> Exchange:
    body = json.loads(said(text, finish_reason="stop").body)
    body["usage"] |= {"prompt_tokens": 500, "total_tokens": 500 + body["usage"]["completion_tokens"]}
    return answer(body)


@pytest.mark.parametrize(
    ("answers", "quiet"),
    [
        ([ruled('{"said": "HX-L')], True),
        ([ruled('{\n "said" :"HX-L\n')], True),
        ([ruled("HX-L")], False),  # the schema was dropped
        ([ruled('{"answer": "HX-L')], False),  # only that it is JSON came through
        ([ruled('{"said": "HX-SYSTEM"}')], False),
        ([REFUSED, ruled('{"said": "HX-L')], True),
        ([REFUSED, REFUSED, ruled("HX-L")], True),
        ([REFUSED, REFUSED, ruled("HX-SYSTEM")], False),
    ],
)
def test_two_rules_are_leaks_of_answer_a_schema(answers: list[Exchange], quiet: bool) -> None:
    given = document()
    given["models"].append({**LATER, "abilities": ["instructions", "json_schema"]})
    asked: list[str] = []

    def chat_of(alias: str, _: object, **parameters: object) -> Exchange:
        asked.append(alias)
        assert ("response_format" in parameters) is (len(asked) <= 2)
        return answers[len(asked) - 1]

    where: Any = SimpleNamespace(environment=environment(**given), gateway=SimpleNamespace(chat=chat_of))
    assert chat.rules(where) is quiet
    assert asked == ["last"] * len(answers)


def echoes(*answers: Exchange) -> Any:
    aliases = declared().aliases_of(ModelKind.CHAT)
    return target(**{f"echo {alias}": one for alias, one in zip(aliases, answers, strict=True)})


FIRST = answer({}, connection=1, sent_at=100.0, elapsed_s=1.0)
THEN = answer({}, connection=2, sent_at=101.1, elapsed_s=1.0)


@pytest.mark.parametrize(
    ("first", "then", "quiet"),
    [
        (FIRST, replace(THEN, connection=1), True),
        (FIRST, THEN, False),
        (FIRST, replace(THEN, connection=1, dropped=True), False),
        (replace(FIRST, headers=(("connection", "close"),)), THEN, True),
        (FIRST, replace(THEN, sent_at=103.0), True),
        (replace(FIRST, connection=0), THEN, True),
        (replace(FIRST, status=400), THEN, True),  # the suite asks nothing more where it was refused
    ],
)
def test_a_connection_is_kept(first: Exchange, then: Exchange, quiet: bool) -> None:
    assert service.kept_alive(echoes(first, then)) is quiet


ENVELOPE = ((0.0, json.dumps({"error": {"message": "no"}}).encode()),)
PAGE = ((0.0, b"<p>Bad request syntax</p>"),)


@pytest.mark.parametrize(
    ("status", "connection", "later", "body", "quiet"),
    [
        (400, 2, 200, ENVELOPE, False),
        (400, 1, 200, ENVELOPE, True),
        (400, 1, 400, ENVELOPE, True),
        (400, 1, 400, PAGE, False),  # what was refused is read as what was asked next
        (400, 1, 429, PAGE, True),
        (400, 1, 200, PAGE, True),
        (500, 2, 200, ENVELOPE, True),
    ],
)
def test_a_connection_is_kept_behind_a_refusal(
    status: int, connection: int, later: int, body: Any, quiet: bool
) -> None:
    first = replace(FIRST, status=status, chunks=ENVELOPE)
    asked = [first, replace(THEN, connection=connection, status=later, chunks=body)]
    line: Any = SimpleNamespace(notebook=SimpleNamespace(exchanges=asked))
    assert refusals.connections_kept(line) is quiet


def test_an_answer_that_is_late_has_others_asked() -> None:
    assert service.in_time(echoes(FIRST, THEN))
    assert not service.in_time(echoes(FIRST, replace(THEN, elapsed_s=999.0)))
