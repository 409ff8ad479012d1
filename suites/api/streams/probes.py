"""The streams that the stream checks look at: asked once per worker, evidence of each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from gateway_acceptance.environment import Ability, Model
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from gateway_acceptance.wire.backends import DirectChat
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.stream import ChatStream
from suites.api.abilities import able_alias
from suites.api.asking import balanced_chat, read, single_chat, stream_of
from suites.api.observations import COUNT_PROMPT, COUNT_TOKENS, room

CUT_TOKENS = 8
"""Too few for the count: the stream must end early, and say so."""
TOOL_PROMPT = (
    'Call the tool get_weather with {"city": "Oslo"} and the tool get_time with {"city": "Rome"}, '
    "both of them, and say nothing else."
)
TOOL_TOKENS = 128
BOTH = 2
"""Tools that the prompt asks for."""


def _tool(name: str, description: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


TOOLS = [
    _tool("get_weather", "The weather in a city now"),
    _tool("get_time", "The local time in a city"),
]


class StreamKind(StrEnum):
    """What the client asked for."""

    PLAIN = "plain"
    USAGE = "include_usage"
    CUT = "max_tokens"
    TOOL = "tools"


@dataclass(frozen=True, slots=True)
class Observed:
    """A stream as it was asked for, as it crossed the wire, and as it reads. calls: how many tools the model
    calls when the backend is asked directly."""

    kind: StreamKind
    exchange: Exchange
    stream: ChatStream
    calls: int = 0


def observed(target: Target, kind: StreamKind) -> Observed | None:
    """The stream of this kind; None where no model is declared, or shown, to call tools."""
    try:
        return target.once(("stream", "observed", kind), lambda: OBSERVE[kind](target))
    except (NotApplicable, Untestable):
        if kind is not StreamKind.TOOL:
            raise
        return None


def _plain(target: Target) -> Observed:
    alias = balanced_chat(target.environment)
    exchange = stream_of(
        target, alias, COUNT_PROMPT, max_tokens=room(target.environment, alias, COUNT_TOKENS)
    )
    return Observed(StreamKind.PLAIN, exchange, read(exchange))


def _usage(target: Target) -> Observed:
    exchange = ask_usage(target)
    return Observed(StreamKind.USAGE, exchange, read(exchange, include_usage=True))


def ask_usage(target: Target) -> Exchange:
    """The include_usage stream."""
    alias = single_chat(target.environment).alias
    return stream_of(
        target,
        alias,
        COUNT_PROMPT,
        max_tokens=room(target.environment, alias, COUNT_TOKENS),
        stream_options={"include_usage": True},
    )


def _cut(target: Target) -> Observed:
    return cut_at(target, CUT_TOKENS)


def cut_at(target: Target, tokens: int) -> Observed:
    """The count, with this limit."""
    alias = single_chat(target.environment).alias
    exchange = stream_of(target, alias, COUNT_PROMPT, max_tokens=tokens)
    return Observed(StreamKind.CUT, exchange, read(exchange))


def _tools(target: Target) -> Observed:
    alias = tool_alias(target)
    model = target.environment.model(alias)
    exchange = tool_stream(target, alias)
    came = len(read(exchange).tool_calls())
    if came >= BOTH:
        calls = came
    elif target.environment.backend(model.backend).direct:
        calls = calls_itself(target, model)
    else:
        calls = 2 if Ability.PARALLEL_TOOLS in target.environment.abilities_of(model) else 1
    return Observed(StreamKind.TOOL, exchange, read(exchange), calls)


def tool_stream(target: Target, alias: str) -> Exchange:
    """The stream in which both tools are asked for; once per worker."""
    limit = room(target.environment, alias, TOOL_TOKENS)
    return target.once(
        ("stream", "tools", alias),
        lambda: stream_of(target, alias, TOOL_PROMPT, tools=TOOLS, max_tokens=limit),
    )


def _calls_through(target: Target, model: Model) -> bool:
    """Whether the model calls both tools through the gateway: then nobody need ask the backend."""
    return len(read(tool_stream(target, model.alias)).tool_calls()) >= BOTH


def tool_alias(target: Target) -> str:
    """The first alias whose model calls tools, declared and shown. Raises as ``able_alias``."""
    return able_alias(
        target,
        (Ability.TOOLS,),
        "calls a tool that it is asked to call",
        directly=lambda model: _calls_through(target, model) or bool(calls_itself(target, model)),
        plainly=lambda model: writes_text(target, model),
    )


def writes_text(target: Target, model: Model) -> bool:
    """Whether the model repeats the call as plain text, through the gateway: it reads and heeds."""
    wanted = '{"name": "get_weather", "arguments": {"city": "Oslo"}}'
    answer = target.once(
        ("stream", "tools plainly", model.alias),
        lambda: target.gateway.chat(
            model.alias,
            f"Return exactly the text: {wanted}",
            temperature=0,
            max_tokens=room(target.environment, model.alias, TOOL_TOKENS),
        ),
    )
    return answer.status == 200 and "get_weather" in answer.text and "Oslo" in answer.text


OBSERVE: Mapping[StreamKind, Callable[[Target], Observed | None]] = {
    StreamKind.PLAIN: _plain,
    StreamKind.USAGE: _usage,
    StreamKind.CUT: _cut,
    StreamKind.TOOL: _tools,
}


def calls_itself(target: Target, model: Model) -> int:
    """How many tools the model calls when its backend is asked directly. Raises NoAnswer, blamed on the
    backend, where that gives none, CheckFailed where it fails: neither says what the model can do."""
    backend = target.backend(model.backend)
    limit = room(target.environment, model.alias, TOOL_TOKENS)
    question = DirectChat([{"role": "user", "content": TOOL_PROMPT}], limit, tools=TOOLS)
    answer = target.once(
        ("stream", "calls itself", model.alias), lambda: backend.converse(model.upstream, question)
    )
    if answer.status is None or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise CheckFailed(
            f"{model.backend} itself answers {answer.status}: {answer.text[:200]}", blame="backend"
        )
    return len(backend.read(answer).calls)


def no_call(seen: Observed) -> str:
    """What is said of a stream that calls no tool."""
    return (
        f"the model calls {seen.calls} tools by itself; the stream brings none, "
        f"but the text {seen.stream.text()[:160]!r}"
    )


def require_complete(seen: Observed) -> None:
    """Raises Untestable where there is no whole stream to be judged; checks of their own fail for that."""
    require_unbroken(seen)
    require_unfailed(seen)


def require_unbroken(seen: Observed) -> None:
    """Raises Untestable where no stream came, or not its end."""
    if seen.exchange.status != 200:
        raise Untestable(
            f"the {seen.kind} stream was answered with {seen.exchange.status}", "see API-STREAM-002"
        )
    if seen.exchange.error:
        raise Untestable(f"the {seen.kind} stream broke off ({seen.exchange.error})", "see API-STREAM-004")


def require_unfailed(seen: Observed) -> None:
    """Raises Untestable where the stream itself said that it failed: what is missing then is no violation."""
    if seen.stream.error is not None:
        raise Untestable(f"the {seen.kind} stream failed ({seen.stream.error})", "see API-STREAM-005")
