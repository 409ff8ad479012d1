"""What a chat model shows of its abilities, and the lines that are printed of it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway_acceptance.cli.abilities import MeasuredAbilities, lines, measure
from gateway_acceptance.cli.abilities_asked import CALLS, MOST_REQUESTS, calls_of, right_calls
from gateway_acceptance.environment import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NoAnswer, NotPermitted
from gateway_acceptance.wire.exchange import Exchange
from tests.unit.declared import environment

ENVIRONMENT = environment()
MODEL = ENVIRONMENT.models[0]
Answer = tuple[int, Any]
PLACE = '{"city": "Oslo", "inhabitants": 700000, "coastal": true}'
CALLED = [
    {"id": name, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    for name, arguments in CALLS.items()
]


def completion(text: str | None, finish: str = "stop", usage: Any = None, **message: Any) -> Answer:
    said = {"role": "assistant", "content": text, **message}
    return 200, {"choices": [{"index": 0, "message": said, "finish_reason": finish}], "usage": usage}


def able(asked: Mapping[str, Any], _: int) -> Answer:
    """A model that can do all of it."""
    last = asked["messages"][-1]["content"]
    if "tools" in asked:
        return completion(None, "tool_calls", tool_calls=CALLED)
    if "response_format" in asked:
        schema = asked["response_format"]["type"] == "json_schema"
        return completion(PLACE if schema else '{"text": "The sea is wide."}')
    if asked["messages"][0]["role"] == "system":
        return completion("HX-RULE\n")
    if last == "What is my name?":
        return completion("Your name is Wilhelmina.")
    if last.startswith("Count"):
        return completion(", ".join(str(number) for number in range(1, 31)))
    return completion("HX-OK")


def talks(_: Mapping[str, Any], number: int) -> Answer:
    """One that says what it likes."""
    return completion(f"The boats lie still ({number}).")


def target_of(answer: Callable[[Mapping[str, Any], int], Answer]) -> tuple[Target, list[dict[str, Any]]]:
    asked: list[dict[str, Any]] = []

    def chat(model: str, messages: Any, **parameters: Any) -> Exchange:
        asked.append({"model": model, "messages": messages, **parameters})
        status, document = answer(asked[-1], len(asked))
        body = json.dumps(document).encode()
        return Exchange("POST", "http://x", (), b"", status=status, chunks=[(0.1, body)], elapsed_s=0.1)

    only = SimpleNamespace(environment=ENVIRONMENT, gateway=SimpleNamespace(chat=chat))
    return cast(Target, only), asked


def printed(answer: Callable[[Mapping[str, Any], int], Answer]) -> tuple[list[str], str]:
    """The abilities of the TOML that is printed, and the whole of it."""
    target, asked = target_of(answer)
    text = "\n".join(lines(MODEL, measure(target, MODEL)))
    assert len(asked) <= MOST_REQUESTS == 8
    (entry,) = tomllib.loads(text)["models"]
    assert entry["alias"] == "chat-one"
    return entry.get("abilities", []), text


def test_a_model_that_can_do_all_of_it() -> None:
    words, text = printed(able)
    assert words == [
        "exact", "count", "instructions", "recall", "seed", "tools", "parallel_tools", "json_object",
        "json_schema",
    ]  # fmt: skip
    assert "not shown" not in text
    assert "# not asked: vision, logprobs" in text


def test_a_model_that_talks_shows_nothing_and_says_so_of_each() -> None:
    words, text = printed(talks)
    assert words == []
    for ability in ("exact", "count", "instructions", "recall", "tools", "parallel_tools", "json_schema"):
        assert f"# not shown: {ability} (it answers otherwise)" in text
    assert "# not shown: seed (it says something else when it is asked again)" in text


@pytest.mark.parametrize(
    ("calls", "shown"),
    [
        (CALLED[:1], {"tools"}),
        (CALLED[::-1], {"tools", "parallel_tools"}),
        ([*CALLED, CALLED[0]], set()),
        ([{"function": {"name": "set_alarm", "arguments": '{"hour": 8, "label": "gym"}'}}], set()),
    ],
)
def test_one_right_call_of_two_shows_tools(calls: Any, shown: set[str]) -> None:
    words, _ = printed(
        lambda asked, number: completion(None, tool_calls=calls) if "tools" in asked else able(asked, number)
    )
    assert {"tools", "parallel_tools"} & set(words) == shown


@pytest.mark.parametrize("calls", [None, "x", [None], [{"function": 3}], [{"function": {"name": "a"}}]])
def test_what_is_no_call_is_none(calls: Any) -> None:
    assert calls_of({"tool_calls": calls}) == []
    assert right_calls({"tool_calls": calls}) == 0


def test_what_is_refused_is_not_shown_and_what_fails_is_not_told() -> None:
    def answer(asked: Mapping[str, Any], number: int) -> Answer:
        if "tools" in asked:
            return 400, {"error": {"message": "no tools"}}
        return (503, {}) if "response_format" in asked else able(asked, number)

    target, _ = target_of(answer)
    found = measure(target, MODEL)
    assert found.missing[Ability.TOOLS] == "it is answered with 400"
    assert set(found.undecided) == {Ability.JSON_OBJECT, Ability.JSON_SCHEMA}
    assert not found.complete
    assert "# not measured: json_object (it is answered with 503)" in lines(MODEL, found)
    assert Ability.SEED in found.shown  # by the last question that was answered


def test_a_model_that_thinks_is_given_room_from_the_first_question_on() -> None:
    def answer(asked: Mapping[str, Any], number: int) -> Answer:
        if asked["max_tokens"] < 1000:
            return completion("", "length", reasoning_content="Let me")
        status, document = able(asked, number)
        document["choices"][0]["message"]["reasoning_content"] = "Let me think."
        return status, document

    words, text = printed(answer)
    assert {"reasoning", "exact", "count", "json_schema"} <= set(words)
    assert "not shown" not in text


def test_reasoning_is_seen_in_the_usage_alone() -> None:
    usage = {"completion_tokens_details": {"reasoning_tokens": 5}}
    words, _ = printed(lambda *_: completion("HX-OK", usage=usage))
    assert words == ["exact", "seed", "reasoning"]


def test_others_are_given_room_once() -> None:
    target, asked = target_of(able)
    measure(target, MODEL)
    assert [one["max_tokens"] > 1000 for one in asked] == [True] + 7 * [False]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda *_: (404, {}), "it is answered with 404"),
        (lambda *_: (200, []), "its answer is no chat completion"),
        (lambda *_: (200, {"choices": [{"message": "hi"}]}), "its answer is no chat completion"),
    ],
)
def test_a_model_that_gives_no_answer_is_asked_once(
    answer: Callable[[Mapping[str, Any], int], Answer], why: str
) -> None:
    target, asked = target_of(answer)
    found = measure(target, MODEL)
    assert (found.silent, len(asked), found.complete) == (why, 1, False)
    assert lines(MODEL, found)[2] == f"# not measured: {why}"


def test_silence_in_the_midst() -> None:
    def answer(asked: Mapping[str, Any], number: int) -> Answer:
        if number == 3:
            raise NoAnswer("reset\nby the peer")
        return able(asked, number)

    target, _ = target_of(answer)
    assert lines(MODEL, measure(target, MODEL))[2] == "# not measured: no answer: reset by the peer"


def test_a_budget_that_is_used_up_is_no_inability() -> None:
    def answer(asked: Mapping[str, Any], number: int) -> Answer:
        if number == 3:
            raise NotPermitted("the budget of 2 requests is used up (policy.requests)")
        return able(asked, number)

    target, _ = target_of(answer)
    with pytest.raises(NotPermitted):
        measure(target, MODEL)


def test_what_is_declared_and_not_asked_is_kept() -> None:
    model = MODEL.model_copy(update={"abilities": (Ability.VISION, Ability.REASONING)})
    found = MeasuredAbilities("chat-one", {Ability.EXACT}, {Ability.REASONING: "no answer tells of any"})
    said = lines(model, found)
    assert 'abilities = ["exact", "vision"]' in said
    assert "# declared, not shown: reasoning (no answer tells of any)" in said
    assert "# not asked: vision, kept as it is declared" in said
