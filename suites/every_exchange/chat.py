"""Rules over every chat completion: shape, id, time, model, usage, and why it ended."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway_acceptance.check import Level
from gateway_acceptance.environment import Ability
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.schema import chat_completion_problems
from gateway_acceptance.wire.seen import Kind, SeenExchange
from gateway_acceptance.wire.watch import UniversalRule
from suites.api.extract import names, names_exactly, names_of, numbers_in, wrong_time
from suites.api.observations import ECHO_PROMPT
from suites.every_exchange.ids import repeated_id
from suites.every_exchange.said import (
    answers_asked,
    choice_of,
    count_of,
    limit_of,
    of_another,
    plain,
    text_of,
    upstreams_of,
    usage_of,
)

COUNT = re.compile(r"[\d\s.,;:]+")
"""A text of numbers alone: each of them is a token at least, in any tokenizer."""
NUMBERS = 10
SMALL = 1024
"""Tokens of prompt and answer together that every window holds."""
SHOWN = 80
ECHO_FIELDS = {"model", "messages", "temperature", "max_tokens"}


def shape(seen: SeenExchange, _: Memory) -> list[Problem]:
    """As of API-CHAT-001. How many answers come for several is a matter of its own (API-CHAT-018)."""
    asked, came = answers_asked(seen), seen.document.get("choices")
    expected = asked if asked == 1 or not isinstance(came, list) else len(came)
    return at_level(chat_completion_problems(seen.body, expected_choices=expected), Level.MUST)


def same_again(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-CHAT-002: who answers the validation prompt exactly, and has one deployment, answers it the
    same again. What others ask at the same time may change an answer, and is left out."""
    asked, text = seen.asked, text_of(seen)
    is_the_prompt = asked.get("messages") == [{"role": "user", "content": ECHO_PROMPT}]
    plainly = is_the_prompt and set(asked) == ECHO_FIELDS and asked["temperature"] == 0
    if not text or not seen.alone or not plainly:
        return
    one = len(set(seen.environment.deployments_of(seen.alias))) == 1
    if not one or not seen.environment.can(seen.alias, Ability.EXACT):
        return
    before = memory.first("echo", (seen.alias, asked["max_tokens"]), text)
    if before != text:
        yield Problem("", f"expected the same answer twice, got {before!r} and {text!r}")


def own_id(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-CHAT-003."""
    repeated = repeated_id(memory, "chat id", seen.document.get("id"))
    if repeated:
        yield Problem("", f"expected {repeated.answers} different ids, more than one has {repeated.id}")


def time(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-CHAT-004."""
    wrong = wrong_time(seen.document.get("created"), seen.exchange)
    if wrong:
        yield Problem("", wrong)


def model(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-CHAT-005; where the environment does not say what stands behind the alias, that its answers
    are not sometimes another model's."""
    upstreams, named = upstreams_of(seen), seen.document.get("model")
    if upstreams and not names(named, seen.alias, upstreams):
        expected = f"{seen.alias} or one of {sorted(set(upstreams))}"
        yield Problem("", f"expected the model {expected}, got {named!r}")
    elif not upstreams and (another := of_another(seen, memory)):
        yield Problem("", f"expected the model {seen.alias}, got {another}")


def exact_model(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-CHAT-006."""
    upstreams, named = upstreams_of(seen), seen.document.get("model")
    exact = names_of(seen.alias, upstreams)
    if upstreams and not names_exactly(named, seen.alias, upstreams):
        yield Problem("", f"expected one of {sorted(exact)}, exactly, got {named!r}")


def prompt_counted(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-CHAT-013: a prompt has a token at least."""
    count = count_of(seen, "prompt_tokens")
    if count is None:
        usage = usage_of(seen) or seen.document.get("usage")
        yield Problem("", f"expected usage.prompt_tokens to be an integer, got {usage!r}")
    elif count < 1:
        yield Problem("", f"expected the tokens of a prompt to be counted, got {count}")


def completion_counted(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-CHAT-012. Some tokens are two short words; a number is a token of its own."""
    text, count = text_of(seen), count_of(seen, "completion_tokens")
    if count is None:
        usage = usage_of(seen) or seen.document.get("usage")
        yield Problem("", f"expected usage.completion_tokens to be an integer, got {usage!r}")
        return
    if not text or not plain(seen):
        return
    words = len(text.split())
    least, what = max(1, words // 2), f"{words} words"
    if COUNT.fullmatch(text) and len(numbers_in(text)) >= NUMBERS:
        least = len(numbers_in(text))
        what = f"{least} numbers"
    most = max(len(text.encode()) + 8, count)
    if count < least:
        yield Problem("", f"for an answer of {what}: expected {least} to {most} tokens, got {count}")


def limited(name: str, seen: SeenExchange) -> Iterator[Problem]:
    """As of API-CHAT-010 and 011: an answer is not longer than it may be."""
    asked, limit = limit_of(seen)
    count = count_of(seen, "completion_tokens")
    if asked == name and limit is not None and count is not None and answers_asked(seen) == 1:
        text = text_of(seen)
        if plain(seen) and count > limit and len(text.split()) > limit // 2:
            yield Problem("", f"expected at most {limit} tokens, {count} are counted for {text[:200]!r}")


def ended(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-CHAT-008: an answer far below its limit, in a window that holds it, came to its end."""
    limit, count, total = (
        limit_of(seen)[1],
        count_of(seen, "completion_tokens"),
        count_of(seen, "total_tokens"),
    )
    if limit is None or count is None or total is None or not text_of(seen) or not plain(seen):
        return
    if choice_of(seen).get("finish_reason") == "length" and 2 * count < limit and total < SMALL:
        yield Problem("", "expected finish_reason stop, got 'length'")


def cut(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-CHAT-009: an answer that fills its limit says something of its end."""
    limit, count, choice = limit_of(seen)[1], count_of(seen, "completion_tokens"), choice_of(seen)
    if limit is None or count is None or not choice or count < limit:
        return
    if choice.get("finish_reason") is None:
        yield Problem("", f"expected finish_reason length, got None after {text_of(seen)[:SHOWN]!r}")


NOT_STREAMED = frozenset({Kind.CHAT})
CHAT_RULES = (
    UniversalRule("API-CHAT-001", NOT_STREAMED, shape),
    UniversalRule("API-CHAT-002", NOT_STREAMED, same_again),
    UniversalRule("API-CHAT-003", NOT_STREAMED, own_id),
    UniversalRule("API-CHAT-004", NOT_STREAMED, time),
    UniversalRule("API-CHAT-005", NOT_STREAMED, model),
    UniversalRule("API-CHAT-006", NOT_STREAMED, exact_model),
    UniversalRule("API-CHAT-008", NOT_STREAMED, ended),
    UniversalRule("API-CHAT-009", NOT_STREAMED, cut),
    UniversalRule("API-CHAT-010", NOT_STREAMED, lambda seen, _: limited("max_tokens", seen)),
    UniversalRule("API-CHAT-011", NOT_STREAMED, lambda seen, _: limited("max_completion_tokens", seen)),
    UniversalRule("API-CHAT-012", NOT_STREAMED, completion_counted),
    UniversalRule("API-CHAT-013", NOT_STREAMED, prompt_counted),
)
