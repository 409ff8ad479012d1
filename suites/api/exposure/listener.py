"""Where a gateway must never call because a client said so, and how one sees that it did.

Where the gateway is on this machine's loopback, a listener of our own stands there and counts. A gateway on
another host cannot reach it; then the address is one of TEST-NET-1, which nothing answers (RFC 5737), and
only the gateway's answer can be judged.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

NOWHERE = "http://192.0.2.1:9"
"""TEST-NET-1 and the discard port: no packet to it ever arrives."""


@dataclass
class Elsewhere:
    """An address that is none of the gateway's backends. arrived: method and path of each request that came
    there; watched: whether anybody looks."""

    url: str
    watched: bool
    arrived: list[str] = field(default_factory=list)

    def taken(self) -> list[str]:
        """What has arrived since the last time."""
        arrived, self.arrived = self.arrived, []
        return arrived


def on_loopback(url: str) -> bool:
    """Whether a URL's host is this machine's loopback, by its name or number."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def elsewhere(gateway_url: str) -> Iterator[Elsewhere]:
    """An address to point the gateway to: a listener on a free port of 127.0.0.1, or nowhere."""
    if not on_loopback(gateway_url):
        yield Elsewhere(NOWHERE, watched=False)
        return
    place = Elsewhere("", watched=True)

    class CountingHandler(BaseHTTPRequestHandler):
        """Answers 503 to everything, at once: whoever calls is not kept waiting."""

        def _count(self) -> None:
            place.arrived.append(f"{self.command} {self.path}")
            self.send_response(503)
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST = do_HEAD = do_PUT = do_OPTIONS = _count  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), CountingHandler) as server:
        place.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield place
        finally:
            server.shutdown()
            thread.join()
