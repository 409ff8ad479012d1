"""How chat answers are read and judged, without a network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from suites.api.chat_concurrency import texts
from suites.api.chat_reading import (
    choices_of,
    counted,
    first_difference,
    mixed_up,
    names,
    numbers_in,
    outside,
    reason_of,
    reasoned,
    refused,
    repeated,
    same_text,
    text_of,
)


def answered(body: object, status: int = 200) -> Exchange:
    raw = json.dumps(body).encode()
    return Exchange("POST", "http://127.0.0.1/v1", (), b"", status=status, chunks=((0.0, raw),))


def completion(**other: Any) -> Exchange:
    choice = {"index": 0, "message": {"role": "assistant", "content": "1 2"}, "finish_reason": "stop"}
    return answered({"choices": [choice], "usage": {"prompt_tokens": 4, "completion_tokens": 2}, **other})


def test_a_completion_is_read() -> None:
    answer = completion()
    assert (text_of(answer), reason_of(answer)) == ("1 2", "stop")
    assert (counted(answer, "prompt_tokens"), counted(answer, "completion_tokens")) == (4, 2)
    assert reasoned(answer) == 0


def test_reasoning_that_the_text_does_not_show_is_told_apart() -> None:
    usage = {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}
    assert reasoned(completion(usage=usage)) == 7
    assert reasoned(completion(usage=None)) == 0
    assert reasoned(completion(usage={"completion_tokens_details": None})) == 0


@pytest.mark.parametrize(
    "body", [None, [], {}, {"choices": []}, {"choices": {}}, {"choices": ["a"]}, {"choices": None}]
)
def test_what_has_no_choice_fails(body: object) -> None:
    with pytest.raises(CheckFailed):
        choices_of(answered(body))


@pytest.mark.parametrize("choice", [{}, {"message": None}, {"message": {}}, {"message": {"content": None}}])
def test_a_choice_without_text_fails(choice: object) -> None:
    with pytest.raises(CheckFailed, match="expected text as content"):
        text_of(answered({"choices": [choice]}))


@pytest.mark.parametrize("usage", [None, [], {}, {"prompt_tokens": "4"}, {"prompt_tokens": True}])
def test_what_does_not_count_fails(usage: object) -> None:
    with pytest.raises(CheckFailed, match=r"usage\.prompt_tokens"):
        counted(completion(usage=usage), "prompt_tokens")


def test_another_status_fails_with_what_came() -> None:
    with pytest.raises(CheckFailed, match=r"expected 200 .*got 503: .*busy"):
        text_of(answered({"error": "busy"}, 503))


@pytest.mark.parametrize(
    ("status", "honest"), [(400, True), (422, True), (200, False), (404, False), (500, False)]
)
def test_only_a_refusal_of_the_parameter_is_one(status: int, honest: bool) -> None:
    assert refused(answered({}, status)) is honest


def test_numbers_are_found_whatever_stands_between() -> None:
    assert numbers_in("Sure: 1, 2,\n3... 10!") == [1, 2, 3, 10]
    assert numbers_in("none") == []


@pytest.mark.parametrize(
    ("count", "wrong"), [(1, True), (2, False), (7, False), (8, True), (0, True), (-1, True)]
)
def test_a_count_is_between_the_least_and_the_bytes(count: int, wrong: bool) -> None:
    assert bool(outside(count, 2, "1 \u00df", 3)) is wrong


def test_white_space_around_a_text_is_forgiven_and_nothing_else() -> None:
    assert same_text(" HX-OK\n", "HX-OK")
    assert not same_text("HX-OK.", "HX-OK")


@pytest.mark.parametrize(
    ("text", "expected", "told"),
    [
        ("abc", "abc", ""),
        ("abd", "abc", "expected 0063 at character 2 of 3, got 0064"),
        ("ab", "abc", "expected 0063 at character 2 of 3, got the end"),
        ("abcd", "abc", "expected the end at character 3 of 3, got 0064"),
        ("\u00e9", "e\u0301", "expected 0065 0301 at character 0 of 2, got 00E9"),
        ("", "a", "expected 0061 at character 0 of 1, got the end"),
    ],
)
def test_the_first_difference_is_told_in_code_points(text: str, expected: str, told: str) -> None:
    assert first_difference(text, expected) == told


def test_answers_of_others_are_found() -> None:
    assert mixed_up({"HX-a-01": " HX-a-01", "HX-b-02": "HX-b-02."}) == []
    assert mixed_up({"HX-a-01": "HX-b-02", "HX-b-02": "HX-b-02"}) == ["who asked for HX-a-01 got HX-b-02"]
    assert mixed_up({"HX-a-01": "HX-a-01 HX-b-02", "HX-b-02": "HX-b-02"}) == [
        "who asked for HX-a-01 got HX-b-02"
    ]
    assert mixed_up({"HX-a-01": "I cannot"}) == ["who asked for HX-a-01 got 'I cannot'"]


@pytest.mark.parametrize("count", [1, 8, 9, 64])
def test_no_text_of_a_moment_is_part_of_another(count: int) -> None:
    made = texts(count)
    assert len(set(made)) == count
    assert [(one, other) for one in made for other in made if one != other and one in other] == []


def test_values_that_occur_more_than_once() -> None:
    assert repeated(["a", "b", "c"]) == []
    assert repeated(["a", "b", "a", None, None]) == ['"a"', "null"]


@pytest.mark.parametrize(
    ("model", "right"),
    [
        ("hx-chat", True),
        ("phi3:latest", True),
        ("phi3", True),
        ("ollama_chat/phi3:latest", True),
        ("gpt-4o", False),
        ("myphi3", False),
        ("phi3:mini", False),
        ("", False),
        (None, False),
    ],
)
def test_the_names_of_a_model(model: object, right: bool) -> None:
    assert names(model, "hx-chat", ["phi3:latest"]) is right
