"""A gateway and a backend that do everything wrong, on loopback, in a thread of this process.

Whoever asks is let in, whatever is asked is answered with 200, and no answer is as the contract has it. But a
list of models that is asked for without anything but the question is 400: no refusal, and nothing that is
served to everybody either, which would make keys and ways in no matter.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGEST = 1 << 20
"""Bytes of a request that are read."""
WAITS_S = 5.0
"""For a request's next byte."""

MODELS = {"object": "lists", "data": [{"id": "planted-chat", "object": "thing"}, {"id": "planted-chat"}]}
CHAT = {
    "id": 7,
    "object": "chat.thing",
    "created": "today",
    "model": 0,
    "choices": [
        {"index": "0", "message": {"role": "user", "content": 7}, "finish_reason": "done"},
        {"index": "0", "message": {"role": "user", "content": None}},
    ],
    "usage": {"prompt_tokens": -1, "completion_tokens": "two", "total_tokens": 99},
}
EMBEDDING = {
    "object": "thing",
    "data": [{"object": "vector", "index": 5, "embedding": [0.0, "one", 2.0]}],
    "model": 0,
    "usage": {"prompt_tokens": -1, "total_tokens": -2},
}
COMPLETION = {
    "id": 7,
    "object": "text",
    "choices": [{"text": 7, "index": "0"}],
    "usage": {"total_tokens": -1},
}
RESPONSE = {"id": 7, "object": "thing", "status": "perhaps", "output": [{"type": "thing"}]}
CHUNKS = (
    'data: {"id": 7, "object": "chat.thing", "choices": [{"index": "0", "delta": {"content": 7}}]}\n\n',
    'data: {"id": 8, "object": "chat", "choices": [{"index": 3, "delta": {}, "finish_reason": "end"}]}\n\n',
    "data: {not JSON}\n\n",
)
PLAIN = frozenset({"host", "user-agent", "accept", "accept-encoding", "connection"})
"""Headers of a question with nothing added to it."""
ANSWERS: Mapping[str, Any] = {
    "/v1/models": MODELS,
    "/v1/chat/completions": CHAT,
    "/v1/completions": COMPLETION,
    "/v1/embeddings": EMBEDDING,
    "/v1/responses": RESPONSE,
    "/api/tags": {"models": []},
    "/api/version": {"version": "0.0.0"},
    "/api/ps": {"models": []},
}


class StandIn:
    """Listens from its making until it is closed. url: where, on loopback."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = WAITS_S

    def version_string(self) -> str:
        """The Server header. The class's own names the interpreter's release: another one on each machine."""
        return "stand-in/1.0"

    def do_GET(self) -> None:
        self._answer({})

    do_DELETE = do_PUT = do_PATCH = do_OPTIONS = do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        content = self.rfile.read(min(int(length), LARGEST)) if length.isdecimal() else b""
        try:
            asked = json.loads(content)
        except ValueError:
            asked = {}
        self._answer(asked if isinstance(asked, dict) else {})

    def _answer(self, asked: Mapping[str, Any]) -> None:
        path = self.path.split("?", 1)[0]
        nothing_added = PLAIN.issuperset(map(str.lower, self.headers))
        if (self.command, self.path) == ("GET", "/v1/models") and nothing_added:
            self._send(b"what?", "text/html", 400)
            return
        if asked.get("stream"):
            self._send("".join(CHUNKS).encode(), "text/plain")
            return
        credentials = self.headers.get("Authorization", "nobody")
        body = ANSWERS.get(path, {"ok": True, "authorization": credentials, "file": "/opt/planted/app.py"})
        self._send(json.dumps(body).encode(), "text/html")

    def _send(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = True  # and no header says so

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: it speaks to this process alone."""
