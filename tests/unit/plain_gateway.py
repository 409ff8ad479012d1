"""A plain OpenAI-compatible server on loopback, without any product's routes, that answers as a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.json_server import Answer, Asked, serving_json

__all__ = ["KEY", "Asked", "Plain", "serving"]

KEY = "sk-plain-7d0c51e84b26f93a"
REFUSED = {"error": {"message": "invalid key", "type": "auth", "param": None, "code": "invalid_api_key"}}


@dataclass
class Plain:
    """models: ids of /v1/models; embeds: those that give vectors; norm: of these; answers: path -> what is
    answered instead (a function of what was asked, or an answer); headers: on every answer."""

    url: str = ""
    models: list[Any] = field(default_factory=lambda: ["chatty", "nomic-embed-text"])
    embeds: tuple[str, ...] = ("nomic-embed-text",)
    norm: float = 1.0
    key: str = KEY
    answers: dict[str, Callable[[Asked], Answer] | Answer] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answer:
        """Status, body (JSON, or bytes as they are), headers."""
        given = self.answers.get(asked.path)
        if given is not None:
            return given(asked) if callable(given) else given
        if not asked.path.startswith("/v1/"):
            return 404, {"detail": "Not Found"}, {}
        if asked.authorization != f"Bearer {self.key}":
            return 401, REFUSED, {}
        if asked.path == "/v1/models":
            data = [{"id": name, "object": "model", "created": 1, "owned_by": "me"} for name in self.models]
            return 200, {"object": "list", "data": data}, {}
        embeds = asked.body.get("model") in self.embeds
        if asked.path == "/v1/embeddings" and embeds:
            vector = [self.norm, 0.0, 0.0, 0.0]
            return 200, {"object": "list", "data": [{"index": 0, "embedding": vector}]}, {}
        if asked.path == "/v1/chat/completions" and not embeds:
            return 200, self.said(asked), {}
        return 404, {"error": {"message": "no", "type": "x", "param": None, "code": None}}, {}

    def said(self, asked: Asked) -> dict[str, Any]:
        """A chat completion that obeys texts to repeat, and nothing else."""
        told = [str(turn["content"]).partition("exactly: ")[2] for turn in asked.body["messages"]]
        text = next((words for words in told if words), "Hm.")
        message = {"role": "assistant", "content": text}
        return {"object": "chat.completion", "choices": [{"finish_reason": "stop", "message": message}]}


@contextmanager
def serving() -> Iterator[Plain]:
    """The server at a port of its own."""
    plain = Plain()

    def answer(asked: Asked) -> Answer:
        plain.seen.append(asked)
        status, document, headers = plain.answer(asked)
        return status, document, {**plain.headers, **headers}

    with serving_json(answer) as plain.url:
        yield plain
