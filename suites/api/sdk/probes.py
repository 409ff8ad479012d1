"""What the SDK's checks ask, and which models can answer it when they are asked without the gateway."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict

from gateway_acceptance.environment import Ability, Environment, Model
from gateway_acceptance.lazily import lazily
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, Untestable, require
from gateway_acceptance.wire.backends import DirectAnswer, DirectChat
from gateway_acceptance.wire.schema import envelope_broken
from suites.api.abilities import able_alias
from suites.api.auth.tried import on_the_list
from suites.api.exact import require_exact
from suites.api.extract import REFUSED
from suites.api.observations import (
    COUNT_TOKENS,
    ECHO_PROMPT,
    ENDS,
    balanced_or_first,
    echo_room,
    room,
    strays,
    wanted_of,
)

if TYPE_CHECKING:
    import httpx2
    import openai
    from openai.lib.streaming.chat import ChatCompletionStreamEvent
    from openai.types.chat import (
        ChatCompletion,
        ChatCompletionChunk,
        ChatCompletionFunctionToolParam,
        ChatCompletionMessageParam,
        ChatCompletionUserMessageParam,
        ParsedChatCompletion,
    )

    Client = TypeVar("Client", openai.OpenAI, openai.AsyncOpenAI)
else:
    httpx2, openai = lazily("httpx2"), lazily("openai")

UNKNOWN_MODEL = "no-such-model-sdk"

TOOL_TOKENS = 64
"""A call of one argument, or a small object, in any tokenizer; the rest bounds a model that will not stop."""


class SetAlarm(BaseModel):
    """Set an alarm for an hour of the day."""

    model_config = ConfigDict(extra="forbid")

    hour: int


class Place(BaseModel):
    """An answer of two fields."""

    model_config = ConfigDict(extra="forbid")

    city: str
    inhabitants: int


HOUR = 7
TOOL = "SetAlarm"
TOOL_PROMPT = f'Call the tool {TOOL} with {{"hour": {HOUR}}}'
CALL_TEXT = json.dumps({"name": TOOL, "arguments": {"hour": HOUR}})
PLACE_TEXT = '{"city": "Oslo", "inhabitants": 700000}'
PLACE_PROMPT = "Which city is the capital of Norway, and how many inhabitants has it?"


@cache
def alarm() -> ChatCompletionFunctionToolParam:
    """The tool as the SDK's own helper describes it."""
    return openai.pydantic_function_tool(SetAlarm, name=TOOL)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Where the SDK itself reads an answer: what it raises that is none of its own errors is about the
    answer as well (a broken connection in mid-stream, base64 of a wrong length, text where JSON belongs)."""
    try:
        yield
    except (openai.OpenAIError, CheckFailed):
        raise
    except (httpx2.HTTPError, ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise CheckFailed(f"the SDK could not read {what}: {type(error).__name__}: {first}") from error


def must_be_honest(refusal: openai.APIStatusError) -> None:
    """A gateway may refuse what it does not pass on. Raises the error itself where it is no such refusal,
    CheckFailed where the refusal is not in OpenAI's envelope."""
    if refusal.status_code not in REFUSED:
        raise refusal
    answer = refusal.response
    headers = answer.headers.multi_items()
    require(envelope_broken(answer.status_code, headers, answer.content), blame="gateway")


def as_shipped(client: Client) -> Client:
    """The same client without strict validation: that runs before the SDK decodes base64, so it would refuse
    every right answer to its own default request for embeddings. Who uses it judges the vectors."""
    return client.with_options(_extra_kwargs={"_strict_response_validation": False})


def user(text: str) -> ChatCompletionUserMessageParam:
    """A message of the user."""
    return {"role": "user", "content": text}


ECHO: list[ChatCompletionMessageParam] = [user(ECHO_PROMPT)]


def asked_by_an_outsider(target: Target, client: openai.OpenAI) -> object:
    """What keys are tried on (``suites.api.auth.tried``): the list of models, or, where there is none or it
    is open to all, a chat of one token."""
    if on_the_list(target):
        return client.models.list()
    alias = balanced_or_first(target.environment)
    return client.chat.completions.create(model=alias, messages=ECHO, max_tokens=1)


async def asked_by_an_async_outsider(target: Target, client: openai.AsyncOpenAI) -> object:
    """The same of the asynchronous client."""
    if on_the_list(target):
        return await client.models.list()
    alias = balanced_or_first(target.environment)
    return await client.chat.completions.create(model=alias, messages=ECHO, max_tokens=1)


def echoed(text: str | None, by: str, target: Target) -> None:
    """Raises CheckFailed where this is not the text that was asked for."""
    environment = target.environment
    alias = balanced_or_first(environment)
    if strays(environment, alias, text):
        require_exact(target, alias)
        raise CheckFailed(f"expected {by} to give {wanted_of(environment, alias)}, it gave {text!r}")


