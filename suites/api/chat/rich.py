"""Two questions that show much at once: a text of all that careless hops change, and a long conversation.

Where the answer is right, what each of its parts is asked for alone is shown as well. Where it is not,
nothing is said of anybody: the parts are asked one by one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway_acceptance.environment import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.sender import tokens_needed
from suites.api.abilities import chat_models
from suites.api.asking import balanced_chat, single_chat
from suites.api.chat.payloads import (
    JSON_LIKE,
    LONG_TURNS,
    MARKUP,
    OTHER_NAME,
    SPACED,
    TEXTS_BEYOND_ASCII,
    assistant,
    parts,
)
from suites.api.chat.probes import NAME, user
from suites.api.extract import counted, first_text, same_text
from suites.api.observations import room

RICH = " | ".join((*TEXTS_BEYOND_ASCII, JSON_LIKE, MARKUP, SPACED, "nul\x00 end"))
"""In one line, with control characters among it, and a NUL, at which C ends a text."""
RICH_TOKENS = 600
TURN_TOKENS = 32


def rich_repeated(target: Target) -> bool:
    """Whether RICH comes back as it was sent: in a body of ASCII alone, with parameters that are null. False
    as well where nobody is declared to repeat a text."""
    try:
        return same_text(first_text(rich_answer(target)), RICH)
    except (CheckFailed, NotApplicable):
        return False


def rich_answer(target: Target) -> Exchange:
    """The answer to that question. Raises NotApplicable."""
    alias = able(target, Ability.EXACT)
    return target.once(("chat", "rich"), lambda: _ask_rich(target, alias))


def _ask_rich(target: Target, alias: str) -> Exchange:
    limit = room(target.environment, alias, RICH_TOKENS)
    nothing = dict.fromkeys(NULLS)
    messages = [user(f"Return exactly the text: {RICH}")]
    document = {"model": alias, "messages": messages, "temperature": 0, "max_tokens": limit, **nothing}
    body = json.dumps(document)
    return target.gateway.request(
        "POST",
        "/v1/chat/completions",
        body=body.encode("ascii"),
        headers=[("content-type", "application/json")],
        tokens=tokens_needed(body, limit),
    )


NULLS = ("frequency_penalty", "logit_bias", "logprobs", "n", "presence_penalty", "seed", "stop", "top_p")
DEFAULTS = {"frequency_penalty": 0, "presence_penalty": 0, "n": 1, "top_p": 1, "user": "hx-acceptance"}
BEGINNING, STOPPED_AT = NAME[:4], NAME[4:]
STOPS = ("\n\n\n\n", STOPPED_AT)
"""The second of two stop strings ends the name that is asked for."""
OF_A_TURN = 2
"""Tokens that a template writes around each turn, at least."""


def recalls_early_turn(target: Target) -> bool:
    """Whether a name is known that was fixed, and said in parts, forty turns ago, where the assistant speaks
    of itself otherwise; asked for in one part, with parameters at their defaults. The second of two stop
    strings ends it. The usage counts all of it. False as ``rich_repeated``."""
    try:
        alias = able(target, Ability.RECALL)
        answer = target.once(
            ("chat", "told long ago"),
            lambda: ask(target, alias, LONG_AGO, TURN_TOKENS, stop=list(STOPS), **DEFAULTS),
        )
        text = first_text(answer)
        right = BEGINNING in text and not any(word in text for word in (*STOPS, OTHER_NAME, BERTRAM))
        return right and all_counted(answer, LONG_AGO)
    except (CheckFailed, NotApplicable):
        return False


BERTRAM = "Bertram"
LONG_AGO: Sequence[Mapping[str, Any]] = [
    user(f"My name is {OTHER_NAME}"),
    assistant(f"Good to meet you. My name is {BERTRAM}"),
    {"role": "user", "content": [*parts(f"No: my name is {NAME}\n"), *parts("and today it rains.")]},
    assistant(f"I see. My name is {BERTRAM}"),
    *(
        user(f"Note {number // 2}: the boats lie still.") if number % 2 == 0 else assistant("Noted.")
        for number in range(LONG_TURNS)
    ),
    {"role": "user", "content": parts("What is my name?")},
]


def able(target: Target, ability: Ability) -> str:
    """The balanced alias, or the first that can and does not think. Raises NotApplicable."""
    environment = target.environment
    for alias in (balanced_chat(environment), single_chat(environment).alias):
        if environment.can(alias, ability) and not environment.thinks(alias):
            return alias
    raise NotApplicable(f"no alias declares {ability}", declared="models.abilities")


def last_able(target: Target, ability: Ability) -> str:
    """The last alias with one deployment that can and does not think; where there is none, as ``able``."""
    environment = target.environment
    for model in reversed(chat_models(environment)):
        if environment.can(model.alias, ability) and not environment.thinks(model.alias):
            return model.alias
    return able(target, ability)


def ask(
    target: Target, alias: str, messages: str | Sequence[Mapping[str, object]], tokens: int, **more: Any
) -> Exchange:
    """A chat completion at temperature 0 with so many tokens."""
    limit = room(target.environment, alias, tokens)
    return target.gateway.chat(alias, messages, **{"temperature": 0, "max_tokens": limit, **more})


def all_counted(answer: Exchange, messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the usage has a token for every word of the messages, and some around each turn."""
    words = sum(len(_text_of(message["content"]).split()) for message in messages)
    return counted(answer, "prompt_tokens") >= words + OF_A_TURN * len(messages)


def _text_of(content: object) -> str:
    """A content's text, in parts or not."""
    if isinstance(content, list):
        return " ".join(str(part["text"]) for part in content)
    return str(content)
