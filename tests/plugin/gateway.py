"""A small OpenAI-compatible gateway on loopback that counts, echoes and refuses as a test needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.json_server import Answer, Asked, serving_json

KEY = "sk-mini-3f9c0d7a51e84b26/9c+d1f0b7e3a82c4"
"""Long, and with characters that percent-encoding changes."""
USAGE = 10


@dataclass
class Gateway:
    """What the server does, and what it saw. accepted: the only key that is served; wait: a request for /wait
    says that it came by ``waited`` and is answered once ``go_on`` is set; listed: its models; content: what
    it says in a chat; version: what it answers as a backend; its last digit is that of a digest, too. A
    request for /upgrade/X makes that its version, one for /list/X its only model, one for /die makes it
    silent; unanswered: how many requests it met with silence."""

    url: str = ""
    accepted: str = KEY
    seen: list[Asked] = field(default_factory=list)
    waited: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    usage: Any = USAGE
    listed: tuple[str, ...] = ("chat-one",)
    version: str = ""
    content: str = "OK"
    dead: bool = False
    unanswered: int = 0

    def count(self, path: str) -> int:
        """Requests that arrived for a path."""
        return sum(1 for one in self.seen if one.path == path)


@contextmanager
def serving() -> Iterator[Gateway]:
    """A gateway at a port of its own."""
    gateway = Gateway()

    def answer(asked: Asked) -> Answer | None:
        if gateway.dead:
            gateway.unanswered += 1
            return None
        gateway.seen.append(asked)
        return answer_of(gateway, asked.path, asked.authorization)

    with serving_json(answer) as gateway.url:
        try:
            yield gateway
        finally:
            gateway.go_on.set()


def answer_of(gateway: Gateway, path: str, authorization: str) -> Answer:
    """Status, body and further headers."""
    if path == "/alive":
        return 200, {"status": "healthy"}, {}
    if path == "/api/version" and gateway.version:
        return 200, {"version": gateway.version}, {}
    if path == "/api/tags" and gateway.version:
        return 200, {"models": [{"name": "tiny:latest", "digest": gateway.version[-1] * 64}]}, {}
    if path.startswith(("/upgrade/", "/list/", "/die")):
        gateway.version = path[9:] if path.startswith("/upgrade/") else gateway.version
        gateway.listed = (path[6:],) if path.startswith("/list/") else gateway.listed
        gateway.dead = path == "/die"
        return 200, {}, {}
    if path == "/junk":
        return 200, b"this is no JSON \xff", {}
    if path == "/surrogate":
        return 200, b'{"text": "half \\ud800 a character"}', {}
    if authorization != f"Bearer {gateway.accepted}":
        return 401, {"error": {"message": "invalid key", "type": "auth", "param": None, "code": None}}, {}
    if path == "/wait":
        gateway.waited.set()
        gateway.go_on.wait(30)
        return 200, {}, {}
    if path == "/echo":
        secret = authorization.removeprefix("Bearer ")
        return 200, {"you_sent": secret}, {"x-echo": secret, "set-cookie": f"session={secret}"}
    if path == "/v1/models":
        return (
            200,
            {"object": "list", "data": [{"id": name, "object": "model"} for name in gateway.listed]},
            {},
        )
    return (
        200,
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "chat-one",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": gateway.content},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": gateway.usage},
        },
        {},
    )