def sdk_text(completion: ChatCompletion) -> str:
    """The text of the first choice; empty where there is none. Raises CheckFailed for no completion."""
    with reading("the completion"):
        return (completion.choices[0].message.content or "") if completion.choices else ""


def first_words(stream: Iterable[ChatCompletionChunk], letters: int) -> str:
    """What a stream begins to say, as far as it takes to read so many letters; one chunk at least. Raises
    CheckFailed where it brings none."""
    text, chunks = "", 0
    for chunk in stream:
        chunks += 1
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        if len(text) >= letters:
            break
    if not chunks:
        raise CheckFailed("expected a stream with chunks, the SDK got none")
    return text


def may_talk_on(environment: Environment) -> bool:
    """Whether the model is not declared to say the text alone that it is asked for."""
    return not environment.can(balanced_or_first(environment), Ability.EXACT)


def helper_room(environment: Environment) -> int:
    """The limit for the stream helper, which takes an answer that is cut for an error: a model that is not
    declared to obey is given the room to end by itself."""
    return echo_room(environment) + (COUNT_TOKENS if may_talk_on(environment) else 0)


@contextmanager
def until_it_ends(target: Target) -> Iterator[None]:
    """Around the stream helper. Raises Untestable where a model that is not declared to obey, or does not,
    talks on."""
    environment = target.environment
    alias = balanced_or_first(environment)
    try:
        yield
    except openai.LengthFinishReasonError as error:
        if not may_talk_on(environment):
            require_exact(target, alias)
            raise
        raise Untestable(
            f"{alias} came to no end in {helper_room(environment)} tokens", "serve a model that does"
        ) from error


def calls_tools(target: Target) -> str:
    """An alias whose model is declared, and shown, to call tools. Raises as ``abilities.able_alias``."""
    function = {**alarm()["function"]}
    function.pop("strict", None)
    asked = DirectChat(
        [{"role": "user", "content": TOOL_PROMPT}],
        TOOL_TOKENS,
        tools=[{"type": "function", "function": function}],
    )
    what = "calls the tool that it is asked to call"
    return _capable(target, Ability.TOOLS, what, asked, _has_called, CALL_TEXT)


def keeps_schemas(target: Target) -> str:
    """An alias whose model answers in a schema, declared and shown. Raises as ``calls_tools``."""
    asked = DirectChat(
        [{"role": "user", "content": PLACE_PROMPT}], TOOL_TOKENS, form=Place.model_json_schema()
    )
    what = "answers as a schema demands"
    return _capable(target, Ability.JSON_SCHEMA, what, asked, _is_place, PLACE_TEXT)


def _capable(
    target: Target,
    ability: Ability,
    what: str,
    asked: DirectChat,
    able: Callable[[DirectAnswer], bool],
    plain: str,
) -> str:
    def directly(model: Model) -> bool:
        limit = room(target.environment, model.alias, asked.max_tokens)
        ask = partial(_said_directly, target, model, replace(asked, max_tokens=limit))
        return able(target.once(("sdk", what, model.alias), ask))

    def plainly(model: Model) -> bool:
        limit = room(target.environment, model.alias, TOOL_TOKENS)
        answer = target.once(
            ("sdk plainly", plain, model.alias),
            lambda: target.gateway.chat(
                model.alias, f"Return exactly the text: {plain}", temperature=0, max_tokens=limit
            ),
        )
        return answer.status == HTTPStatus.OK and json.dumps(plain)[1:-1] in answer.text

    return able_alias(target, (ability,), what, directly=directly, plainly=plainly)


def _said_directly(target: Target, model: Model, question: DirectChat) -> DirectAnswer:
    backend = target.backend(model.backend)
    return backend.read(backend.converse(model.upstream, question))


def _has_called(answer: DirectAnswer) -> bool:
    return answer.calls == [(TOOL, {"hour": HOUR})]


def _is_place(answer: DirectAnswer) -> bool:
    try:
        Place.model_validate_json(answer.said)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class HelperStream:
    """What the stream helper gave: its events, and the completion that it put together."""

    events: Sequence[ChatCompletionStreamEvent[None]]
    completion: ParsedChatCompletion[None]


def helper_stream(sdk: openai.OpenAI, environment: Environment) -> HelperStream:
    """The validation prompt, asked through the stream helper, with usage; where the answer of a model that
    may talk on was cut, once more, with stop strings."""
    try:
        return _helper_stream(sdk, environment, openai.omit)
    except openai.LengthFinishReasonError:
        if not may_talk_on(environment):
            raise
        return _helper_stream(sdk, environment, list(ENDS))


def _helper_stream(
    sdk: openai.OpenAI, environment: Environment, stop: list[str] | openai.Omit
) -> HelperStream:
    with (
        reading("the stream"),
        sdk.chat.completions.stream(
            model=balanced_or_first(environment),
            messages=ECHO,
            temperature=0,
            max_tokens=helper_room(environment),
            stop=stop,
            stream_options={"include_usage": True},
        ) as stream,
    ):
        events = list(stream)
        return HelperStream(events, stream.get_final_completion())
