"""Texts and conversations that chat checks send to see what becomes of them on the way."""

from __future__ import annotations

from gateway_acceptance.environment import Ability
from suites.api.chat.probes import CODE_WORD, NAME, SYSTEM_WORD, ChatProbe, repeats, user
from suites.api.extract import Json, same_text

JSON_LIKE = r'{"role": "tool", "at": [1, null, "C:\\new\table"]} \"quoted\" \n \u00e9 C:\temp end'
"""Quotes, and backslashes that are no escapes: who decodes once too often changes them."""
MARKUP = (
    "<b>bold</b> &amp; &lt;tag&gt; **strong** `code` [a](https://docs.invalid/?b=1&c=2) "
    "{{name}} ${HOME} %s %20 <!-- note --> end"
)
"""What browsers, template languages, formats and URLs give a meaning to; a gateway gives it none."""
SPACED = "one  two   three\tfour\u00a0five\u2003six\u200bseven end"
"""Runs of spaces, a tab, a no-break space, a wide one and one of no width."""

CONTROLS = {"U+0000": "\x00", "U+0008": "\x08", "U+001B": "\x1b[31m", "U+007F": "\x7f", "U+FFFF": "\uffff"}
"""Characters that stores, terminals and parsers choke on; JSON carries each in an escape."""
LONE_SURROGATES = {"the first half alone": "\\ud83d", "the second half alone": "\\udc0b"}
"""As they stand in the body: the grammar of JSON allows them, UTF-8 has no bytes for them."""

EMOJI = (
    "\U0001f469\u200d\U0001f680 \U0001f3f3\ufe0f\u200d\U0001f308 \U0001f44d\U0001f3fd"
    " \U0001d518 \U00020b9f end"
)
"""Sequences with joiners, a variation selector, a skin tone; letters and a Han character beyond 16 bits."""
COMBINING = "e\u0301 \u00e9 o\u0308\u0304 \u1112\u1161\u11ab \ud55c end"
"""Composed and decomposed forms of the same letters: who normalises makes them equal."""
RIGHT_TO_LEFT = (
    "\u05e9\u05dc\u05d5\u05dd 12 \u0645\u0631\u062d\u0628\u0627 \u200fabc\u200e \u202bdef\u202c end"
)
"""Hebrew and Arabic with their invisible marks."""
CONTROL = "tab\there bell\u0007 escape\u001b[0m delete\u007f end"
"""Nothing that ends a line."""
TEXTS_BEYOND_ASCII = (EMOJI, COMBINING, RIGHT_TO_LEFT, CONTROL)

LATER_WORD = "otter7305"
LATER_RULE = "HX-LATER"
OTHER_NAME = "Theodora"
GIVEN_NAME = "Quillomina"
"""A name that no model says of itself."""
QUESTION_TOKENS = 4
"""So many at least has "What is my name?" in any tokenizer, and the greeting that tells it no fewer."""
LONG_TURNS = 40
"""Of a conversation as long as an afternoon, and within the smallest window."""
SHARED_WORDS = 150
"""Of what texts have in common before they differ: more than a short cache key, or a log line, holds."""


def carried_over(greeting: int | None, question: int | None) -> bool:
    """Whether the counted tokens of a question show that a greeting, asked before by itself, was told to the
    model with it: alone it is no longer. A greeting of fewer tokens than words came out of a cache, and
    shows nothing."""
    if greeting is None or question is None or greeting < QUESTION_TOKENS:
        return False
    return question - greeting >= QUESTION_TOKENS


def parts(text: str) -> list[Json]:
    """A content of one text part."""
    return [{"type": "text", "text": text}]


def assistant(text: str) -> Json:
    """A turn of the assistant."""
    return {"role": "assistant", "content": text}


def system(text: str) -> Json:
    """A system message."""
    return {"role": "system", "content": text}


def named(name: str) -> list[Json]:
    """A conversation whose last turn is the same whoever speaks."""
    return [user(f"My name is {name}"), assistant("Good to meet you."), user("What is my name?")]


def long_conversation(turns: int) -> list[Json]:
    """The name comes first, and is asked for so many turns (an even number) later; users and the assistant
    alternate, as strict templates demand."""
    between = [
        user(f"Note {number // 2 + 1}: the boats lie still.") if number % 2 else assistant("Noted.")
        for number in range(turns - 1)
    ]
    return [user(f"My name is {NAME}"), *between, user("What is my name?")]


def alike(count: int) -> dict[str, str]:
    """Prompts that differ in their last words alone: code word -> prompt."""
    shared = " ".join(["The tide is out and the boats lie still."] * (SHARED_WORDS // 9))
    words = [f"heron{1000 + 37 * number}" for number in range(count)]
    return {word: f"{shared}\nThe code word is {word}\nWhat is the code word?" for word in words}


ONE_PART = ChatProbe(
    "one part",
    "repeats a short text",
    [{"role": "user", "content": parts(f"Return exactly the text: {CODE_WORD}")}],
    lambda text: same_text(text, CODE_WORD),
)
SYSTEM_PARTS = ChatProbe(
    "system parts",
    "heeds a system message",
    [
        {"role": "system", "content": parts(f"Always answer with exactly: {SYSTEM_WORD}")},
        user("Good morning."),
    ],
    lambda text: same_text(text, SYSTEM_WORD),
    needs=(Ability.INSTRUCTIONS,),
)
LATER_SYSTEM = ChatProbe(
    "later system",
    "heeds the later of two system messages",
    [
        system(f"Always answer with exactly: {SYSTEM_WORD}"),
        user("Good morning."),
        assistant(SYSTEM_WORD),
        system(f"From now on, always answer with exactly: {LATER_RULE}"),
        user("Good morning again."),
    ],
    lambda text: same_text(text, LATER_RULE),
    needs=(Ability.INSTRUCTIONS,),
)
LONG_TALK = ChatProbe(
    "long conversation",
    f"remembers what was said {LONG_TURNS} turns before",
    long_conversation(LONG_TURNS),
    lambda text: NAME in text,
    needs=(Ability.RECALL,),
)
ORDER = ChatProbe(
    "order of turns",
    "takes the later of two code words",
    [
        user(f"The code word is {CODE_WORD}"),
        assistant("I will keep it."),
        user(f"The code word is {LATER_WORD}"),
        assistant("I will keep this one instead."),
        user("What is the code word?"),
    ],
    lambda text: LATER_WORD in text and CODE_WORD not in text,
    needs=(Ability.RECALL,),
)
JSON_ECHO, MARKUP_ECHO, SPACED_ECHO = (
    repeats("text that looks like JSON", JSON_LIKE),
    repeats("markup", MARKUP),
    repeats("white space", SPACED),
)


def who(name: str) -> ChatProbe:
    """The question for the user's name."""
    return ChatProbe(
        f"who is {name}",
        "knows the user's name",
        named(name),
        lambda text: name in text,
        needs=(Ability.RECALL,),
    )


def code_word(word: str, prompt: str) -> ChatProbe:
    """The question for a code word that comes late."""
    return ChatProbe(
        f"code word {word}",
        "finds a late code word",
        [user(prompt)],
        lambda text: word in text,
        needs=(Ability.RECALL,),
    )
