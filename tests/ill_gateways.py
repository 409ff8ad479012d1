"""Gateways that serve, and are ill in one thing: a run goes on to its end with them, so every reader of every
answer meets it (``tests.ill_targets`` has those that are over at the first request)."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.ill_targets import IllTarget, listening

Pairs = tuple[tuple[bytes, bytes], ...]
JSON: Pairs = ((b"content-type", b"application/json"),)
SSE: Pairs = ((b"content-type", b"text/event-stream"),)
MODELS = ("chat-one", "vectors", "balanced")
DIMENSIONS = 8
REFUSED = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": "400"}}


@dataclass(frozen=True)
class ReceivedRequest:
    """A request. key: what it was sent with."""

    method: str
    path: str
    key: str
    body: dict[str, Any] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True)
class RightAnswer:
    """An answer as it ought to be. written: another one's bytes instead of it, piece by piece."""

    status: int
    headers: Pairs
    body: bytes
    written: Iterator[bytes] | None = None

    @property
    def document(self) -> Any:
        """Its JSON; None where it is a stream."""
        return None if self.headers == SSE else json.loads(self.body)

    def with_document(self, document: Any) -> RightAnswer:
        return replace(self, body=json.dumps(document).encode())

    def events(self) -> list[Any]:
        """Of a stream, without its [DONE]."""
        return [json.loads(part[6:]) for part in self.body.split(b"\n\n") if part.startswith(b"data: {")]

    def with_events(self, events: list[Any]) -> RightAnswer:
        parts = [b"data: " + json.dumps(one).encode() + b"\n\n" for one in events]
        return replace(self, body=b"".join([*parts, b"data: [DONE]\n\n"]))

    def bytes(self) -> Iterator[bytes]:
        """As it goes over the wire."""
        if self.written is not None:
            yield from self.written
            return
        head = b"HTTP/1.1 %d Said\r\n" % self.status
        head += b"".join(name + b": " + value + b"\r\n" for name, value in self.headers)
        yield head + b"content-length: %d\r\n\r\n" % len(self.body) + self.body


Twist = Callable[[ReceivedRequest, RightAnswer], RightAnswer]


def right(asked: ReceivedRequest) -> RightAnswer:
    """What a gateway says, that is its own backend too."""
    if asked.path in ("/alive", "/ready"):
        return answer({"status": "healthy"})
    if asked.path.startswith("/api/"):
        return answer(_backend(asked))
    if not asked.path.startswith("/v1/"):
        return answer({"detail": "Not Found"}, 404)
    if not asked.key.startswith("sk-made-up"):
        return answer(REFUSED, 401)
    if asked.path == "/v1/models":
        return answer({"object": "list", "data": [_model(name) for name in MODELS]})
    if asked.body.get("model") not in MODELS:
        return answer(REFUSED, 404)
    if asked.path == "/v1/embeddings":
        return answer(_vectors(asked.body.get("input")))
    if asked.path == "/v1/chat/completions" and isinstance(asked.body.get("messages"), list):
        return _stream(asked) if asked.body.get("stream") is True else answer(_chat(asked))
    return answer(REFUSED, 400)


def answer(document: Any, status: int = 200) -> RightAnswer:
    return RightAnswer(status, JSON, json.dumps(document).encode())


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1, "owned_by": "o"}


def _backend(asked: ReceivedRequest) -> dict[str, Any]:
    tags = [{"name": name, "model": name, "digest": "a" * 64} for name in ("tiny:latest", "vec:latest")]
    return {"version": "0.5.0"} if asked.path == "/api/version" else {"models": tags}


def _text(asked: ReceivedRequest) -> str:
    last = asked.body["messages"][-1] if asked.body["messages"] else {}
    words = str(last.get("content")) if isinstance(last, dict) else ""
    return words.rpartition(": ")[2] or "OK"


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def _chat(asked: ReceivedRequest) -> dict[str, Any]:
    message = {"role": "assistant", "content": _text(asked)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    named = {"id": f"chatcmpl-{asked.number}", "created": 1_795_000_000, "model": asked.body["model"]}
    return {**named, "object": "chat.completion", "choices": [choice], "usage": USAGE}


def _stream(asked: ReceivedRequest) -> RightAnswer:
    named = {"id": f"chatcmpl-{asked.number}", "created": 1_795_000_000, "model": asked.body["model"]}
    head = {**named, "object": "chat.completion.chunk"}
    deltas = [{"role": "assistant", "content": ""}, *({"content": one} for one in _text(asked)[:40]), {}]
    chunks = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}]}
        for delta in deltas
    ]
    if (asked.body.get("stream_options") or {}).get("include_usage"):
        chunks.append({**head, "choices": [], "usage": USAGE})
    return RightAnswer(200, SSE, b"").with_events(chunks)


def _vectors(given: Any) -> dict[str, Any]:
    texts = given if isinstance(given, list) else [given]
    data = [
        {
            "object": "embedding",
            "index": at,
            "embedding": [1.0 if at % DIMENSIONS == n else 0.0 for n in range(8)],
        }
        for at in range(len(texts))
    ]
    return {
        "object": "list",
        "data": data,
        "model": "vectors",
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }


@contextlib.contextmanager
def serving(twist: Twist) -> Iterator[IllTarget]:
    """Serve it at a port of its own on loopback."""

    def serve(connection: socket.socket, target: IllTarget) -> None:
        while asked := _request(connection, target):
            for piece in twist(asked, right(asked)).bytes():
                connection.sendall(piece)
                if target.ended.is_set():
                    return

    with listening(serve) as target:
        yield target


def _request(connection: socket.socket, target: IllTarget) -> ReceivedRequest | None:
    """The next one whole; None where it does not come, or is no HTTP."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    while len(body) < int(headers.get("content-length") or 0):
        piece = connection.recv(65536)
        if not piece:
            return None
        body += piece
    target.seen.append(head)
    method, path, *_ = [*lines[0].split(" "), "", ""]
    document: Any = {}
    with contextlib.suppress(ValueError, RecursionError):
        document = json.loads(body) if body else {}
    key = headers.get("authorization", "").removeprefix("Bearer ")
    body_object = document if isinstance(document, dict) else {}
    return ReceivedRequest(method, path.partition("?")[0], key, body_object, len(target.seen))
