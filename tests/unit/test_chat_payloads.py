"""The texts of the chat checks are what their checks rely on."""

import itertools
import json
import unicodedata

import pytest

from suites.api.chat import payloads as chat_texts
from suites.api.chat.probes import NAME


def test_prompts_that_are_alike_differ_in_their_last_words_alone() -> None:
    prompts = chat_texts.alike(3)
    first, *others = prompts.values()
    assert len(set(prompts.values())) == 3
    for word, prompt in prompts.items():
        assert word in prompt.splitlines()[1]
    for other in others:
        shared = next(at for at, (one, two) in enumerate(zip(first, other, strict=True)) if one != two)
        assert shared > 512


def test_no_code_word_is_part_of_another() -> None:
    words = list(chat_texts.alike(8))
    assert not [(one, two) for one in words for two in words if one != two and one in two]


def test_a_long_conversation_gives_the_name_once_and_takes_turns() -> None:
    turns = chat_texts.long_conversation(chat_texts.LONG_TURNS)
    assert len(turns) == chat_texts.LONG_TURNS + 1
    assert [NAME in turn["content"] for turn in turns].count(True) == 1
    assert NAME in turns[0]["content"]
    assert all(one["role"] != two["role"] for one, two in itertools.pairwise(turns))


def test_conversations_of_different_names_end_alike() -> None:
    one, other = chat_texts.named("Ada"), chat_texts.named("Eve")
    assert one[1:] == other[1:]
    assert one[0] != other[0]


def test_echoed_texts_are_one_line_and_end_visibly() -> None:
    for text in (chat_texts.JSON_LIKE, chat_texts.MARKUP, chat_texts.SPACED):
        assert len(text.splitlines()) == 1
        assert text.endswith("end")
        assert not [character for character in text if unicodedata.category(character) == "Cs"]


def test_half_pairs_are_json_and_no_text() -> None:
    for escape in chat_texts.LONE_SURROGATES.values():
        (decoded,) = json.loads(f'"{escape}"')
        assert unicodedata.category(decoded) == "Cs"


@pytest.mark.parametrize(
    ("greeting", "question", "carried"),
    [
        (8, 17, True),
        (30, 61, True),
        (8, 9, False),  # the name is one token
        (40, 31, False),
        (1, 12, False),  # the greeting was in a cache
        (None, 12, False),
        (8, None, False),
    ],
)
def test_what_was_told_before_is_counted_with_the_question(
    greeting: int | None, question: int | None, carried: bool
) -> None:
    assert chat_texts.carried_over(greeting, question) is carried
