"""API-CHAT: where an answer ends, why it says that it ended, and what it counts."""

from collections.abc import Sequence

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.environment.abilities import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.asking import single_chat
from suites.api.chat.own_words import Own, asked_again, marks_of, own, require_end, require_ended_at
from suites.api.chat.probes import (
    counts,
    user,
    with_code_word,
)
from suites.api.extract import (
    Json,
    choices_of,
    counted,
    first_text,
    numbers_in,
    outside,
    reason_of,
    reasoned,
    refused_honestly,
    reported_count,
    require_said,
    stop_strings_in,
)
from suites.api.observations import COUNT_TO

END_TOKENS = 8
"""What may be counted beside the text: marks of its end."""
STOP, STOPS = "17", ["12", "5"]
"""Of several stop strings the one that comes first ends the answer, not the one that is listed first.
A string of two characters: each of them alone comes before, and ends nothing."""
FEW_WORDS, MANY_WORDS = 45, 450
"""In a small model's window; the longer begins like the shorter, as cached prompts do."""
RULES: Json = {
    "role": "system",
    "content": "Answer as a harbour master would: name the tide, the wind and the depth of the fairway; " * 3,
}
EARLIER: list[Json] = [
    user("The ferry left at seven with forty people, and the fog came in from the west. " * 2),
    {"role": "assistant", "content": "The fog lifted before noon, and the ferry was back by one. " * 2},
]
"""What was said before, long enough to be missed in a count."""
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
    said = own(target)
    if said.counts and not counts(said.text):
        raise CheckFailed(
            f"expected the numbers from 1 to {COUNT_TO}, got {said.text[:200]!r}", blame="gateway"
        )
    require_end(target, said)


@check(
    "API-CHAT-009",
    "an answer that max_tokens cuts finishes with length",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec=f"{REASON}; LiteLLM #25825",
)
def test_finish_length(target: Target, gateway: GatewayClient) -> None:
    """Without it nobody knows that a text, or a JSON document, lacks its end."""
    answer = asked_again(target, max_tokens=own(target).limit)
    if reason_of(answer) != "length":
        seen = f"{reason_of(answer)!r} after {first_text(answer)[:80]!r}"
        raise CheckFailed(f"expected finish_reason length, got {seen}", blame="gateway")


@check(
    "API-CHAT-010",
    "max_tokens limits the answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec="openai:CreateChatCompletionRequest.max_tokens",
)
def test_max_tokens(target: Target, gateway: GatewayClient) -> None:
    """Old, and what nearly every client sends."""
    said = own(target)
    _require_cut(said, asked_again(target, max_tokens=said.limit))


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
    said = own(target)
    answer = asked_again(target, max_tokens=None, max_completion_tokens=said.limit)
    if not refused_honestly(answer):
        _require_cut(said, answer)


@check(
    "API-CHAT-012",
    "the completion tokens fit the text of the answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec=f"{USAGE}.completion_tokens",
)
def test_completion_counted(target: Target, gateway: GatewayClient) -> None:
    """A number is at least one token, and a token at least one byte, in any tokenizer. Bills follow it."""
    said = own(target)
    require_said(said.answer)
    text = said.text
    least = len(numbers_in(text))
    what = f"{least} numbers"
    if not said.counts:
        words = len(text.split())
        least, what = words // 2, f"{words} words"  # some tokens are two short words
    counts = counted(said.answer, "completion_tokens") - reasoned(said.answer)
    wrong = outside(counts, least, text, END_TOKENS)
    if wrong:
        raise CheckFailed(f"for an answer of {what}: {wrong}", blame="gateway")


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
    "API-CHAT-052",
    "a system message is counted in the prompt",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{USAGE}.prompt_tokens: tokens in the prompt",
)
def test_system_counted(target: Target, gateway: GatewayClient) -> None:
    """Needs no obedience: a rule that the model never read is not in its prompt, and not in the count. A
    template without such a role refuses it: that is honest of a model that is not declared to heed one."""
    question, alias = user("Good morning."), single_chat(target.environment).alias
    heeds = target.environment.can(alias, Ability.INSTRUCTIONS)
    _require_counted(gateway, alias, [RULES, question], [question], refusable=not heeds)


