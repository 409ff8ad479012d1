"""How chat answers are read and judged, without a network."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from suites.api.chat.concurrency import texts
from suites.api.extract import (
    choices_of,
    counted,
    first_difference,
    first_text,
    mixed_up,
    names,
    names_exactly,
    names_of,
    numbers_in,
    outside,
    reason_of,
    reasoned,
    refused,
    refused_honestly,
    repeated,
    same_text,
    stop_strings_in,
    unless_served_or_refused,
    wrong_time,
)


def answered(body: object, status: int = 200) -> Exchange:
    raw = json.dumps(body).encode()
    headers = (("content-type", "application/json"),)
    return Exchange("POST", "http://127.0.0.1/v1", (), b"", status, headers, ((0.0, raw),))


def completion(**other: Any) -> Exchange:
    choice = {"index": 0, "message": {"role": "assistant", "content": "1 2"}, "finish_reason": "stop"}
    return answered({"choices": [choice], "usage": {"prompt_tokens": 4, "completion_tokens": 2}, **other})


def test_a_completion_is_read() -> None:
    answer = completion()
    assert (first_text(answer), reason_of(answer)) == ("1 2", "stop")
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
        first_text(answered({"choices": [choice]}))


@pytest.mark.parametrize("usage", [None, [], {}, {"prompt_tokens": "4"}, {"prompt_tokens": True}])
def test_what_does_not_count_fails(usage: object) -> None:
    with pytest.raises(CheckFailed, match=r"usage\.prompt_tokens"):
        counted(completion(usage=usage), "prompt_tokens")


def test_another_status_fails_with_what_came() -> None:
    with pytest.raises(CheckFailed, match=r"expected 200 .*got 503: .*busy"):
        first_text(answered({"error": "busy"}, 503))


@pytest.mark.parametrize(
    ("status", "honest"), [(400, True), (422, True), (200, False), (404, False), (500, False)]
)
def test_only_a_refusal_of_the_parameter_is_one(status: int, honest: bool) -> None:
    assert refused(answered({}, status)) is honest


ENVELOPE = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}


def test_an_honest_refusal_has_the_envelope() -> None:
    assert refused_honestly(answered(ENVELOPE, 400))
    assert not refused_honestly(completion())
    assert not refused_honestly(answered(ENVELOPE, 500))
    with pytest.raises(CheckFailed, match="error-envelope"):
        refused_honestly(answered({"detail": "no"}, 400))


@pytest.mark.parametrize(
    ("body", "status", "rule"),
    [
        (ENVELOPE, 400, ""),
        (ENVELOPE, 422, ""),
        ({"choices": [{"finish_reason": "stop"}]}, 200, ""),
        ({"detail": "no"}, 400, "schema.error-envelope"),
        ({"choices": [{"finish_reason": None}]}, 200, "chat.served"),
        (ENVELOPE, 404, "chat.served"),
        (ENVELOPE, 429, "chat.served"),
        (ENVELOPE, 500, "chat.served"),
    ],
)
def test_what_is_neither_served_nor_refused_is_told(body: object, status: int, rule: str) -> None:
    problems = unless_served_or_refused("a NUL", answered(body, status))
    assert bool(problems) is bool(rule)
    assert all(problem.rule.startswith(rule) for problem in problems)


@pytest.mark.parametrize(
    ("created", "right"),
    [
        (1_000_000, True),
        (999_700, True),
        (999_699, False),
        (1_000_320, True),
        (1_000_321, False),
        (1_000_000_000, False),
        (0, False),
        (1_000_000.5, False),
        ("1000000", False),
        (True, False),
        (None, False),
    ],
)
def test_a_time_is_between_the_request_and_the_end_of_its_answer(created: object, right: bool) -> None:
    answer = replace(completion(), sent_at=1_000_000.0, elapsed_s=20.0)
    assert (wrong_time(created, answer) == "") is right


def test_a_stop_string_is_not_its_characters() -> None:
    assert stop_strings_in("17", "1 2 7") == []
    assert stop_strings_in("17", "16 17") == ["17"]
    assert stop_strings_in(["12", "5"], "1 2 5") == ["5"]
    assert stop_strings_in([], "1") == []


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
        ("hx-chat-2026-02-11", True),
        ("azure/hx-chat-2026-02-11", True),
        ("gpt-4o-2026-02-11", False),
        ("hx-chat-2026-02-11-mini", False),
        ("hx-chat-20", False),
        ("gpt-4o", False),
        ("myphi3", False),
        ("phi3:mini", False),
        ("", False),
        (None, False),
    ],
)
def test_the_names_of_a_model(model: object, right: bool) -> None:
    assert names(model, "hx-chat", ["phi3:latest"]) is right


@pytest.mark.parametrize(
    ("model", "right"),
    [
        ("hx-chat", True),
        ("phi3", True),
        ("hx-chat-2026-02-11", True),
        ("ollama_chat/phi3:latest", False),
        ("azure/hx-chat-2026-02-11", False),
        ("hx-chat-v2", False),
        (None, False),
    ],
)
def test_the_exact_names_of_a_model(model: object, right: bool) -> None:
    assert names_exactly(model, "hx-chat", ["phi3:latest"]) is right


def test_exact_names_have_no_provider() -> None:
    assert names_of("hx-chat", ["phi3:latest", "llama3.2:3b"]) == {
        "hx-chat",
        "phi3:latest",
        "phi3",
        "llama3.2:3b",
    }
