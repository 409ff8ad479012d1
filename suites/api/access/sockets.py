"""WebSocket handshakes (RFC 6455 section 4.1) and event streams of somebody without a key."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from suites.api.access.credentials import KEY_HEADERS
from suites.api.access.said import ADDRESSES, USERS
from suites.api.auth.rules import made_up

SOCKET_ROUTES = (
    "/v1/realtime", "/realtime", "/openai/realtime", "/openai/v1/realtime", "/v1/responses",
    "/v1/audio/transcriptions",
    "/vertex_ai/live", "/mcp", "/ws", "/v1/ws", "/socket", "/stream", "/v1/chat/completions", "/v1/models",
)  # fmt: skip
"""OpenAI's realtime and responses, other products' names for theirs, and routes that are no sockets."""

EVENT_ROUTES = ("/sse", "/mcp/sse", "/events", "/v1/events", "/stream", "/v1/stream")
"""Where products publish events to whoever listens."""

STREAMS = {"/v1/chat/completions": "chat", "/v1/completions": "completions", "/v1/responses": "responses"}
"""Routes that stream, and what."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """what: in words; hosts, headers: as of ``GatewayClient.without_key``; query: of the URL."""

    what: str
    headers: list[tuple[str, str]]
    hosts: Sequence[str] | None = None
    query: str = field(default="")


def handshakes(hidden: Sequence[str]) -> list[Handshake]:
    """Handshakes without the environment's key. hidden: values of Host that hide the path."""
    others = [(name, made_up()) for name in KEY_HEADERS]
    said = [(name, "127.0.0.1") for name in ADDRESSES] + [(name, "admin") for name in USERS]
    return [
        Handshake("without a key", handshake()),
        Handshake("with a made-up key", handshake(made_up())),
        Handshake("with a made-up bearer token", [*handshake(), ("authorization", f"Bearer {made_up()}")]),
        Handshake("with a Host that hides the path", handshake(), hidden),
        Handshake("with Host localhost", handshake(), ["localhost"]),
        Handshake("with made-up keys in other headers", [*handshake(), *others]),
        Handshake("from a page of this machine", [*handshake(), ("origin", "http://localhost")]),
        Handshake(
            "from the console, with a made-up cookie",
            [
                *handshake(made_up()),
                ("origin", "null"),
                ("cookie", f"token={made_up()}; session={made_up()}"),
            ],
        ),
        Handshake("with what proxies might have said", [*handshake(), *said]),
        Handshake(
            "with a made-up key in the URL", handshake(), query=f"&api_key={made_up()}&token={made_up()}"
        ),
    ]


def handshake(key: str | None = None) -> list[tuple[str, str]]:
    """The headers of a handshake. key: in the subprotocol by which browsers give one to OpenAI."""
    headers = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", base64.b64encode(secrets.token_bytes(16)).decode()),
    ]
    if key is not None:
        headers.append(("sec-websocket-protocol", f"realtime, openai-insecure-api-key.{key}"))
    return headers


def streams(model: str) -> dict[str, dict[str, Any]]:
    """The bodies that stream, of one token: route -> body."""
    parameters: dict[str, Any] = {"model": model, "stream": True}
    return {
        "/v1/chat/completions": {
            **parameters,
            "max_tokens": 1,
            "messages": [{"role": "user", "content": "hi"}],
        },
        "/v1/completions": {**parameters, "max_tokens": 1, "prompt": "hi"},
        "/v1/responses": {**parameters, "max_output_tokens": 16, "input": "hi"},
    }
