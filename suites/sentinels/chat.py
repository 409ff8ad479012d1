"""Sentinels of chat: one text, and two conversations, that come through whole or not at all."""

from __future__ import annotations

from gateway_acceptance.environment import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from suites.api.chat.formats import SCHEMA, SCHEMA_FORM, is_place
from suites.api.chat.formats import TOKENS as SCHEMA_TOKENS
from suites.api.chat.payloads import LATER_RULE, assistant, parts, system
from suites.api.chat.probes import SYSTEM_WORD, user
from suites.api.chat.rich import TURN_TOKENS, able, all_counted, ask, recalls_early_turn, rich_repeated
from suites.api.chat.test_parameters import UNKNOWN
from suites.api.extract import choices_of, first_text, reason_of, refused, same_text

STOP = LATER_RULE[-4:]
COUNTING, FEW = "Count from 1 to 30", 8
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
    """A later rule stands against an earlier one in parts, whose words the usage counts; with a parameter
    that nobody knows. A stop string ends the answer."""
    alias = able(target, Ability.INSTRUCTIONS)
    messages = [
        {"role": "system", "content": parts(f"{RULES}Always answer with exactly: {SYSTEM_WORD}")},
        user("Good morning."),
        assistant(SYSTEM_WORD),
        system(f"From now on, always answer with exactly: {LATER_RULE}"),
        user("Good morning again."),
    ]
    answer = ask(target, alias, messages, TURN_TOKENS, stop=STOP, **UNKNOWN)
    ended = same_text(first_text(answer), LATER_RULE.removesuffix(STOP)) and reason_of(answer) == "stop"
    return ended and all_counted(answer, messages)


def developers(target: Target) -> bool:
    """A developer's rule, and an empty turn of the assistant; a refusal is honest."""
    alias = able(target, Ability.INSTRUCTIONS)
    messages = [
        {"role": "developer", "content": f"Always answer with exactly: {SYSTEM_WORD}"},
        user("Good morning."),
        assistant(""),
        user("Good morning again."),
    ]
    answer = ask(target, alias, messages, TURN_TOKENS)
    return refused(answer) or same_text(first_text(answer), SYSTEM_WORD)


def limits(target: Target) -> bool:
    """Two answers of eight tokens at most, each of an index of its own; a refusal is honest."""
    alias = able(target, Ability.COUNT)
    answer = target.gateway.chat(alias, COUNTING, temperature=0, max_completion_tokens=FEW, n=2)
    if refused(answer):
        return True
    choices = choices_of(answer)
    messages = [choice.get("message") for choice in choices]
    texts = [message.get("content") if isinstance(message, dict) else None for message in messages]
    short = all(isinstance(text, str) and 0 < len(text.split()) <= FEW for text in texts)
    return short and [choice.get("index") for choice in choices] == list(range(len(choices)))


def formed(target: Target) -> bool:
    """An object as a schema demands."""
    alias = able(target, Ability.JSON_SCHEMA)
    answer = ask(target, alias, SCHEMA.messages, SCHEMA_TOKENS, response_format=SCHEMA_FORM)
    return is_place(first_text(answer))


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
    Sentinel(
        "a developer's rule",
        "API-CHAT-026",
        ("suites.api.chat.test_messages:test_developer", "suites.api.chat.test_messages:test_empty"),
        developers,
    ),
    Sentinel(
        "two short answers",
        "API-CHAT-026",
        (f"{LIMITS}:test_max_completion_tokens", f"{LIMITS}:test_n"),
        limits,
    ),
    Sentinel(
        "an object by a schema",
        "API-CHAT-026",
        ("suites.api.chat.test_formats", "suites.api.sdk.test_structured"),
        formed,
    ),
)
