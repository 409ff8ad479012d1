"""API-STREAM: what a stream says: whole, and the same that would have come without streaming."""

import json
import re

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.environment import Ability, Model
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, Inconclusive, NotApplicable, Untestable, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.asking import LEAST_TOKENS, read, single_chat, stream_of
from suites.api.chat.probes import able_alias, repeats
from suites.api.extract import reported_count, tokens_or_words
from suites.api.observations import COUNT_PROMPT, COUNT_TO, COUNT_TOKENS, ENDS, room
from suites.api.streams.probes import (
    CUT_TOKENS,
    Observed,
    StreamKind,
    ask_usage,
    cut_at,
    no_call,
    observed,
    require_complete,
    require_unbroken,
    tool_alias,
)

UNICODE = "naïve cafe\u0301 東京 👩‍👩‍👧 🏳️‍🌈 שלום مرحبا 𝔘"
"""Two-, three- and four-byte characters, a combining mark, joined emoji, right-to-left, astral letters."""
UNICODE_PROMPT = f"Return exactly the text: {UNICODE}"
UNICODE_TOKENS = 96


@check(
    "API-STREAM-004",
    "the connection holds to the end of a stream",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="RFC 9112 section 8",
)
def test_connection_holds(target: Target, gateway: GatewayClient) -> None:
    """An incomplete body is an exception in every client, after a part of the text was shown."""
    for seen in _streams(target):
        if seen.exchange.error:
            raise CheckFailed(
                f"the {seen.kind} stream broke off after {len(seen.stream.chunks)} chunks: "
                f"{seen.exchange.error}",
                blame="gateway",
            )
    judged(_chunks(_streams(target)))


@check(
    "API-STREAM-057",
    "a stream that max_tokens cuts finishes with length",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec="openai:CreateChatCompletionStreamResponse.choices.finish_reason; LiteLLM #25825",
)
def test_cut_says_length(target: Target, gateway: GatewayClient) -> None:
    """Told ``stop``, an application takes the part for the whole. A model that says less than the limit
    allows is asked again with half of what it says."""
    seen = _cut(target)
    require_complete(seen)
    if str(COUNT_TO) in seen.stream.text():
        raise CheckFailed(f"max_tokens had no effect: the stream says {seen.stream.text()[:200]!r}")
    if seen.stream.finish_reasons != {0: "length"}:
        raise CheckFailed(
            f"expected finish_reason length after {seen.stream.text()!r}, got {seen.stream.finish_reasons}",
            blame="gateway",
        )


@check(
    "API-STREAM-060",
    "a tool that the model calls is called in the stream",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec="openai:ChatCompletionStreamResponseDelta.tool_calls; LiteLLM #35711, #12481",
)
def test_tool_called(target: Target, gateway: GatewayClient) -> None:
    """Only with a model that is declared to call tools, and does. A call that comes as text with
    finish_reason stop is shown to the user, and the tool never runs."""
    tool_alias(target)
    seen = _seen(target, StreamKind.TOOL)
    require_complete(seen)
    if not seen.stream.tool_calls():
        raise CheckFailed(no_call(seen), blame="gateway")


@check(
    "API-STREAM-080",
    "a stream spells the text that comes without streaming",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec="openai:CreateChatCompletionRequest.stream",
)
def test_same_text(target: Target, gateway: GatewayClient) -> None:
    """One deployment, temperature 0: a character lost between chunks shows here and nowhere else. Where the
    two differ, each is asked once more: what a model says otherwise each time is not the gateway's doing."""
    seen = _seen(target, StreamKind.USAGE)
    require_complete(seen)
    complete, text = _content(_twin(target)), seen.stream.text()
    judged(characters=len(complete))
    if text == complete:
        return
    again, streamed_again = _content(_ask_twin(target)), read(ask_usage(target), include_usage=True).text()
    if again != complete or streamed_again != text:
        _require_sameness(target)
        raise Inconclusive(
            f"the deployment answers the same question differently: {complete[:80]!r}, then {again[:80]!r}; "
            f"streamed {text[:80]!r}, then {streamed_again[:80]!r}"
        )
    raise CheckFailed(
        f"expected the stream to spell {complete[:300]!r} as without streaming, got {text[:300]!r}",
        blame="gateway",
    )


