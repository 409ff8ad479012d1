"""A plain OpenAI-compatible server on loopback, without any product's routes, that answers as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-plain-7d0c51e84b26f93a"
REFUSED = {"error": {"message": "invalid key", "type": "auth", "param": None, "code": "invalid_api_key"}}
Answer = tuple[int, Any, Mapping[str, str]]


@dataclass
class Asked:
    """One request that arrived. body: its JSON, empty where it has none."""

    method: str
    path: str
    authorization: str
    body: dict[str, Any]


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

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("content-length") or 0)))

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: ARG002
            return

        def _answer(self, body: bytes) -> None:
            key = self.headers.get("authorization") or ""
            asked = Asked(self.command, self.path, key, json.loads(body) if body else {})
            plain.seen.append(asked)
            status, document, headers = plain.answer(asked)
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **plain.headers, **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    plain.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield plain
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
