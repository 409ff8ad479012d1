"""Sentinels of chat: one text, and two conversations, that come through whole or not at all."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

from gateway_acceptance.environment import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.wire.schema import chat_completion_problems
from suites.api.chat.payloads import LATER_RULE, assistant, parts, system
from suites.api.chat.probes import SYSTEM_WORD, user
from suites.api.chat.rich import (
    TURN_TOKENS,
    able,
    all_counted,
    ask,
    last_able,
    recalls_early_turn,
    rich_answer,
    rich_repeated,
)
from suites.api.chat.test_parameters import UNKNOWN
from suites.api.extract import first_text, reason_of, refused, same_text
from suites.api.observations import echoed

STOP = LATER_RULE[-4:]
COUNTING, FEW = "Count from 1 to 30", 8
DEVELOPER_WORD = "HX-DEVELOPER"
RULES = "You are the clerk of a small harbour. Be brief, be polite, and never speak of the weather. " * 3
"""Words enough to be missed in the usage."""

RULED: Sequence[Mapping[str, object]] = [
    {"role": "developer", "content": f"{RULES}Always answer with exactly: {DEVELOPER_WORD}"},
    {"role": "system", "content": parts(f"{RULES}Always answer with exactly: {SYSTEM_WORD}")},
    user("Good morning."),
    assistant(""),
    system(f"From now on, always answer with exactly: {LATER_RULE}"),
    user("Good morning again."),
]
SAID: Mapping[str, object] = {
    "type": "json_schema",
    "json_schema": {
        "name": "said",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"said": {"type": "string", "enum": [SYSTEM_WORD, DEVELOPER_WORD, LATER_RULE]}},
            "required": ["said"],
            "additionalProperties": False,
        },
    },
}
"""Which rule is heeded, as a schema has it told."""
SAID_BEGUN = re.compile(rf'\{{\s*"said"\s*:\s*"{re.escape(LATER_RULE.removesuffix(STOP))}')


def rich(target: Target) -> bool:
    """Quiet where nobody is declared to repeat a text. Its answer has the shape of any other, though
    parameters were null."""
    alias = able(target, Ability.EXACT)
    if not rich_repeated(target):
        return False
    usual = {problem.rule for problem in chat_completion_problems(echoed(target, alias).json())}
    return {problem.rule for problem in chat_completion_problems(rich_answer(target).json())} <= usual


def turns(target: Target) -> bool:
    """Quiet where nobody is declared to remember."""
    able(target, Ability.RECALL)
    return recalls_early_turn(target)


def rules(target: Target) -> bool:
    """Of the last alias, as most others are asked of the first ones: a later rule of the system stands
    against an earlier one in parts, and one of the developer. The usage counts the words of all of them; with
    an empty turn of the assistant, and a parameter that nobody knows. The answer keeps to a schema, where the
    model is declared to, and a stop string ends it. Who refuses a schema or a developer is honest, and is
    asked without."""
    alias = last_able(target, Ability.INSTRUCTIONS)
    formed = target.environment.can(alias, Ability.JSON_SCHEMA)
    for form, messages in itertools.product([SAID, None] if formed else [None], [RULED, RULED[1:]]):
        more = {"response_format": form} if form else {}
        answer = ask(target, alias, messages, TURN_TOKENS, stop=STOP, **UNKNOWN, **more)
        if not refused(answer):
            break
    text, begun = first_text(answer), LATER_RULE.removesuffix(STOP)
    right = SAID_BEGUN.fullmatch(text.strip()) is not None if form else same_text(text, begun)
    return right and reason_of(answer) == "stop" and all_counted(answer, messages)


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
FORMATS = (
    "suites.api.chat.test_formats",
    "suites.api.sdk.test_structured:test_parse",
    "suites.api.sdk.test_async:test_parse",
)
EVERY_ALIAS = "suites.api.chat.test_every_alias"
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
            "suites.api.chat.test_sampling:test_logprobs",
        ),
        rich,
    ),
    Sentinel("a long conversation", "API-CHAT-026", (*CONVERSATIONS, PARAMETERS), turns),
    Sentinel("two rules", "API-CHAT-026", (*CONVERSATIONS, *FORMATS, PARAMETERS, EVERY_ALIAS), rules),
)
