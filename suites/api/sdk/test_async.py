"""API-SDK: the asynchronous client, as servers use it. The same behaviours, on another transport."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from gateway_acceptance.check import MUST, READ, SPEND, check
from gateway_acceptance.environment import Ability, Environment, ModelKind
from gateway_acceptance.lazily import lazily
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, require
from suites.api.auth.tried import refused_plainly
from suites.api.chat.concurrency import mixed_up_at_once
from suites.api.exact import require_exact
from suites.api.observations import ECHO_TOKENS, ENDS, balanced_or_first, room, single
from suites.api.sdk.probes import (
    ECHO,
    HOUR,
    PLACE_PROMPT,
    TOOL,
    TOOL_PROMPT,
    TOOL_TOKENS,
    Place,
    SetAlarm,
    alarm,
    as_shipped,
    asked_by_an_async_outsider,
    calls_tools,
    echoed,
    helper_room,
    keeps_schemas,
    may_talk_on,
    must_be_honest,
    reading,
    sdk_text,
    until_it_ends,
    user,
)

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion

    from gateway_acceptance.wire.sdk import AsyncSdk
else:
    openai = lazily("openai")

AN_ANSWER = "an answer"


@check(
    "API-SDK-023",
    "AsyncOpenAI lists every declared model",
    level=MUST,
    effect=READ,
    claims="FUN-03",
    spec="openai-python:AsyncModels.list",
)
def test_list(async_sdk: AsyncSdk, environment: Environment) -> None:
    """Iterated over, as pages are."""

    async def listing(client: openai.AsyncOpenAI) -> list[str]:
        return [model.id async for model in client.models.list()]

    listed = async_sdk(listing)
    missing = [alias for alias in environment.listed if alias not in listed]
    if missing:
        raise CheckFailed(f"expected AsyncOpenAI to list {', '.join(missing)}", blame="gateway")


@check(
    "API-SDK-024",
    "AsyncOpenAI gets a validated chat completion",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:ChatCompletion",
)
def test_chat(target: Target, async_sdk: AsyncSdk, environment: Environment) -> None:
    """With strict validation, as the synchronous one."""
    alias = balanced_or_first(environment)
    completion = async_sdk(lambda client: _ask(client, alias, environment))
    echoed(sdk_text(completion), "AsyncOpenAI", target)


@check(
    "API-SDK-025",
    "AsyncOpenAI's stream helper gives the whole text",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:AsyncChatCompletionStream",
)
def test_stream(target: Target, async_sdk: AsyncSdk, environment: Environment) -> None:
    """As the synchronous one: the events add up to the final completion."""
    alias = balanced_or_first(environment)

    async def ended(client: openai.AsyncOpenAI, stop: list[str] | openai.Omit) -> tuple[str, ChatCompletion]:
        async with client.chat.completions.stream(
            model=alias, messages=ECHO, temperature=0, max_tokens=helper_room(environment), stop=stop
        ) as stream:
            deltas = [event.delta async for event in stream if event.type == "content.delta"]
            return "".join(deltas), await stream.get_final_completion()

    async def helped(client: openai.AsyncOpenAI) -> tuple[str, ChatCompletion]:
        try:
            return await ended(client, openai.omit)
        except openai.LengthFinishReasonError:
            if not may_talk_on(environment):
                raise
            return await ended(client, list(ENDS))

    with reading("the stream"), until_it_ends(target):
        deltas, final = async_sdk(helped)
    echoed(sdk_text(final), "the final completion", target)
    if deltas != sdk_text(final):
        raise CheckFailed(f"expected the events to spell {sdk_text(final)!r}, got {deltas!r}")


@check(
    "API-SDK-026",
    "AsyncOpenAI's requests at once are all answered, each with its own answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:README Async usage",
)
def test_at_once(target: Target, async_sdk: AsyncSdk, environment: Environment) -> None:
    """As many as the environment promises (``bounds.concurrency``), over one client's connections."""
    alias = balanced_or_first(environment)
    words = [f"HX-{secrets.token_hex(3)}" for _ in range(environment.bounds.concurrency)]

    async def all_at_once(client: openai.AsyncOpenAI) -> list[ChatCompletion]:
        return await asyncio.gather(*(_ask(client, alias, environment, word) for word in words))

    answers = [sdk_text(completion).strip() for completion in async_sdk(all_at_once)]
    if not environment.can(alias, Ability.EXACT):
        require(
            [
                Problem("chat.mixed_up", seen)
                for seen in mixed_up_at_once(environment, alias, dict(zip(words, answers, strict=True)))
            ]
        )
        return
    wrong = [
        f"{answer!r} for {word!r}" for word, answer in zip(words, answers, strict=True) if answer != word
    ]
    if wrong:
        require_exact(target, alias)
        raise CheckFailed(f"expected each request to get its own answer, got {'; '.join(wrong)}")


