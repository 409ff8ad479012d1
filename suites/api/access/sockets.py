"""WebSocket handshakes of somebody without a key (RFC 6455 section 4.1)."""

from __future__ import annotations

import base64
import secrets

SOCKET_ROUTES = ("/v1/realtime", "/realtime", "/v1/responses", "/ws")
"""OpenAI's realtime and responses, and a name that many give to theirs."""


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
