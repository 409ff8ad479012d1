"""API-SDK: chat, raw and streamed, as an application asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.environment import Ability, Environment
from gateway_acceptance.lazily import lazily
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from suites.api.exact import require_exact
from suites.api.observations import (
    ECHO_TOKENS,
    balanced_or_first,
    comparable_alias,
    echo_room,
    room,
    strays,
    wanted_of,
)
from suites.api.sdk.probes import (
    ECHO,
    HelperStream,
    echoed,
    first_words,
    helper_stream,
    reading,
    sdk_text,
    until_it_ends,
)

if TYPE_CHECKING:
    import openai
    from openai.lib.streaming import chat as streaming
else:
    openai = lazily("openai")
    streaming = lazily("openai.lib.streaming.chat")

COUNT = "Count from 1 to 40"
"""Long enough that a stream can be left in its middle."""
BEGUN = 12
"""Characters by which the answer to another question is known."""


@check(
    "API-SDK-005",
    "a raw response gives status, headers and body, and parses to the same completion",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:with_raw_response",
)
def test_raw_response(target: Target, sdk: openai.OpenAI, environment: Environment) -> None:
    """The way by which applications read rate limits and ids of requests."""
    raw = sdk.chat.completions.with_raw_response.create(
        model=balanced_or_first(environment), messages=ECHO, temperature=0, max_tokens=echo_room(environment)
    )
    kind = raw.headers.get("content-type", "")
    if raw.status_code != 200 or not kind.startswith("application/json"):
        raise CheckFailed(f"expected 200 and application/json, got {raw.status_code} and {kind!r}")
    with reading("the body"):
        completion = raw.parse()
        body = raw.http_response.json()
        parsed, sent = (completion.id, completion.model), (body.get("id"), body.get("model"))
    if parsed != sent:
        raise CheckFailed(f"expected the parsed body, got {parsed[0]!r} for {sent[0]!r}")
    echoed(sdk_text(completion), "the raw response", target)


@check(
    "API-SDK-006",
    "iterating over a stream gives the whole text, and says why it ended",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:Stream[ChatCompletionChunk]",
)
def test_stream(target: Target, sdk: openai.OpenAI, environment: Environment) -> None:
    """The loop of every chat application. The SDK takes a stream that simply ends for a whole one, so the
    finish_reason is asked for. Who is not declared to obey may say more than fits."""
    stream = sdk.chat.completions.create(
        model=balanced_or_first(environment),
        messages=ECHO,
        temperature=0,
        max_tokens=echo_room(environment),
        stream=True,
    )
    with reading("the stream"):
        choices = [choice for chunk in stream for choice in chunk.choices]
    echoed("".join(choice.delta.content or "" for choice in choices), "the stream", target)
    reasons = [choice.finish_reason for choice in choices if choice.finish_reason]
    talks_on = reasons == ["length"] and not environment.can(balanced_or_first(environment), Ability.EXACT)
    if reasons != ["stop"] and not talks_on:
        raise CheckFailed(f"expected the stream to end with finish_reason stop, got {reasons}")


@check(
    "API-SDK-007",
    "the stream helper's events add up to its final completion",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:ChatCompletionStream",
)
def test_stream_helper(target: Target, sdk: openai.OpenAI, environment: Environment) -> None:
    """The helper puts the chunks together by their index and raises where they do not fit."""
    seen = _helped(target, sdk, environment)
    deltas = "".join(event.delta for event in seen.events if isinstance(event, streaming.ContentDeltaEvent))
    done = [event.content for event in seen.events if isinstance(event, streaming.ContentDoneEvent)]
    final = sdk_text(seen.completion)
    echoed(final, "the final completion", target)
    if deltas != final or done != [final]:
        raise CheckFailed(f"expected the events to spell {final!r}, got deltas {deltas!r} and done {done!r}")


@check(
    "API-SDK-008",
    "the stream helper reports the usage that was asked for",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ChatCompletionStreamOptions.include_usage",
)
def test_stream_helper_usage(target: Target, sdk: openai.OpenAI, environment: Environment) -> None:
    """Without it nobody can account for streamed answers."""
    usage = _helped(target, sdk, environment).completion.usage
    if usage is None:
        raise CheckFailed("expected the final completion to have its usage, it has none", blame="gateway")
    if not usage.prompt_tokens or not usage.completion_tokens:
        raise CheckFailed(f"expected tokens of prompt and completion, got {usage.to_dict()}")


@check(
    "API-SDK-009",
    "after a stream is left in its middle the same client goes on",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:Stream.close",
)
def test_stream_left(target: Target, sdk: openai.OpenAI, environment: Environment) -> None:
    """A user who presses stop: the next question gets its own answer, from its beginning. A model that is not
    declared to obey is held to what it says to that question before, and the answer to what the left stream
    began to say."""
    alias = comparable_alias(environment)
    exact = environment.can(alias, Ability.EXACT)

    def ask() -> str:
        limit = room(environment, alias, ECHO_TOKENS)
        return sdk_text(
            sdk.chat.completions.create(model=alias, messages=ECHO, temperature=0, max_tokens=limit)
        )

    before = "" if exact else ask()
    with (
        reading("the stream"),
        sdk.chat.completions.create(
            model=alias,
            messages=[{"role": "user", "content": COUNT}],
            temperature=0,
            max_tokens=128,
            stream=True,
        ) as stream,
    ):
        begun = first_words(stream, 0 if exact else BEGUN)
    after = ask()
    if strays(environment, alias, after):
        require_exact(target, alias)
        wanted = wanted_of(environment, alias)
        raise CheckFailed(
            f"expected the request after a stream that was left to give {wanted}, it gave {after!r}"
        )
    if exact or after == before:
        return
    led = bool(begun) and after.startswith(begun) and not before.startswith(begun)
    if led and ask() == before:
        raise CheckFailed(
            f"expected the request after a stream that was left to give {before!r}, as before it, it gave "
            f"what answers that stream: {after!r}"
        )
    raise NotApplicable(f"{alias} does not declare {Ability.EXACT}", declared="models.abilities")


@check(
    "API-SDK-010",
    "the SDK's message can be sent back as a turn of the conversation",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:ChatCompletionMessage",
)
def test_message_sent_back(target: Target, sdk: openai.OpenAI, environment: Environment) -> None:
    """``messages.append(completion.choices[0].message)`` is what the documentation shows. All that a
    gateway puts into its messages, nulls and extra fields too, comes back to it."""
    alias = balanced_or_first(environment)
    first = sdk.chat.completions.create(
        model=alias, messages=ECHO, temperature=0, max_tokens=echo_room(environment)
    )
    with reading("the first answer's message"):
        history = [*ECHO, first.choices[0].message, *ECHO]
    second = sdk.chat.completions.create(
        model=alias,
        messages=history,  # type: ignore[arg-type]  # the SDK serialises its own models
        temperature=0,
        max_tokens=echo_room(environment),
    )
    echoed(sdk_text(second), "the second turn", target)


def _helped(target: Target, sdk: openai.OpenAI, environment: Environment) -> HelperStream:
    alias = balanced_or_first(environment)
    with until_it_ends(target):
        return target.once(("sdk", "helper", alias), lambda: helper_stream(sdk, environment))
