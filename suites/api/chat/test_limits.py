"""API-CHAT: where an answer ends, why it says that it ended, and what it counts."""

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.chat.extract import (
    choices_of,
    counted,
    numbers_in,
    outside,
    reason_of,
    reasoned,
    refused_honestly,
    text_of,
    told,
)
from suites.api.chat.probes import COUNT, COUNT_TO, answered, counts, with_code_word
from suites.api.streams.probes import single_chat

CUT_TOKENS = 8
"""Too few for the count in any tokenizer: a number is at least one token."""
END_TOKENS = 8
"""What may be counted beside the text: marks of its end."""
STOP, STOPS = "17", ["12", "5"]
"""Of several stop strings the one that comes first ends the answer, not the one that is listed first.
A string of two characters: each of them alone comes before, and ends nothing."""
FEW_WORDS, MANY_WORDS = 45, 450
"""In a small model's window; the longer begins like the shorter, as cached prompts do."""
REASON = "openai:CreateChatCompletionResponse.choices.finish_reason"
STOP_SPEC = "openai:StopConfiguration"
USAGE = "openai:CompletionUsage"


@check(
    "API-CHAT-008",
    "an answer that is complete finishes with stop",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=REASON,
)
def test_finish_stop(target: Target, gateway: GatewayClient) -> None:
    """Whoever sees ``length`` asks for the rest; whoever sees nothing waits."""
    answer = answered(target, COUNT)
    if not counts(text_of(answer)):
        seen = text_of(answer)[:200]
        raise CheckFailed(f"expected the numbers from 1 to {COUNT_TO}, got {seen!r}", blame="gateway")
    if reason_of(answer) != "stop":
        raise CheckFailed(f"expected finish_reason stop, got {reason_of(answer)!r}")


@check(
    "API-CHAT-009",
    "an answer that max_tokens cuts finishes with length",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{REASON}; LiteLLM #25825",
)
def test_finish_length(target: Target, gateway: GatewayClient) -> None:
    """Without it nobody knows that a text, or a JSON document, lacks its end."""
    answer = answered(target, COUNT, max_tokens=CUT_TOKENS)
    if reason_of(answer) != "length":
        seen = f"{reason_of(answer)!r} after {text_of(answer)[:80]!r}"
        raise CheckFailed(f"expected finish_reason length, got {seen}", blame="gateway")


@check(
    "API-CHAT-010",
    "max_tokens limits the answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest.max_tokens",
)
def test_max_tokens(target: Target, gateway: GatewayClient) -> None:
    """Old, and what nearly every client sends."""
    _require_cut(answered(target, COUNT, max_tokens=CUT_TOKENS))


@check(
    "API-CHAT-011",
    "max_completion_tokens limits the answer, or is refused",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest.max_completion_tokens",
)
def test_max_completion_tokens(target: Target, gateway: GatewayClient) -> None:
    """What newer clients send. Ollama does not know it: a gateway that does not translate lets it run on."""
    answer = answered(target, COUNT, max_tokens=None, max_completion_tokens=CUT_TOKENS)
    if not refused_honestly(answer):
        _require_cut(answer)


@check(
    "API-CHAT-012",
    "the completion tokens fit the text of the answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{USAGE}.completion_tokens",
)
def test_completion_counted(target: Target, gateway: GatewayClient) -> None:
    """A number is at least one token, and a token at least one byte, in any tokenizer. Bills follow it."""
    answer = answered(target, COUNT)
    count, text = counted(answer, "completion_tokens"), text_of(answer)
    wrong = outside(count - reasoned(answer), len(numbers_in(text)), text, END_TOKENS)
    if wrong:
        raise CheckFailed(f"for an answer of {len(numbers_in(text))} numbers: {wrong}", blame="gateway")


@check(
    "API-CHAT-013",
    "a longer prompt counts more prompt tokens, also when it was asked before",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{USAGE}.prompt_tokens; Ollama #2068",
)
def test_prompt_counted(target: Target, gateway: GatewayClient) -> None:
    """Bills and windows follow it. What a backend has in its cache is part of the prompt too."""
    alias = single_chat(target.environment).alias
    few, *counts = (
        counted(gateway.chat(alias, with_code_word(words), temperature=0, max_tokens=1), "prompt_tokens")
        for words in (FEW_WORDS, MANY_WORDS, MANY_WORDS)
    )
    if min(counts) <= few:
        seen = " and then ".join(map(str, counts))
        raise CheckFailed(f"expected more than the {few} tokens of a prompt a tenth as long, got {seen}")


@check(
    "API-CHAT-014",
    "a stop string ends the answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=STOP_SPEC,
)
def test_stop_string(target: Target, gateway: GatewayClient) -> None:
    """As a string: Ollama takes lists only."""
    _require_ended(answered(target, COUNT, stop=STOP), STOP, last=16)


@check(
    "API-CHAT-015",
    "the first that comes of a list of stop strings ends the answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=STOP_SPEC,
)
def test_stop_list(target: Target, gateway: GatewayClient) -> None:
    """All of the list count, not only its first."""
    _require_ended(answered(target, COUNT, stop=STOPS), STOPS, last=4)


@check(
    "API-CHAT-016",
    "the stop string is not part of the answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{STOP_SPEC}: the returned text will not contain the stop sequence",
)
def test_stop_not_told(target: Target, gateway: GatewayClient) -> None:
    """Clients cut nothing off: they stop at a mark in order not to see it."""
    for stop in (STOP, STOPS):
        text = text_of(answered(target, COUNT, stop=stop))
        if told(stop, text):
            raise CheckFailed(
                f"expected an answer without the stop string {stop!r}, got {text[-80:]!r}", blame="gateway"
            )


@check(
    "API-CHAT-017",
    "an answer that a stop string ends finishes with stop",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{REASON}: a natural stop point or a provided stop sequence",
)
def test_stop_finish(target: Target, gateway: GatewayClient) -> None:
    """It is complete: the client had said where."""
    reason = reason_of(answered(target, COUNT, stop=STOP))
    if reason != "stop":
        raise CheckFailed(f"expected finish_reason stop, got {reason!r}")


@check(
    "API-CHAT-018",
    "n answers are given, or refused",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest.n; Ollama #6948",
)
def test_n(target: Target, gateway: GatewayClient) -> None:
    """Who asks for two and gets one in silence fails later, and elsewhere."""
    answer = answered(target, COUNT, n=2, max_tokens=CUT_TOKENS)
    if refused_honestly(answer):
        return
    indexes = [choice.get("index") for choice in choices_of(answer)]
    if sorted(map(str, indexes)) != ["0", "1"]:
        raise CheckFailed(f"expected choices 0 and 1, or a refusal, got {indexes}", blame="gateway")


def _require_cut(answer: Exchange) -> None:
    text, count = text_of(answer), counted(answer, "completion_tokens")
    if count > CUT_TOKENS or len(numbers_in(text)) > CUT_TOKENS:
        raise CheckFailed(
            f"expected at most {CUT_TOKENS} tokens, {count} are counted for {text[:200]!r}", blame="gateway"
        )


def _require_ended(answer: Exchange, stop: object, *, last: int) -> None:
    numbers = numbers_in(text_of(answer))
    if numbers[:last] != list(range(1, last + 1)) or max(numbers) > last + 1:
        raise CheckFailed(f"expected the numbers from 1 to {last} with stop {stop!r}, got {numbers}")
