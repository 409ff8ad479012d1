"""API-SDK: parsed answers and tools, with models that are known to be able to give them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.lazily import lazily
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed
from suites.api.observations import room
from suites.api.sdk.probes import (
    HOUR,
    PLACE_PROMPT,
    TOOL,
    TOOL_PROMPT,
    TOOL_TOKENS,
    Place,
    SetAlarm,
    alarm,
    calls_tools,
    keeps_schemas,
    must_be_honest,
    reading,
    user,
)

if TYPE_CHECKING:
    import openai
    from openai.lib.streaming import chat as streaming
else:
    openai = lazily("openai")
    streaming = lazily("openai.lib.streaming.chat")


@check(
    "API-SDK-011",
    "parse() gives an object of the model that was asked for, or the schema is refused",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:chat.completions.parse",
)
def test_parse(target: Target, sdk: openai.OpenAI) -> None:
    """Structured output: the schema must reach the backend, whose grammar then leaves no choice."""
    alias = keeps_schemas(target)
    try:
        with reading("the answer as JSON"):
            completion = sdk.chat.completions.parse(
                model=alias,
                messages=[user(PLACE_PROMPT)],
                response_format=Place,
                temperature=0,
                max_tokens=room(target.environment, alias, TOOL_TOKENS),
            )
            message = completion.choices[0].message
    except openai.APIStatusError as refusal:
        must_be_honest(refusal)
        return
    if not isinstance(message.parsed, Place):
        raise CheckFailed(f"expected an object of two fields, the SDK parsed {message.content!r}")


@check(
    "API-SDK-012",
    "a tool's arguments are parsed into the model that describes them",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:pydantic_function_tool",
)
def test_tool(target: Target, sdk: openai.OpenAI) -> None:
    """The arguments are a string of JSON; Ollama's own are an object, which must not shine through."""
    alias = calls_tools(target)
    with reading("the arguments as JSON"):
        completion = sdk.chat.completions.parse(
            model=alias,
            messages=[user(TOOL_PROMPT)],
            tools=[alarm()],
            temperature=0,
            max_tokens=room(target.environment, alias, TOOL_TOKENS),
        )
        choice = completion.choices[0]
    calls = choice.message.tool_calls or []
    if not calls:
        raise CheckFailed(
            f"expected a call of {TOOL}, which the backend itself makes; got {choice.message.content!r}",
            blame="gateway",
        )
    _called([(call.function.name, call.function.parsed_arguments) for call in calls])
    if choice.finish_reason != "tool_calls":
        raise CheckFailed(f"expected finish_reason tool_calls, got {choice.finish_reason!r}", blame="gateway")


@check(
    "API-SDK-013",
    "the stream helper puts a tool call together",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai-python:streaming.FunctionToolCallArgumentsDoneEvent",
)
def test_tool_stream(target: Target, sdk: openai.OpenAI) -> None:
    """Agents read calls from streams: name, index and fragments of the arguments must fit together. Of a call
    that comes in the chunk with the finish_reason, as Gemini's do, the helper itself tells no end: there what
    it puts together is judged alone."""
    alias = calls_tools(target)
    with (
        reading("the stream"),
        sdk.chat.completions.stream(
            model=alias,
            messages=[user(TOOL_PROMPT)],
            tools=[alarm()],
            temperature=0,
            max_tokens=room(target.environment, alias, TOOL_TOKENS),
        ) as stream,
    ):
        events = list(stream)
        final = stream.get_final_completion().choices[0].message
    calls = final.tool_calls or []
    if not calls:
        raise CheckFailed(
            f"expected a call of {TOOL}, which the backend itself makes; got {final.content!r}",
            blame="gateway",
        )
    _called([(call.function.name, call.function.parsed_arguments) for call in calls])
    chunks = [event.chunk for event in events if isinstance(event, streaming.ChunkEvent)]
    if not any(one.finish_reason and one.delta.tool_calls for chunk in chunks for one in chunk.choices):
        done = [event for event in events if isinstance(event, streaming.FunctionToolCallArgumentsDoneEvent)]
        _called([(event.name, event.parsed_arguments) for event in done])


@check(
    "API-SDK-014",
    "a tool's result is sent back, and answered",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ChatCompletionRequestToolMessage",
)
def test_tool_result(target: Target, sdk: openai.OpenAI) -> None:
    """The second half of every agent's loop: the SDK's own message, then the result under the call's id."""
    alias = calls_tools(target)
    messages: list[Any] = [user(TOOL_PROMPT)]
    first = sdk.chat.completions.create(
        model=alias,
        messages=messages,
        tools=[alarm()],
        temperature=0,
        max_tokens=room(target.environment, alias, TOOL_TOKENS),
    )
    with reading("the call"):
        message = first.choices[0].message
    messages.append(message)
    for call in message.tool_calls or []:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps({"set": True})})
    if len(messages) == 2:
        raise CheckFailed(
            f"expected a call of {TOOL}, which the backend itself makes; got {message.content!r}"
        )
    second = sdk.chat.completions.create(
        model=alias,
        messages=messages,
        tools=[alarm()],
        temperature=0,
        max_tokens=room(target.environment, alias, TOOL_TOKENS),
    )
    with reading("the answer to the tool's result"):
        answer = second.choices[0].message
    if not answer.content and not answer.tool_calls:
        raise CheckFailed("expected an answer to the tool's result, it is empty")


def _called(calls: list[tuple[str | None, object]]) -> None:
    if calls != [(TOOL, SetAlarm(hour=HOUR))]:
        raise CheckFailed(f"expected one call of {TOOL} with hour {HOUR}, the SDK read {calls!r}")