@check(
    "API-SDK-027",
    "AsyncOpenAI parses structured answers, or the schema is refused, and tool calls",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:AsyncCompletions.parse",
)
def test_parse(target: Target, async_sdk: AsyncSdk) -> None:
    """Both at once, as an agent does that plans while it acts."""
    schema_alias, tool_alias = keeps_schemas(target), calls_tools(target)

    async def structured(client: openai.AsyncOpenAI) -> object:
        try:
            answer = await client.chat.completions.parse(
                model=schema_alias,
                messages=[user(PLACE_PROMPT)],
                response_format=Place,
                temperature=0,
                max_tokens=room(target.environment, schema_alias, TOOL_TOKENS),
            )
        except openai.APIStatusError as refusal:
            must_be_honest(refusal)
            return refusal
        return answer.choices[0].message.parsed

    async def both(client: openai.AsyncOpenAI) -> tuple[object, list[object]]:
        place, call = await asyncio.gather(
            structured(client),
            client.chat.completions.parse(
                model=tool_alias,
                messages=[user(TOOL_PROMPT)],
                tools=[alarm()],
                temperature=0,
                max_tokens=room(target.environment, tool_alias, TOOL_TOKENS),
            ),
        )
        calls = call.choices[0].message.tool_calls or []
        return place, [each.function.parsed_arguments for each in calls]

    with reading("the answers as JSON"):
        place, arguments = async_sdk(both)
    if not isinstance(place, Place | openai.APIStatusError):
        raise CheckFailed(f"expected an object of two fields, AsyncOpenAI parsed {place!r}")
    if arguments != [SetAlarm(hour=HOUR)]:
        raise CheckFailed(f"expected one call of {TOOL} with hour {HOUR}, AsyncOpenAI read {arguments!r}")


@check(
    "API-SDK-028",
    "AsyncOpenAI gets embeddings of the declared dimensions where no encoding is asked for",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="openai-python:AsyncEmbeddings.create",
)
def test_embeddings(async_sdk: AsyncSdk, environment: Environment) -> None:
    """The default asks for base64 here too."""
    model = single(environment, ModelKind.EMBEDDING)
    with reading("the vectors"):
        response = async_sdk(
            lambda client: as_shipped(client).embeddings.create(model=model.alias, input="a harbour")
        )
        lengths = [len(entry.embedding) for entry in response.data]
    if lengths != [model.dimensions]:
        raise CheckFailed(f"expected a vector of {model.dimensions} numbers, AsyncOpenAI got {lengths}")


@check(
    "API-SDK-029",
    "a wrong key is an AuthenticationError of AsyncOpenAI",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="openai-python:README Handling errors",
)
def test_wrong_key(target: Target, async_sdk: AsyncSdk) -> None:
    """The same class as the synchronous client's."""

    async def refused(client: openai.AsyncOpenAI) -> str:
        outsider = client.with_options(api_key=f"sk-{secrets.token_hex(16)}")
        try:
            try:
                await asked_by_an_async_outsider(target, outsider)
            except openai.RateLimitError:  # strangers are told to wait: the sender does
                await asked_by_an_async_outsider(target, outsider)
        except openai.AuthenticationError:
            return ""
        except openai.APIStatusError as error:
            return f"{type(error).__name__} ({error.status_code}): {str(error)[:160]}"
        return AN_ANSWER

    seen = async_sdk(refused)
    if seen == AN_ANSWER:
        refused_plainly(target)  # or it says nothing of keys
    if seen:
        raise CheckFailed(f"expected AuthenticationError, got {seen}", blame="gateway")


async def _ask(
    client: openai.AsyncOpenAI, alias: str, environment: Environment, word: str = ""
) -> ChatCompletion:
    return await client.chat.completions.create(
        model=alias,
        messages=[user(f"Return exactly the text: {word}")] if word else ECHO,
        temperature=0,
        max_tokens=room(environment, alias, ECHO_TOKENS),
    )
