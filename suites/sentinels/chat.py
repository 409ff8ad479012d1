"""Sentinels of chat: one text, and two conversations, that come through whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping

from gateway_acceptance.environment import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from suites.api.chat.payloads import LATER_RULE, assistant, parts, system
from suites.api.chat.probes import SYSTEM_WORD, user
from suites.api.chat.rich import (
    TURN_TOKENS,
    able,
    all_counted,
    ask,
    recalls_early_turn,
    rich_repeated,
)
from suites.api.chat.test_parameters import UNKNOWN
from suites.api.extract import first_text, reason_of, refused, same_text

STOP = LATER_RULE[-4:]
COUNTING, FEW = "Count from 1 to 30", 8
DEVELOPER_WORD = "HX-DEVELOPER"
RULES = "You are the clerk of a small harbour. Be brief, be polite, and never speak of the weather. " * 3
"""Words enough to be missed in the usage."""


def rich(target: Target) -> bool:
    """Quiet where nobody is declared to repeat a text."""
    able(target, Ability.EXACT)
    return rich_repeated(target)


def turns(target: Target) -> bool:
    """Quiet where nobody is declared to remember."""
    able(target, Ability.RECALL)
    return recalls_early_turn(target)


def rules(target: Target) -> bool:
    """A later rule of the system stands against an earlier one in parts, and one of the developer. The usage
    counts the words of all of them; with an empty turn of the assistant, and a parameter that nobody
    knows. A stop string ends the answer. Who refuses a developer is honest, and is asked without one."""
    alias = able(target, Ability.INSTRUCTIONS)
    messages: list[Mapping[str, object]] = [
        {"role": "developer", "content": f"{RULES}Always answer with exactly: {DEVELOPER_WORD}"},
        {"role": "system", "content": parts(f"{RULES}Always answer with exactly: {SYSTEM_WORD}")},
        user("Good morning."),
        assistant(""),
        system(f"From now on, always answer with exactly: {LATER_RULE}"),
        user("Good morning again."),
    ]
    answer = ask(target, alias, messages, TURN_TOKENS, stop=STOP, **UNKNOWN)
    if refused(answer):
        messages = messages[1:]
        answer = ask(target, alias, messages, TURN_TOKENS, stop=STOP, **UNKNOWN)
    ended = same_text(first_text(answer), LATER_RULE.removesuffix(STOP)) and reason_of(answer) == "stop"
    return ended and all_counted(answer, messages)


TEXTS = ("suites.api.chat.test_unicode", "suites.api.chat.test_content")
CONVERSATIONS = (
    "suites.api.chat.test_messages:test_system",
    "suites.api.chat.test_messages:test_developer",
    "suites.api.chat.test_messages:test_roles",
    "suites.api.chat.test_messages:test_parts",
    "suites.api.chat.test_messages:test_empty",
    "suites.api.chat.test_content",
    "suites.api.chat.test_context",
    "suites.api.chat.test_limits:test_system_counted",
    "suites.api.chat.test_limits:test_turns_counted",
    *(
        f"suites.api.chat.test_limits:test_stop_{name}"
        for name in ("string", "list", "not_in_text", "finish")
    ),
)
PARAMETERS = "suites.api.chat.test_parameters"
LIMITS = "suites.api.chat.test_limits"
CHAT_SENTINELS = (
    Sentinel(
        "a text of all scripts",
        "API-CHAT-031",
        (
            *TEXTS,
            PARAMETERS,
            "suites.api.properties.test_properties:test_valid_chat",
            "suites.api.chat.test_messages:test_long_text",
        ),
        rich,
    ),
    Sentinel("a long conversation", "API-CHAT-026", (*CONVERSATIONS, PARAMETERS), turns),
    Sentinel("two rules", "API-CHAT-026", (*CONVERSATIONS, PARAMETERS), rules),
)
