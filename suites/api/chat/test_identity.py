"""API-CHAT: what an answer says of itself: id, time, and the model."""

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.asking import read, single_chat, stream_of
from suites.api.chat.concurrency import asked_at_once
from suites.api.extract import (
    answered_by_a_model,
    body_of,
    names,
    names_exactly,
    names_of,
    repeated,
    wrong_time,
)
from suites.api.observations import ECHO_PROMPT, ECHO_TOKENS, echoed, echoed_twice, room, upstreams_of

RESPONSE = "openai:CreateChatCompletionResponse"


@check(
    "API-CHAT-003",
    "every chat completion has an id of its own",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{RESPONSE}.id; Ollama's own ids collide",
)
def test_ids(target: Target, gateway: GatewayClient) -> None:
    """Logs, traces and feedback hang on it. Answers given at the same time are among them."""
    once, again = echoed_twice(target, single_chat(target.environment).alias)
    answers = [once, again, *asked_at_once(target).values()]
    doubled = repeated(body_of(answer).get("id") for answer in answers)
    if doubled:
        seen = f"more than one has {', '.join(doubled)}"
        raise CheckFailed(f"expected {len(answers)} different ids, {seen}", blame="gateway")


@check(
    "API-CHAT-004",
    "created is the time of the answer, in Unix seconds",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{RESPONSE}.created",
)
def test_created(target: Target, gateway: GatewayClient) -> None:
    """Not milliseconds, not 0, not the backend's start, not local time. Clocks may differ by minutes."""
    answer = echoed(target, single_chat(target.environment).alias)
    wrong = wrong_time(body_of(answer).get("created"), answer)
    if wrong:
        raise CheckFailed(wrong, blame="gateway")


@check(
    "API-CHAT-005",
    "the model that an answer names is the one that was asked, or stands behind it",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{RESPONSE}.model; LiteLLM #22709",
)
def test_model(target: Target, gateway: GatewayClient, chat_model: str) -> None:
    """OpenAI itself answers an alias with the snapshot behind it. Another model is a wrong answer, or a wrong
    bill."""
    upstreams = upstreams_of(target.environment, chat_model)
    for answer in echoed_twice(target, chat_model):
        seen = body_of(answer).get("model")
        if not names(seen, chat_model, upstreams):
            expected = f"{chat_model} or one of {sorted(set(upstreams))}"
            raise CheckFailed(f"expected the model {expected}, got {seen!r}", blame="gateway")


@check(
    "API-CHAT-006",
    "the model that an answer names is the alias, or the upstream model, by its exact name",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{RESPONSE}.model; LiteLLM #15141",
)
def test_model_known(target: Target, gateway: GatewayClient, chat_model: str) -> None:
    """Clients look the name up: in price lists, in their configuration, in the model list. A provider before
    it is found in none of them."""
    answer = echoed(target, chat_model)
    upstreams = upstreams_of(target.environment, chat_model)
    seen, exact = body_of(answer).get("model"), names_of(chat_model, upstreams)
    if not names_exactly(seen, chat_model, upstreams):
        raise CheckFailed(f"expected one of {sorted(exact)}, exactly, got {seen!r}", blame="gateway")


@check(
    "API-CHAT-007",
    "a stream names the same model as a whole answer",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{RESPONSE}.model; openai:CreateChatCompletionStreamResponse.model",
)
def test_model_streamed(target: Target, gateway: GatewayClient) -> None:
    """One alias with one deployment, asked in both ways."""
    alias = single_chat(target.environment).alias
    full = echoed(target, alias)
    body_model = body_of(full).get("model")
    limit = room(target.environment, alias, ECHO_TOKENS)
    chunks = read(stream_of(target, alias, ECHO_PROMPT, max_tokens=limit)).chunks
    if not chunks:
        raise CheckFailed(f"expected a stream of {alias}, got no chunk")
    judged({"chunks": len(chunks), "whole answers": int(answered_by_a_model(full))})
    seen = sorted({str(chunk.get("model")) for chunk in chunks})
    if seen != [str(body_model)]:
        raise CheckFailed(f"expected the model {body_model!r} in every chunk, got {seen}", blame="gateway")
