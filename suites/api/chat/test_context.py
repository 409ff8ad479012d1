"""API-CHAT: a conversation reaches the model whole and in order, and nobody else's does.

Every question was answered by the model itself before, asked past the gateway.
"""

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.asking import single_chat
from suites.api.chat.payloads import (
    GIVEN_NAME,
    LATER_RULE,
    LATER_SYSTEM,
    LATER_WORD,
    LONG_TALK,
    LONG_TURNS,
    ORDER,
    OTHER_NAME,
    alike,
    carried_over,
    code_word,
    who,
)
from suites.api.chat.probes import (
    CODE_WORD,
    COUNT,
    NAME,
    chat_answer,
    counts,
)
from suites.api.extract import first_text, mixed_up, refused_honestly, reported_count, require_said, same_text
from suites.api.observations import COUNT_TO

MESSAGES = "openai:CreateChatCompletionRequest.messages"
IN_SEQUENCE = 3
SHORT_TOKENS = 4
"""Fewer than the numbers of the count."""


@check(
    "API-CHAT-060",
    "a long conversation is read from its first turn",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=MESSAGES,
)
def test_long_conversation(target: Target, gateway: GatewayClient) -> None:
    """Many short turns, all within the window: a gateway that keeps the last ones forgets who speaks."""
    text = first_text(chat_answer(target, LONG_TALK))
    if NAME not in text:
        raise CheckFailed(
            f"expected {NAME}, said {LONG_TURNS} turns before, got {text[:200]!r}", blame="gateway"
        )


@check(
    "API-CHAT-061",
    "turns keep their order",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=MESSAGES,
)
def test_order(target: Target, gateway: GatewayClient) -> None:
    """Corrections come later than what they correct."""
    text = first_text(chat_answer(target, ORDER))
    if LATER_WORD not in text or CODE_WORD in text:
        raise CheckFailed(f"expected {LATER_WORD}, said last, got {text[:200]!r}", blame="gateway")


@check(
    "API-CHAT-062",
    "a later system message is heeded, or refused",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ChatCompletionRequestSystemMessage",
)
def test_later_system(target: Target, gateway: GatewayClient) -> None:
    """Applications change their rules in mid-conversation; translations to one system prompt lose that. Some
    templates take a system message at the beginning only, and say so."""
    answer = chat_answer(target, LATER_SYSTEM)
    if refused_honestly(answer):
        return
    text = first_text(answer)
    if not same_text(text, LATER_RULE):
        raise CheckFailed(
            f"expected {LATER_RULE!r}, as the later system message says, got {text[:200]!r}", blame="gateway"
        )


@check(
    "API-CHAT-063",
    "what one request tells, another does not know",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:createChatCompletion: a conversation is what the request says",
)
def test_no_memory(target: Target, gateway: GatewayClient) -> None:
    """The contract has no session: what stays behind is read by whoever asks next, here with the same key. It
    shows in the answer of a model that tells what it was told, and in the count of the prompt whatever the
    model says: the question is no longer than the greeting."""
    alias = single_chat(target.environment).alias
    greeting = gateway.chat(alias, f"My name is {GIVEN_NAME}", temperature=0, max_tokens=8)
    first_text(greeting)
    answer = gateway.chat(alias, "What is my name?", temperature=0, max_tokens=32)
    require_said(answer)
    text = first_text(answer)
    if GIVEN_NAME in text:
        raise CheckFailed(f"expected no name, as none was told, got {text[:200]!r}", blame="gateway")
    before, after = (reported_count(one, "prompt_tokens") for one in (greeting, answer))
    if carried_over(before, after):
        raise CheckFailed(
            f"expected a question of fewer tokens than the greeting before it ({before}), got {after}: more "
            f"is told to the model than was asked",
            blame="gateway",
        )


@check(
    "API-CHAT-064",
    "prompts that differ at their end alone get answers of their own",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest.messages; field: caches whose key is cut",
)
def test_alike(target: Target, gateway: GatewayClient) -> None:
    """One after the other, over the same kept-alive connection where the gateway keeps it."""
    questions = {word: code_word(word, prompt) for word, prompt in alike(IN_SEQUENCE).items()}
    answers = {word: first_text(chat_answer(target, question)) for word, question in questions.items()}
    require([Problem("chat.mixed_up", seen) for seen in mixed_up(answers)], blame="gateway")


@check(
    "API-CHAT-065",
    "conversations that differ in an earlier turn alone get answers of their own",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest.messages; field: caches whose key is the last message",
)
def test_earlier_turn(target: Target, gateway: GatewayClient) -> None:
    """The last message is the same for everybody: who reuses answers by it gives them to a stranger."""
    answers = {name: first_text(chat_answer(target, who(name))) for name in (OTHER_NAME, NAME)}
    require([Problem("chat.mixed_up", seen) for seen in mixed_up(answers)], blame="gateway")


@check(
    "API-CHAT-066",
    "the same prompt with another limit gets an answer of its own",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest.max_tokens; field: caches whose key leaves out the parameters",
)
def test_other_limit(target: Target, gateway: GatewayClient) -> None:
    """A cut answer that is reused for a whole one cannot be told from a model that stopped."""
    short = first_text(chat_answer(target, COUNT, max_tokens=SHORT_TOKENS))
    if counts(short):
        raise CheckFailed(f"expected at most {SHORT_TOKENS} tokens, as asked for, got {short[:200]!r}")
    text = first_text(chat_answer(target, COUNT, max_tokens=COUNT.tokens + 1))
    if not counts(text):
        raise CheckFailed(
            f"expected the numbers from 1 to {COUNT_TO}, after {short!r} within {SHORT_TOKENS} tokens, "
            f"got {text[:200]!r}",
            blame="gateway",
        )
