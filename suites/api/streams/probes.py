"""The streams that the stream checks look at: asked once per worker, evidence of each of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway_acceptance.environment import Environment, Model, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NoAnswer, NotApplicable, Untestable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.sender import tokens_needed
from gateway_acceptance.wire.stream import ChatStream, read_chat_stream

COUNT_TO = 30
COUNT_PROMPT = f"Count from 1 to {COUNT_TO}"
COUNT_TOKENS = 200
"""Thirty numbers with what a chatty model writes between and around them."""
CUT_TOKENS = 8
"""Too few for the count: the stream must end early, and say so."""
TOOL_PROMPT = (
    'Call the tool get_weather with {"city": "Oslo"} and the tool get_time with {"city": "Rome"}, '
    "both of them, and say nothing else."
)
TOOL_TOKENS = 128

Messages = str | Sequence[Mapping[str, object]]


def _tool(name: str, description: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


TOOLS = [
    _tool("get_weather", "The weather in a city now"),
    _tool("get_time", "The local time in a city"),
]


class Kind(StrEnum):
    """What the client asked for."""

    PLAIN = "plain"
    USAGE = "include_usage"
    CUT = "max_tokens"
    TOOL = "tools"


@dataclass(frozen=True, slots=True)
class Observed:
    """A stream as it was asked for, as it crossed the wire, and as it reads. calls: how many tools the model
    calls when the backend is asked directly."""

    kind: Kind
    exchange: Exchange
    stream: ChatStream
    calls: int = 0


def streamed(target: Target, alias: str, messages: Messages, **parameters: Any) -> Exchange:
    """One stream, as far as it came: where the connection broke, ``error`` says so. Raises NoAnswer where
    there was no answer at all."""
    with target.gateway.open_chat(alias, messages, temperature=0, **parameters) as live:
        for _ in live.chunks():
            pass
    exchange = live.exchange()
    if exchange.status is None:
        raise NoAnswer(f"{exchange.method} {exchange.url}: {exchange.error}", blame="gateway")
    return exchange


def read(exchange: Exchange, *, include_usage: bool = False) -> ChatStream:
    """The exchange as a chat completion stream."""
    return read_chat_stream(
        exchange.status or 0, exchange.headers, exchange.chunks, include_usage=include_usage
    )


def observed(target: Target, kind: Kind) -> Observed | None:
    """The stream of this kind; None where no model calls tools."""
    return target.once(("stream", "observed", kind), lambda: OBSERVE[kind](target))


def _plain(target: Target) -> Observed:
    exchange = streamed(target, balanced_chat(target.environment), COUNT_PROMPT, max_tokens=COUNT_TOKENS)
    return Observed(Kind.PLAIN, exchange, read(exchange))


def _usage(target: Target) -> Observed:
    alias = single_chat(target.environment).alias
    exchange = streamed(
        target, alias, COUNT_PROMPT, max_tokens=COUNT_TOKENS, stream_options={"include_usage": True}
    )
    return Observed(Kind.USAGE, exchange, read(exchange, include_usage=True))


def _cut(target: Target) -> Observed:
    alias = single_chat(target.environment).alias
    exchange = streamed(target, alias, COUNT_PROMPT, max_tokens=CUT_TOKENS)
    return Observed(Kind.CUT, exchange, read(exchange))


def _tools(target: Target) -> Observed | None:
    for model in direct_chat(target.environment):
        calls = calls_itself(target, model)
        if calls:
            exchange = streamed(target, model.alias, TOOL_PROMPT, tools=TOOLS, max_tokens=TOOL_TOKENS)
            return Observed(Kind.TOOL, exchange, read(exchange), calls)
    return None


OBSERVE: Mapping[Kind, Callable[[Target], Observed | None]] = {
    Kind.PLAIN: _plain,
    Kind.USAGE: _usage,
    Kind.CUT: _cut,
    Kind.TOOL: _tools,
}


def calls_itself(target: Target, model: Model) -> int:
    """How many tools the model calls when its backend is asked directly; 0 where that gives no answer."""
    body = {
        "model": model.upstream,
        "messages": [{"role": "user", "content": TOOL_PROMPT}],
        "tools": TOOLS,
        "stream": False,
        "options": {"temperature": 0, "num_predict": TOOL_TOKENS},
    }
    try:
        answer = asked_directly(target, model, body)
        message = answer.json()["message"] if answer.status == 200 else {}
        return len(message.get("tool_calls") or [])
    except (CheckFailed, KeyError, TypeError, AttributeError):
        return 0


def asked_directly(target: Target, model: Model, body: Mapping[str, Any]) -> Exchange:
    """``POST /api/chat`` at the model's backend; times of arrival and all. Raises NoAnswer."""
    content = json.dumps(body).encode()
    limit = body["options"]["num_predict"]
    return target.sender.send(
        "POST",
        target.environment.backend(model.backend).url + "/api/chat",
        headers=[("content-type", "application/json")],
        body=content,
        tokens=tokens_needed(content.decode(), limit),
    )


def chat_models(environment: Environment) -> list[Model]:
    """The chat models that have an alias of their own."""
    return [model for model in environment.models if model.kind is ModelKind.CHAT]


def direct_chat(environment: Environment) -> list[Model]:
    """Those of them whose backend may be asked directly."""
    return [model for model in chat_models(environment) if environment.backend(model.backend).direct]


def single_chat(environment: Environment) -> Model:
    """An alias with one deployment, whose answers can be compared. Raises NotApplicable."""
    models = direct_chat(environment) or chat_models(environment)
    if not models:
        raise NotApplicable("the environment declares no chat model with a single deployment")
    return models[0]


def last_direct_chat(environment: Environment) -> Model:
    """A chat model whose backend can be asked directly; the last, as others are busier. Raises Untestable."""
    models = direct_chat(environment)
    if not models:
        raise Untestable(
            "no backend of a chat model with a single deployment may be asked directly from here",
            f"set direct = true for it in {environment.source.name} where it can be reached",
        )
    return models[-1]


def balanced_chat(environment: Environment) -> str:
    """The alias that stands for the deployment: a balanced one, if there is any. Raises NotApplicable."""
    groups = [group.alias for group in environment.groups if group.kind is ModelKind.CHAT]
    return groups[0] if groups else single_chat(environment).alias


def require_whole(seen: Observed) -> None:
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
