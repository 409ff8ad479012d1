"""What a model says by itself, cut and ended: also of one that says it otherwise each time."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, Inconclusive, Untestable
from gateway_acceptance.wire.exchange import Exchange
from suites.api.chat import own_words
from suites.api.chat.own_words import Own, marks_of, require_ended_at
from suites.api.extract import tokens_or_words
from suites.api.models.listing import asked_now

TARGET = cast(Target, None)
SAID = "Well, the tide comes in at seven, and the ferry leaves at eight."
OTHERWISE = "Let us see: the ferry leaves the pier at eight, and the tide comes in."


def answered(text: str) -> Exchange:
    body = json.dumps({"choices": [{"index": 0, "message": {"content": text}}]}).encode()
    return Exchange("POST", "http://x", (), b"", 200, (), [(0.0, body)])


def ended(text: str, *, again: str = "", stop: Any = "leaves", mark: str = "leaves") -> list[Any]:
    """The stop strings of further questions, each answered by ``again``."""
    asked: list[Any] = []

    def ask(_: Target, **parameters: Any) -> Exchange:
        asked.append(parameters["stop"])
        return answered(again)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(own_words, "asked_again", ask)
        require_ended_at(TARGET, Own("m", answered(SAID), counts=False), answered(text), stop, mark)
    return asked


def test_the_same_text_up_to_the_mark_is_right() -> None:
    assert ended("Well, the tide comes in at seven, and the ferry ") == []


@pytest.mark.parametrize("text", [SAID, "Well, the tide"])
def test_the_same_text_that_ends_elsewhere_is_wrong(text: str) -> None:
    with pytest.raises(CheckFailed, match="expected the answer"):
        ended(text)


@pytest.mark.parametrize(("stop", "asked"), [("leaves", "e"), (["leaves", "ferry"], ["ferry", "e"])])
def test_a_model_that_says_otherwise_is_ended_at_a_letter_that_it_uses_often(stop: Any, asked: Any) -> None:
    mark = stop if isinstance(stop, str) else stop[1]
    assert ended(OTHERWISE, again="L", stop=stop, mark=mark) == [asked]
    with pytest.raises(CheckFailed, match="expected the answer to end before 'e'"):
        ended(OTHERWISE, again=OTHERWISE, stop=stop, mark=mark)


def test_without_such_a_letter_nothing_is_decided() -> None:
    short = Own("m", answered("abc def ghi"), counts=False)
    with pytest.raises(Inconclusive, match="says otherwise when asked again"):
        require_ended_at(TARGET, short, answered("xyz"), "def", "def")


def test_numbers_alone_have_marks_too() -> None:
    counted = Own("m", answered(", ".join(map(str, range(1, 31)))), counts=False)
    first, second = marks_of(counted)
    assert (first, second) == ("11", "12")
    with pytest.raises(Untestable, match="no word of it can be a stop string"):
        marks_of(Own("m", answered("1, 2, 3"), counts=False))


def test_who_says_the_same_again_and_again_has_marks_at_the_beginning() -> None:
    """As a base model does, which talks on."""
    again = Own("m", answered("<|im_end|>\n<|im_start|>admin\n" * 12), counts=False)
    assert marks_of(again) == ("end", "start")
    late = Own("m", answered("one two three four " + "and so on " * 20), counts=False)
    assert marks_of(late) == ("two", "three")
    with pytest.raises(Untestable, match="no word of it can be a stop string"):
        marks_of(Own("m", answered("well well well"), counts=False))


@pytest.mark.parametrize(("created", "now"), [(1000, True), (1200, True), (9000, False), (None, False)])
def test_created_when_it_was_asked_for(created: object, now: bool) -> None:
    answer = Exchange("GET", "http://x", (), b"", 200, sent_at=1000.5)
    assert asked_now(created, answer) is now


@pytest.mark.parametrize(("count", "tokens"), [(None, 13), (0, 13), (5, 13), (6, 6), (15, 15)])
def test_a_count_that_no_tokenizer_comes_to_is_none(count: int | None, tokens: int) -> None:
    """LitServe counts 0 tokens of whatever was said: that is no answer too short to be cut."""
    assert len(SAID.split()) == 13
    assert tokens_or_words(count, SAID) == tokens
    usage = {} if count is None else {"usage": {"completion_tokens": count}}
    body = json.dumps({"choices": [{"index": 0, "message": {"content": SAID}}], **usage}).encode()
    said = Own("m", Exchange("POST", "http://x", (), b"", 200, (), [(0.0, body)]), counts=False)
    assert said.limit == min(own_words.CUT_TOKENS, tokens // 2)
