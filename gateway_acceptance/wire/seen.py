"""One exchange as the rules over every exchange see it: what was asked, of which kind, and what came."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway_acceptance.environment import Environment, ModelKind, product_of
from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.wire.exchange import REFUSED_FROM, Exchange
from gateway_acceptance.wire.strict_json import parse_json


class Kind(StrEnum):
    """What rules may speak of (docs/every-exchange.md)."""

    CHAT = "chat"
    STREAM = "stream"
    EMBEDDINGS = "embeddings"
    MODELS = "models"
    MODEL = "model"
    REFUSAL = "refusal"
    HEALTH = "health"
    ANY = "any"


CHAT_PATH, EMBEDDINGS_PATH, MODELS_PATH = "/v1/chat/completions", "/v1/embeddings", "/v1/models"
COMPLETIONS_PATH = "/v1/completions"
OF_CHAT = frozenset(
    {
        *("model", "messages", "temperature", "max_tokens", "max_completion_tokens", "stream", "stop"),
        *("stream_options", "n", "seed", "tools", "tool_choice", "response_format", "top_p", "user"),
    }
)
OF_EMBEDDINGS = frozenset({"model", "input", "encoding_format", "user", "dimensions"})
"""Parameters of an ordinary request: who sends others is out for something else."""
ORDINARY_HEADERS = frozenset(
    {
        *("host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length"),
        *("x-stainless-", "authorization"),
    }
)


@dataclass(frozen=True)
class SeenExchange:
    """kinds: of the exchange; asked: the request's body; alias: the declared one that it named, or empty;
    drawn: the alias of an answer that was generated, whatever its parameters; alone: it was sent by the main
    thread, so nothing else of this process ran beside it."""

    exchange: Exchange
    environment: Environment
    key: str
    kinds: frozenset[Kind]
    asked: Mapping[str, Any] = field(default_factory=dict)
    alias: str = ""
    alone: bool = True
    drawn: str = ""

    @cached_property
    def body(self) -> object:
        """The answer as JSON, or None where it is none."""
        return parse_json(self.exchange.body)[0]

    @property
    def document(self) -> Mapping[str, Any]:
        """The answer, where it is an object; else empty."""
        return self.body if isinstance(self.body, dict) else {}


def seen_exchange(exchange: Exchange, environment: Environment, key: str) -> SeenExchange | None:
    """What an exchange is; None where it is not the gateway's own, or says nothing."""
    url = environment.gateway.url
    if exchange.status is None or not exchange.url.startswith((f"{url}/", f"{url}?")) or exchange.withheld:
        return None
    path = urlsplit(exchange.url).path.removeprefix(urlsplit(url).path)
    query = bool(urlsplit(exchange.url).query)
    kinds, asked, alias, drawn = {Kind.ANY}, {}, "", ""
    if exchange.status >= REFUSED_FROM and path in (CHAT_PATH, EMBEDDINGS_PATH, MODELS_PATH):
        kinds.add(Kind.REFUSAL)
    product = product_of(environment.gateway)
    if exchange.method == "GET" and path in (product.liveness, product.readiness):
        kinds.add(Kind.HEALTH)
    if exchange.status == 200 and not query and _ordinary(exchange, environment, key):
        if exchange.method == "GET" and path == MODELS_PATH and exchange.whole:
            kinds.add(Kind.MODELS)
        elif exchange.method == "GET" and _of_a_model(path, environment) and exchange.whole:
            kinds.add(Kind.MODEL)
        elif exchange.method == "POST" and path in (CHAT_PATH, EMBEDDINGS_PATH):
            asked = _asked(exchange, path)
            alias = drawn = _alias(asked, environment, path)
            if not alias:
                drawn = _alias(_read(exchange), environment, path)
            if alias and _to_its_end(exchange):
                kinds.add(_kind(path, asked))
        elif exchange.method == "POST" and path == COMPLETIONS_PATH:
            drawn = _alias(_read(exchange), environment, path)
    return SeenExchange(
        exchange,
        environment,
        key,
        frozenset(kinds),
        asked,
        alias,
        threading.current_thread() is threading.main_thread() and not _by_the_sdk(exchange),
        drawn,
    )


def _of_a_model(path: str, environment: Environment) -> bool:
    """Whether a declared model is retrieved."""
    name = path.removeprefix(f"{MODELS_PATH}/")
    return name != path and unquote(name) in environment.aliases


def _ordinary(exchange: Exchange, environment: Environment, key: str) -> bool:
    """With the run's own key in its place, once, and no header that asks for anything else."""
    name = environment.gateway.key_header
    wanted = f"Bearer {key}" if name == BEARER_HEADER else key
    sent = [value for header, value in exchange.request_headers if header.lower() == name.lower()]
    known = (*ORDINARY_HEADERS, name.lower(), *map(str.lower, environment.network.headers))
    return sent == [wanted] and all(
        header.lower().startswith(known) for header, _ in exchange.request_headers
    )


def _asked(exchange: Exchange, path: str) -> dict[str, Any]:
    """The body of an ordinary request; empty where it is bent."""
    asked = _read(exchange)
    known = OF_CHAT if path == CHAT_PATH else OF_EMBEDDINGS
    if not known >= asked.keys() or not isinstance(asked.get("stream"), bool | None):
        return {}  # whether it is a stream that was asked for, nobody can say
    needed = asked.get("messages") if path == CHAT_PATH else asked.get("input")
    return asked if isinstance(needed, str | list) and needed else {}


def _read(exchange: Exchange) -> dict[str, Any]:
    """The body of a request; empty where it is no object."""
    asked, problems = parse_json(exchange.request_body)
    return asked if not problems and isinstance(asked, dict) else {}


def _alias(asked: Mapping[str, Any], environment: Environment, path: str) -> str:
    wanted = ModelKind.EMBEDDING if path == EMBEDDINGS_PATH else ModelKind.CHAT
    name = asked.get("model")
    return name if isinstance(name, str) and name in environment.aliases_of(wanted) else ""


def _kind(path: str, asked: Mapping[str, Any]) -> Kind:
    if path == EMBEDDINGS_PATH:
        return Kind.EMBEDDINGS
    return Kind.STREAM if asked.get("stream") is True else Kind.CHAT


def _to_its_end(exchange: Exchange) -> bool:
    """Read whole, or broken off by the other side; the SDK leaves a stream after its last event."""
    return exchange.whole or bool(exchange.error) or exchange.body.rstrip().endswith(b"[DONE]")


def _by_the_sdk(exchange: Exchange) -> bool:
    return any(name.lower().startswith("x-stainless-") for name, _ in exchange.request_headers)
