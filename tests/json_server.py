"""An HTTP server on loopback that answers with JSON, as whoever starts it says; one thread per connection."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any, Mapping[str, str]]
"""Status, body (JSON, or bytes as they are), further headers."""


@dataclass
class Asked:
    """One request that arrived. raw: its body; headers: by their names in small letters."""

    method: str
    path: str
    authorization: str
    raw: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """Its JSON; empty where there is none."""
        document: dict[str, Any] = json.loads(self.raw) if self.raw else {}
        return document


@contextmanager
def serving_json(answer: Callable[[Asked], Answer | None]) -> Iterator[str]:
    """The address of a server at a port of its own. answer: None closes the connection without a byte."""

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
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers.get("authorization", ""), body, headers)
            given = answer(asked)
            if given is None:
                self.close_connection = True
                return
            status, document, more = given
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **more}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving_by(Handler) as url:
        yield url


class _Server(ThreadingHTTPServer):
    request_queue_size = 64  # by default five connections may wait; a sixth comes a second later


@contextmanager
def serving_by(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server at a port of its own that answers by this handler."""
    server = _Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