@check(
    "API-STREAM-081",
    "a stream's usage is the usage that comes without streaming",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec="openai:ChatCompletionStreamOptions.include_usage",
)
def test_same_usage(target: Target, gateway: GatewayClient) -> None:
    """Costs and quotas are counted from it. The answer's tokens are compared only where the text is the
    same."""
    seen = _seen(target, StreamKind.USAGE)
    require_complete(seen)
    twin = _twin(target)
    same_text = _content(twin) == seen.stream.text()
    usage, expected = seen.stream.usage, twin.json().get("usage")
    judged(usages=1)
    if usage is None or not isinstance(expected, dict):
        raise Untestable(f"usage is {usage}, without streaming {expected}", "see API-STREAM-070")
    counts = ("prompt_tokens", "completion_tokens") if same_text else ("prompt_tokens",)
    require(
        [
            Problem("", f"expected {name} {expected.get(name)} as without streaming, got {usage.get(name)}")
            for name in counts
            if usage.get(name) != expected.get(name)
        ],
        blame="gateway",
    )


@check(
    "API-STREAM-082",
    "unicode survives the cutting into chunks",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="RFC 8259 section 8.1; WHATWG HTML 9.2.5",
)
def test_unicode(target: Target, gateway: GatewayClient) -> None:
    """Code point for code point: combining marks are not composed, joiners not dropped, and nothing is turned
    around. Where the model itself does not return the text, nothing is to be seen."""
    alias = able_alias(target, repeats("streamed unicode", UNICODE, UNICODE_TOKENS))
    exchange = target.once(
        ("stream", "unicode"),
        lambda: stream_of(
            target, alias, UNICODE_PROMPT, max_tokens=room(target.environment, alias, UNICODE_TOKENS)
        ),
    )
    stream = read(exchange)
    require(stream.broken("stream.status", "stream.error"), blame="gateway")
    if UNICODE not in stream.text():
        raise CheckFailed(
            f"expected the code points of {UNICODE!r}, got {stream.text()[:200]!a}", blame="gateway"
        )


@check(
    "API-STREAM-083",
    "a stream that finishes with stop is whole",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec="openai:CreateChatCompletionStreamResponse.choices.finish_reason; LiteLLM #33404, #33222",
)
def test_stop_is_not_in_text(target: Target, gateway: GatewayClient) -> None:
    """An upstream that dies in mid-stream must not be made a regular end: clients cannot tell the part from
    the whole. It shows in a text whose end is known, or against the answer that comes without streaming, and
    that of the backend where it may be asked. A model that talks on, and is not declared to count, is ended
    by a stop string, in both forms."""
    seen, ended = _seen(target, StreamKind.USAGE), False
    if seen.stream.finish_reasons == {0: "length"} and not _counts(target):
        seen, ended = _ended(target), True
    require_unbroken(seen)
    if seen.stream.error is not None:
        raise Untestable(f"the stream failed, and says so ({seen.stream.error})", "see API-STREAM-005")
    text, reasons = seen.stream.text(), seen.stream.finish_reasons
    if reasons != {0: "stop"}:
        by_string = f", not even by one of the stop strings {list(ENDS)}" if ended else ""
        raise Untestable(
            f"the stream did not finish with stop, but {reasons}{by_string}",
            "see API-CHAT-015" if ended else "see API-STREAM-052",
        )
    if _counted(text):
        return
    longest, by = (_content(_ended_twin(target)), "without streaming") if ended else _longest(target)
    if longest.startswith(text) and len(longest) > len(text):
        raise CheckFailed(
            f"finish_reason is stop, and the text ends with {text[-60:]!r}; {by} it goes on with "
            f"{longest[len(text) :][:60]!r}: a stream that was cut is called whole",
            blame="gateway",
        )
    if longest != text:
        _require_sameness(target)
        raise Inconclusive(f"{by} the answer is another: {longest[:80]!r}, streamed {text[:80]!r}")


@check(
    "API-STREAM-084",
    "two streams have different ids",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionStreamResponse.id: a unique identifier",
)
def test_ids_differ(target: Target, gateway: GatewayClient) -> None:
    """Logs and traces are joined by it; an id from a small range collides within a day."""
    streams = _streams(target)
    for seen in streams:
        require_unbroken(seen)
    ids = [{str(chunk.get("id")) for chunk in seen.stream.chunks} for seen in streams]
    both = set.union(*(ids[i] & ids[j] for i in range(len(ids)) for j in range(i)))
    if both:
        raise CheckFailed(f"two streams share the id {', '.join(sorted(both))}", blame="gateway")
    known = [one for one in ids if one - {"None", ""}]
    judged({"streams with an id": len(known) if len(known) > 1 else 0, **_chunks(streams)})


