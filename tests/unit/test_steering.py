"""What beside the body chose who served, or what: right answers, refusals, and what tells of steering."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_acceptance.verdict import NotApplicable, Untestable
from gateway_acceptance.wire.exchange import Exchange
from suites.api.extract import decided
from suites.api.steering import probes
from suites.api.steering.names import MOCKED, MODEL_HEADERS, PARAMETERS, parameter_headers
from suites.api.steering.rules import AnswerWitness, Pair, answer_witness, changed, led_astray
from tests.unit.declared import beside, environment

KNOWN = Pair("one", "two", AnswerWitness("llm-01", "one"), AnswerWitness("llm-02", "two"))
SAME_PLACE = Pair("one", "two", AnswerWitness("llm-01", "one"), AnswerWitness("llm-01", "two"))


def answer(
    model: str = "one",
    backend: str = "",
    status: int = 200,
    kind: str = "application/json",
    text: str = "HX-OK",
    choices: int = 1,
    reason: str = "stop",
) -> Exchange:
    each: dict[str, Any] = {"message": {"content": text}, "finish_reason": reason}
    content = json.dumps({"model": model, "choices": [each] * choices}).encode()
    return Exchange(
        "POST",
        "u",
        (),
        b"",
        status=status,
        headers=(("content-type", kind),),
        chunks=((0.0, content),),
        served_by=backend,
    )


@pytest.mark.parametrize(
    ("given", "led"),
    [
        (answer("one", "llm-01"), False),
        (answer("one", "llm-02"), True),  # as LiteLLM does: it tells the body's model
        (answer("two", "llm-02"), True),
        (answer("two", ""), True),
        (answer("one", ""), False),
        (answer("two", "llm-02", status=400), False),
        (answer("three", "elsewhere"), False),
    ],
)
def test_who_served_is_leaks_of_answer_any_witness(given: Exchange, led: bool) -> None:
    assert KNOWN.led(given) is led
    assert bool(led_astray(KNOWN, [("?model=", given)])) is led


def test_models_of_one_backend_are_told_apart_by_their_names() -> None:
    assert SAME_PLACE.distinguishable
    assert SAME_PLACE.led(answer("two", "llm-01"))
    assert not SAME_PLACE.led(answer("one", "llm-01"))
    assert not Pair("one", "two", AnswerWitness("", "x"), AnswerWitness("", "x")).distinguishable


def chats(*places: tuple[str, str]) -> list[dict[str, str]]:
    """Chat models a, b, c …, each with its backend and the model there; neither where they are empty."""
    given = [{"alias": alias, "kind": "chat"} for alias in "abcd"[: len(places)]]
    return [
        {**model, **({"backend": place[0], "upstream": place[1]} if all(place) else {})}
        for model, place in zip(given, places, strict=True)
    ]


def paired(monkeypatch: pytest.MonkeyPatch, models: list[dict[str, str]], says: dict[str, str]) -> Any:
    """The pair, and whom it asked. says: alias -> the model that its answers name."""
    asked: list[str] = []

    def ask(_: object, alias: str, **__: object) -> Exchange:
        asked.append(alias)
        return answer(says[alias])

    monkeypatch.setattr(probes, "asked", ask)
    try:
        found: Any = probes.pair(beside(environment(models=models, groups=[])))
    except (NotApplicable, Untestable) as error:
        return type(error), asked
    return (found.first, found.second), asked


def test_a_second_model_is_one_whose_answers_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two aliases of one model tell nothing: another one does, and only where none does is it untestable."""
    nobody = ("", "")
    says = {"a": "tiny", "b": "tiny", "c": "large"}
    assert paired(monkeypatch, chats(nobody, nobody, nobody), says) == (("a", "c"), ["a", "b", "c"])
    assert paired(monkeypatch, chats(nobody, nobody), says) == (Untestable, ["a", "b"])


def test_names_of_one_model_are_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """As declared: nothing is asked then."""
    tiny, large = ("one", "tiny"), ("two", "large")
    says = {"a": "tiny", "b": "tiny", "c": "large"}
    assert paired(monkeypatch, chats(tiny, tiny), says) == (NotApplicable, [])
    assert paired(monkeypatch, chats(tiny, tiny, large), says) == (("a", "c"), ["a", "c"])


def test_a_third_backend_is_of_neither() -> None:
    assert KNOWN.is_of_neither(answer("one", "http://127.0.0.9:1"))
    assert not KNOWN.is_of_neither(answer("one", "llm-02"))
    assert not KNOWN.is_of_neither(answer("one", ""))
    assert not KNOWN.is_of_neither(answer("one", "http://127.0.0.9:1", status=404))


def test_an_answer_that_is_no_object_tells_nothing() -> None:
    assert answer_witness(
        Exchange("POST", "u", (), b"", status=200, chunks=((0.0, b"[1]"),))
    ) == AnswerWitness("", "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answer(), ""),
        (answer(text="something else"), ""),
        (answer(status=422, text=MOCKED), ""),
        (answer(kind="text/event-stream"), "makes a stream"),
        (answer(text=MOCKED), "makes up the answer"),
        (answer(choices=2), "changes the number of choices"),
        (answer(reason="length"), "changes how the answer ends"),
    ],
)
def test_what_a_parameter_beside_the_body_changed(given: Exchange, said: str) -> None:
    found = [problem.message for problem in changed(answer(), given, "the URL")]
    assert len(found) == bool(said)
    assert all(said in message for message in found)


def test_each_header_is_named_once_and_the_key_is_in_none() -> None:
    assert len(set(MODEL_HEADERS)) == len(MODEL_HEADERS)
    names = [name for name, _ in parameter_headers()]
    assert len(set(names)) == len(names)
    assert "authorization" not in {*MODEL_HEADERS, *names, *PARAMETERS}


@pytest.mark.parametrize(
    ("status", "counts"),
    [(200, True), (400, True), (404, True), (501, True), (429, False), (500, False), (503, False)],
)
def test_what_tells_nothing_is_no_subject(status: int, counts: bool) -> None:
    assert decided([answer(status=status)]) == int(counts)


def test_nobody_answered() -> None:
    assert decided([Exchange("POST", "u", (), b"", error="the connection broke")]) == 0
