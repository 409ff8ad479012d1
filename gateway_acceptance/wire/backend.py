"""A backend asked directly, past the gateway: Ollama's own protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway_acceptance.environment import Backend
from gateway_acceptance.verdict import CheckFailed, Untestable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.sender import Sender, tokens_needed

Kept = Callable[[str, Callable[[], Exchange]], Exchange]
"""The answer that is known under a name, or the one that asking brings."""


class BackendClient:
    """A client of one Ollama server. Source of the paths: Ollama's API description."""

    def __init__(self, backend: Backend, sender: Sender, kept: Kept | None = None) -> None:
        """kept: where what a backend says of itself is kept for the run; else it is asked each time."""
        self.backend, self._sender = backend, sender
        self._kept: Kept = kept or (lambda _, ask: ask())

    def get(self, path: str) -> Exchange:
        """GET a path of the backend. Raises NoAnswer, blamed on it."""
        return self._send("GET", path)

    def version(self) -> str:
        """``GET /api/version``. Raises CheckFailed where the answer holds none."""
        exchange = self._kept(f"{self.backend.name}/api/version", lambda: self.get("/api/version"))
        version = _member(exchange, "version")
        if not isinstance(version, str) or not version:
            raise CheckFailed(f"{exchange.url}: expected a version string, got {version!r}", blame="backend")
        return version

    def models(self) -> dict[str, str]:
        """``GET /api/tags``: digest by full model name (``phi3:latest``)."""
        exchange = self._kept(f"{self.backend.name}/api/tags", lambda: self.get("/api/tags"))
        entries = _member(exchange, "models")
        if not isinstance(entries, list):
            raise CheckFailed(f"{exchange.url}: expected a list of models, got {entries!r}", blame="backend")
        return {
            full_name(str(entry.get("name"))): str(entry.get("digest", ""))
            for entry in entries
            if isinstance(entry, dict)
        }

    def loaded(self) -> set[str]:
        """``GET /api/ps``: the full names of the models that are in memory now."""
        exchange = self.get("/api/ps")
        entries = _member(exchange, "models")
        if not isinstance(entries, list):
            raise CheckFailed(f"{exchange.url}: expected a list of models, got {entries!r}", blame="backend")
        return {full_name(str(entry.get("name"))) for entry in entries if isinstance(entry, dict)}

    def capabilities(self, model: str) -> list[str] | None:
        """``POST /api/show``: what a model can do, in Ollama's words.

        None where it says none (before 0.6.4)."""
        exchange = self._send("POST", "/api/show", {"model": model})
        found = _member(exchange, "capabilities")
        return [str(word) for word in found] if isinstance(found, list) else None

    def load(self, model: str) -> Exchange:
        """``POST /api/generate`` without a prompt: Ollama loads the model and says nothing."""
        return self._send("POST", "/api/generate", {"model": model, "stream": False})

    def embedding(self, model: str, texts: str | Sequence[str]) -> Exchange:
        """``POST /api/embed`` of one text, or of several."""
        length = texts if isinstance(texts, str) else json.dumps(list(texts))
        return self._send("POST", "/api/embed", {"model": model, "input": texts}, tokens_needed(length, 0))

    def embed(self, model: str, text: str) -> list[float]:
        """``POST /api/embed`` of one text: its vector. Raises CheckFailed where the answer holds none."""
        exchange = self.embedding(model, text)
        vectors = _member(exchange, "embeddings")
        if not isinstance(vectors, list) or len(vectors) != 1 or not isinstance(vectors[0], list):
            raise CheckFailed(
                f"{exchange.url}: expected one vector, got {exchange.text[:200]}", blame="backend"
            )
        return vectors[0]

    def counts(self, mark: str) -> dict[str, int]:
        """The backend's own count: requests by full model name, with this mark where its URL takes one.

        The answer is ``{"models": {NAME: NUMBER}}``. Raises Untestable where it is anything else, KeyError
        where the environment declares none.
        """
        url = self.backend.counts_url
        if url is None:
            raise KeyError(self.backend.name)
        fix = f"correct what answers there, or take backends.counts of {self.backend.name} away"
        try:
            answer = self._sender.send("GET", url.replace("{mark}", mark))
            counted = answer.json() if answer.status == 200 else None
        except CheckFailed as failure:
            raise Untestable(f"the count of {self.backend.name} cannot be read: {failure}", fix) from None
        models = counted.get("models") if isinstance(counted, dict) else None
        if not isinstance(models, dict) or not all(type(number) is int for number in models.values()):
            raise Untestable(
                f"the count of {self.backend.name} is none: got {answer.status} {answer.text[:120]}", fix
            )
        return {full_name(name): number for name, number in models.items()}

    def chat(self, model: str, prompt: str, *, max_tokens: int) -> Exchange:
        """``POST /api/chat``, one user message, temperature 0, not streamed."""
        body = {
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
            "stream": False,
            "options": {"temperature": 0, "num_predict": max_tokens},
        }
        return self._send("POST", "/api/chat", body, tokens_needed(prompt, max_tokens))

    def converse(self, body: Mapping[str, Any]) -> Exchange:
        """``POST /api/chat`` with a body in Ollama's words; ``options.num_predict`` is its limit. Raises
        NoAnswer, blamed on the backend."""
        return self._send(
            "POST", "/api/chat", body, tokens_needed(json.dumps(body), body["options"]["num_predict"])
        )

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
