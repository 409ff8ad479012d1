"""What the chat checks ask: that a right answer is one, and a wrong one is not."""

from __future__ import annotations

import pytest

from lab.faults.chat import CHAT_FAULTS
from lab.faults.chat_content import CHAT_CONTENT_FAULTS
from suites.api.chat.formats import JSON_MODE, SCHEMA
from suites.api.chat.payloads import COMBINING, CONTROL, EMOJI, RIGHT_TO_LEFT
from suites.api.chat.probes import (
    CODE_WORD,
    COUNT,
    DEVELOPER,
    LONG_ECHO,
    LONG_PROMPT,
    LONG_TEXT,
    PARTS,
    ROLES,
    SYSTEM,
    TURNS,
    WORDS,
    ChatProbe,
    with_code_word,
)
from suites.api.chat.test_unicode import ESCAPED, NUL

THIRTY = ", ".join(map(str, range(1, 31)))
PLACE = '{"city": "Oslo", "inhabitants": 1, "coastal": true, "districts": [{"name": "a"}]}'


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        (COUNT, f"Sure!\n{THIRTY}.", THIRTY + ", 31"),
        (SYSTEM, " HX-SYSTEM\n", "Good morning!"),
        (DEVELOPER, "HX-SYSTEM", ""),
        (TURNS, "You are Wilhelmina.", "I do not know."),
        (ROLES, "Your name is Wilhelmina", "Wilhelmina, or Bertram"),
        (PARTS, f"It is {CODE_WORD}.", ""),
        (LONG_ECHO, LONG_TEXT, LONG_TEXT[:-1]),
        (LONG_PROMPT, CODE_WORD, "heron"),
        (JSON_MODE, '{"count": [1]}', "1 2 3 4 5"),
        (JSON_MODE, "{}", "```json\n{}\n```"),
        (JSON_MODE, "{}", "[1]"),
        (SCHEMA, PLACE, PLACE.replace("true", '"yes"')),
        (SCHEMA, PLACE, PLACE.replace('"name"', '"title"')),
        (SCHEMA, PLACE, "{}"),
    ],
    ids=lambda value: value.name if isinstance(value, ChatProbe) else "",
)
def test_who_is_able(question: ChatProbe, right: str, wrong: str) -> None:
    assert question.able(right)
    assert not question.able(wrong)


@pytest.mark.parametrize("words", [WORDS, 6000])
def test_a_long_prompt_has_its_words_and_begins_with_what_is_asked(words: int) -> None:
    (message,) = with_code_word(words)
    text = message["content"]
    assert abs(len(text.split()) - words) < 20
    assert text.startswith(f"The code word is {CODE_WORD}\n")
    assert text.count(CODE_WORD) == 1
    assert text.endswith("\nWhat is the code word?")


@pytest.mark.parametrize("text", [EMOJI, COMBINING, RIGHT_TO_LEFT, CONTROL, NUL, ESCAPED])
def test_a_text_to_be_repeated_is_one_line_that_begins_and_ends_visibly(text: str) -> None:
    assert text == text.strip()
    assert "\n" not in text
    assert "\r" not in text
    assert text.endswith(" end")


def test_every_check_of_chat_has_a_fault_of_its_own() -> None:
    faults = (*CHAT_FAULTS, *CHAT_CONTENT_FAULTS)
    own = {next(iter(fault.detected_by)) for fault in faults}
    assert own == {f"API-CHAT-{number:03d}" for number in (*range(3, 54), *range(60, 68))}