@check(
    "API-CHAT-053",
    "earlier turns are counted in the prompt",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{USAGE}.prompt_tokens: tokens in the prompt",
)
def test_turns_counted(target: Target, gateway: GatewayClient) -> None:
    """Needs no obedience: what was said before and is not in the count was dropped on the way."""
    question = user("What do you make of it?")
    _require_counted(gateway, single_chat(target.environment).alias, [*EARLIER, question], [question])


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
    said = own(target)
    if said.counts:
        return _require_ended(asked_again(target, stop=STOP), STOP, last=16)
    mark, _ = marks_of(said)
    return require_ended_at(target, said, asked_again(target, stop=mark), mark, mark)


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
    said = own(target)
    if said.counts:
        return _require_ended(asked_again(target, stop=STOPS), STOPS, last=4)
    first, second = marks_of(said)
    return require_ended_at(target, said, asked_again(target, stop=[second, first]), [second, first], first)


@check(
    "API-CHAT-016",
    "the stop string is not part of the answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{STOP_SPEC}: the returned text will not contain the stop sequence",
)
def test_stop_not_in_text(target: Target, gateway: GatewayClient) -> None:
    """Clients cut nothing off: they stop at a mark in order not to see it."""
    require_said(own(target).answer)
    for stop in _stops(own(target)):
        text = first_text(asked_again(target, stop=stop))
        if stop_strings_in(stop, text):
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
    require_said(own(target).answer)
    reason = reason_of(asked_again(target, stop=_stops(own(target))[0]))
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
    answer = asked_again(target, n=2, max_tokens=own(target).limit)
    if refused_honestly(answer):
        return
    indexes = [choice.get("index") for choice in choices_of(answer)]
    if sorted(map(str, indexes)) != ["0", "1"]:
        raise CheckFailed(f"expected choices 0 and 1, or a refusal, got {indexes}", blame="gateway")


def _require_counted(
    gateway: GatewayClient,
    alias: str,
    full: Sequence[Json],
    rest: Sequence[Json],
    *,
    refusable: bool = False,
) -> None:
    """That a conversation counts more prompt tokens than its last message, by half the words before it.
    refusable: whether it may be refused, where its last message alone is served."""
    both, alone = (gateway.chat(alias, messages, temperature=0, max_tokens=1) for messages in (full, rest))
    shorter = counted(alone, "prompt_tokens")
    if refusable and refused_honestly(both):
        return
    longer = counted(both, "prompt_tokens")
    words = sum(len(str(message["content"]).split()) for message in full[: len(full) - len(rest)])
    if longer - shorter < words // 2:
        raise CheckFailed(
            f"{words} words before the last message raise prompt_tokens from {shorter} to {longer}: "
            f"expected {words // 2} more at least, as if they had not reached the model",
            blame="gateway",
        )


def _stops(said: Own) -> tuple[str, list[str]]:
    """A stop string and a list of two, for a model that counts and for one that says something else."""
    if said.counts:
        return STOP, STOPS
    first, second = marks_of(said)
    return first, [second, first]


def _require_cut(said: Own, answer: Exchange) -> None:
    require_said(answer)
    text, count = first_text(answer), reported_count(answer, "completion_tokens")
    complete = not said.counts and len(text) >= len(said.text)
    if (count or 0) > said.limit or len(numbers_in(text)) > said.limit or complete:
        reported = "none" if count is None else count
        raise CheckFailed(
            f"expected at most {said.limit} tokens, {reported} are counted for {text[:200]!r}",
            blame="gateway",
        )


def _require_ended(answer: Exchange, stop: object, *, last: int) -> None:
    numbers = numbers_in(first_text(answer))
    if numbers[:last] != list(range(1, last + 1)) or max(numbers) > last + 1:
        raise CheckFailed(f"expected the numbers from 1 to {last} with stop {stop!r}, got {numbers}")
