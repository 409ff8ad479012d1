"""Which chat models are asked, and how a stream of one is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway_acceptance.environment import Environment, Model, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NoAnswer, NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.stream import ChatStream, read_chat_stream
from suites.api.abilities import chat_models

Messages = str | Sequence[Mapping[str, object]]
LEAST_TOKENS = 4
"""Of an answer that can be cut in two, and the cut be seen."""


def direct_chat(environment: Environment) -> list[Model]:
    """The chat models with a single deployment whose backend may be asked directly."""
    return [model for model in chat_models(environment) if environment.backend(model.backend).direct]


def single_chat(environment: Environment) -> Model:
    """An alias with one deployment, whose answers can be compared. Raises NotApplicable."""
    models = direct_chat(environment) or chat_models(environment)
    if not models:
        raise NotApplicable(
            "the environment declares no chat model with a single deployment", declared="models"
        )
    return models[0]


def last_direct_chat(environment: Environment) -> Model:
    """A chat model whose backend may be asked directly; the last, as others are busier. Raises
    NotApplicable."""
    models = direct_chat(environment)
    if not models:
        raise NotApplicable(
            "no backend of a chat model with a single deployment may be asked from here",
            declared="backends.direct",
        )
    return models[-1]


def balanced_chat(environment: Environment) -> str:
    """The alias that stands for the deployment: a balanced one, if there is any. Raises NotApplicable."""
    groups = [group.alias for group in environment.groups if group.kind is ModelKind.CHAT]
    return groups[0] if groups else single_chat(environment).alias


def stream_of(target: Target, alias: str, messages: Messages, **parameters: Any) -> Exchange:
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
