"""A backend asked directly, past the gateway: Ollama's own protocol."""

from __future__ import annotations

import json
from typing import Any

from gateway_acceptance.environment import Backend
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.sender import Sender, tokens_needed


class BackendClient:
    """A client of one Ollama server. Source of the paths: Ollama's API description."""

    def __init__(self, backend: Backend, sender: Sender) -> None:
        self.backend, self._sender = backend, sender

    def get(self, path: str) -> Exchange:
        """GET a path of the backend. Raises NoAnswer, blamed on it."""
        return self._send("GET", path)

    def version(self) -> str:
        """``GET /api/version``. Raises CheckFailed where the answer holds none."""
        exchange = self.get("/api/version")
        version = _member(exchange, "version")
        if not isinstance(version, str) or not version:
            raise CheckFailed(f"{exchange.url}: expected a version string, got {version!r}", blame="backend")
        return version

    def models(self) -> dict[str, str]:
        """``GET /api/tags``: digest by full model name (``phi3:latest``)."""
        exchange = self.get("/api/tags")
        entries = _member(exchange, "models")
        if not isinstance(entries, list):
            raise CheckFailed(f"{exchange.url}: expected a list of models, got {entries!r}", blame="backend")
        return {
            full_name(str(entry.get("name"))): str(entry.get("digest", ""))
            for entry in entries
            if isinstance(entry, dict)
        }

    def chat(self, model: str, prompt: str, *, max_tokens: int) -> Exchange:
        """``POST /api/chat``, one user message, temperature 0, not streamed."""
        body = {
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
            "stream": False,
            "options": {"temperature": 0, "num_predict": max_tokens},
        }
        return self._send("POST", "/api/chat", body, tokens_needed(prompt, max_tokens))

    def _send(self, method: str, path: str, body: object = None, tokens: int = 0) -> Exchange:
        content = b"" if body is None else json.dumps(body).encode()
        headers = [("content-type", "application/json")] if content else []
        try:
            return self._sender.send(
                method, self.backend.url + path, headers=headers, body=content, tokens=tokens
            )
        except CheckFailed as failure:
            raise type(failure)(failure.problems, blame="backend") from None


def full_name(model: str) -> str:
    """Ollama's full name: ``phi3`` is ``phi3:latest``."""
    return model if ":" in model.rsplit("/", 1)[-1] else f"{model}:latest"


def _member(exchange: Exchange, name: str) -> Any:
    if exchange.status != 200:
        raise CheckFailed(f"{exchange.url}: expected status 200, got {exchange.status}", blame="backend")
    body = exchange.json()
    return body.get(name) if isinstance(body, dict) else None