def _cut(target: Target) -> Observed:
    """The stream that max_tokens cuts. Raises Untestable where the model says too little to be cut."""
    seen = _seen(target, StreamKind.CUT)
    text = seen.stream.text()
    if seen.stream.finish_reasons != {0: "stop"} or text != _content(_twin(target)):
        return seen
    tokens = tokens_or_words(reported_count(_twin(target), "completion_tokens"), text)
    if tokens > CUT_TOKENS:
        return seen
    if tokens < LEAST_TOKENS:
        said = f"{single_chat(target.environment).alias} says only {text[:80]!r}: too little to be cut"
        raise Untestable(said, "serve a model that talks")
    return cut_at(target, tokens // 2)


def _seen(target: Target, kind: StreamKind) -> Observed:
    seen = observed(target, kind)
    assert seen is not None, f"only the tool stream may be missing, not {kind}"
    return seen


def _streams(target: Target) -> list[Observed]:
    return [found for kind in StreamKind if (found := observed(target, kind)) is not None]


def _chunks(streams: list[Observed]) -> dict[str, int]:
    return {"chunks": sum(len(seen.stream.chunks) for seen in streams), "streams": len(streams)}


def _twin(target: Target) -> Exchange:
    """The question of the include_usage stream, not streamed."""
    alias = single_chat(target.environment).alias
    sent = {"max_tokens": room(target.environment, alias, COUNT_TOKENS), "temperature": 0}
    return target.once(("chat", "count", alias, json.dumps(sent)), lambda: _ask_twin(target))


def _ask_twin(target: Target) -> Exchange:
    alias = single_chat(target.environment).alias
    limit = room(target.environment, alias, COUNT_TOKENS)
    return target.gateway.chat(alias, COUNT_PROMPT, temperature=0, max_tokens=limit)


def _content(answer: Exchange) -> str:
    try:
        content = answer.json()["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError, CheckFailed):
        content = None
    if answer.status != 200 or not isinstance(content, str):
        raise Untestable(
            f"without streaming the gateway answers {answer.status}: {answer.text[:160]}", "see API-CHAT-001"
        )
    return content


def _said_directly(target: Target, model: Model, prompt: str, tokens: int) -> str:
    """What the backend itself answers, not streamed. Raises Untestable where it may not be asked."""
    backend = target.backend(model.backend)
    return backend.read(backend.chat(model.upstream, prompt, max_tokens=tokens)).said


def _require_sameness(target: Target) -> None:
    """Raises NotApplicable where the model is not declared to say the same again: its texts cannot be held
    against each other."""
    model = single_chat(target.environment)
    if Ability.SEED not in target.environment.abilities_of(model):
        raise NotApplicable(
            f"{model.alias} says something else each time, and is not declared to answer the same again "
            f"(ability {Ability.SEED})",
            declared="models.abilities",
        )


def _longest(target: Target) -> tuple[str, str]:
    """The same answer without streaming, or from the backend itself where that may be asked: the longer one,
    and how it was asked for."""
    model = single_chat(target.environment)
    found = [(_content(_twin(target)), "without streaming")]
    if target.environment.backend(model.backend).direct:
        tokens = room(target.environment, model.alias, COUNT_TOKENS)
        found.append(
            (_said_directly(target, model, COUNT_PROMPT, tokens), f"asked directly, by {model.backend},")
        )
    return max(found, key=lambda one: len(one[0]))


def _counts(target: Target) -> bool:
    """Whether the model is declared to count, and so to come to an end by itself."""
    return target.environment.can(single_chat(target.environment).alias, Ability.COUNT)


def _ending(target: Target) -> dict[str, object]:
    alias = single_chat(target.environment).alias
    return {"max_tokens": room(target.environment, alias, COUNT_TOKENS), "stop": list(ENDS)}


def _ended(target: Target) -> Observed:
    """The count of a model that talks on, ended by a stop string."""
    exchange = stream_of(target, single_chat(target.environment).alias, COUNT_PROMPT, **_ending(target))
    return Observed(StreamKind.PLAIN, exchange, read(exchange))


def _ended_twin(target: Target) -> Exchange:
    """The same, not streamed."""
    alias = single_chat(target.environment).alias
    return target.gateway.chat(alias, COUNT_PROMPT, temperature=0, **_ending(target))


def _counted(text: str) -> bool:
    return re.findall(r"\d+", text)[-1:] == [str(COUNT_TO)]
