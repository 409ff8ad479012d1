"""One request as it is written, byte for byte: targets and headers that no HTTP client would send.

Answers are read by h11. Nothing is normalised: the target may be absolute, or spelt in any way; a header may
stand twice, and Host is sent only where the caller gives one.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway_acceptance.lazily import lazily
from gateway_acceptance.verdict import Untestable
from gateway_acceptance.wire.deadline import Allowance, Deadline, within
from gateway_acceptance.wire.exchange import Exchange, Headers
from gateway_acceptance.wire.route import Route

if TYPE_CHECKING:
    import h11
    import httpcore2

    from gateway_acceptance.wire import network, tunnel

    Head = h11.Response | h11.InformationalResponse
else:
    h11, httpcore2 = lazily("h11"), lazily("httpcore2")
    network = lazily("gateway_acceptance.wire.network")
    tunnel = lazily("gateway_acceptance.wire.tunnel")

MOST_READ = 256 * 1024
"""Bytes of an answer that are read: enough to see its shape."""
PART = 65536
UPGRADED = 101
FIRST_FRAME_S = 1.0
"""Seconds that a server has to close a WebSocket which it has just opened."""


@dataclass(frozen=True, slots=True)
class RawRequest:
    """target: what stands in the request line; headers: as written, Host included; version: of HTTP."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    version: str = "1.1"

    def exchange(self, url: str) -> Exchange:
        """The request as it is noted, not answered yet. url: of the server; of its path nothing
        is taken, for the target is all that stands in the request line."""
        parts = urlsplit(url)
        shown = self.target if "://" in self.target else f"{parts.scheme}://{parts.netloc}{self.target}"
        return Exchange(
            self.method, shown, tuple(self.headers), self.body, sent_at=time.time(), withheld=True
        )

    def with_headers(self, headers: Headers) -> RawRequest:
        """The same with more headers at its end."""
        return replace(self, headers=(*self.headers, *headers)) if headers else self

    def written(self) -> bytes:
        """The bytes on the wire. Raises ValueError for line ends within: that would be two requests."""
        lines = [f"{self.method} {self.target} HTTP/{self.version}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body and not any(name.lower() == "transfer-encoding" for name, _ in self.headers):
            lines.append(f"content-length: {len(self.body)}")
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a request line or header of ours holds a line end")
        return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + self.body


def exchanged(url: str, asked: RawRequest, allowance: Allowance, route: Route | None = None) -> Exchange:
    """Send it to the server of a URL and read the answer, up to its end, the deadline or ``MOST_READ``.
    Raises Untestable where a proxy stands between and makes no tunnel: it would write another request
    than this one; and what the allowance's ``silent`` raises.

    The exchange's URL is the server's with the target behind; where no HTTP answer came, ``error`` says why.
    Of event streams the head is read; of a connection that changed its protocol, what comes first.
    """
    blank = asked.exchange(url)
    begun, limit = allowance.begun, allowance.limit
    written = asked.written()
    try:
        with within(allowance), contextlib.closing(_connected(url, route or Route())) as connection:
            connection.write(written)
            head, parts, error = _read(connection, begun, allowance, asked.method)
    except httpcore2.ProxyError as failure:
        raise Untestable(
            f"{failure}, and this request must arrive as it is written",
            "let the proxy tunnel there, or name the host in network.no_proxy",
        ) from None
    except httpcore2.ConnectTimeout as late:
        words = str(late) if "resolved" in str(late) else f"no connection within {limit.connect_s:g} s"
        return _ended(blank, begun, error=words)
    except httpcore2.TimeoutException:
        return _ended(blank, begun, error=f"no answer within {limit.total_s:g} s")
    except httpcore2.NetworkError as failure:
        words = str(failure)
        lengths = (
            words
            if words.startswith(("the proxy ", "TLS: "))
            else f"the connection broke: {words or type(failure).__name__}"
        )
        return _ended(blank, begun, error=lengths)
    return _ended(blank, begun, head, parts, error)


def _connected(url: str, route: Route) -> httpcore2.NetworkStream:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    proxy = route.proxy_of(host)
    backend = network.TimedBackend(whom=route.whom) if proxy is None else tunnel.TunnelBackend(proxy, route)
    plain = backend.connect_tcp(host, port)
    return plain.start_tls(route.context, host) if secure else plain


def _read(
    connection: httpcore2.NetworkStream, begun: float, allowance: Allowance, method: str
) -> tuple[Head | None, list[tuple[float, bytes]], str]:
    """The head, the body's parts as they arrived, and what broke."""
    reader = h11.Connection(h11.CLIENT)
    framing = "HEAD" if method == "HEAD" else "GET"  # the one method whose answers have no body
    asked = h11.Request(method=framing, target="/", headers=[("host", "x"), ("upgrade", "any")])
    reader.send(asked)  # only so that h11 expects an answer; what was sent is the caller's
    reader.send(h11.EndOfMessage())
    head: Head | None = None
    parts: list[tuple[float, bytes]] = []
    while sum(len(part) for _, part in parts) < MOST_READ:
        try:
            event = reader.next_event()
        except h11.RemoteProtocolError as failure:
            return head, parts, f"the answer is not HTTP: {failure}"
        if event is h11.NEED_DATA:
            try:
                received = connection.read(PART)
            except httpcore2.TimeoutException:
                return head, parts, f"no answer within {allowance.limit.total_s:g} s"
            if not received and head is None:
                return head, parts, "the connection was closed without an answer"
            reader.receive_data(received)
        elif isinstance(event, h11.InformationalResponse):
            if event.status_code == UPGRADED:
                return event, _first_frame(connection, reader), ""
        elif isinstance(event, h11.Response):
            head = event
            allowance.head_has_come()
            if _streams(head):
                return head, parts, ""
        elif isinstance(event, h11.Data):
            parts.append((time.monotonic() - begun, bytes(event.data)))
        else:
            break  # the end of the message
    return head, parts, ""


def _first_frame(connection: httpcore2.NetworkStream, reader: h11.Connection) -> list[tuple[float, bytes]]:
    """What a server says at once over its new protocol: to close it is a refusal."""
    said = reader.trailing_data[0]
    if not said:
        try:
            with within(Allowance(Deadline(FIRST_FRAME_S, FIRST_FRAME_S))):
                said = connection.read(PART)
        except (httpcore2.TimeoutException, httpcore2.NetworkError):
            said = b""
    return [(0.0, said)] if said else []


def _streams(head: Head) -> bool:
    return any(name == b"content-type" and b"event-stream" in value for name, value in head.headers)


def _ended(
    blank: Exchange,
    begun: float,
    head: Head | None = None,
    parts: Sequence[tuple[float, bytes]] = (),
    error: str = "",
) -> Exchange:
    headers = (
        () if head is None else tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in head.headers)
    )
    return blank.answered(
        status=None if head is None else head.status_code,
        headers=headers,
        chunks=tuple(parts),
        elapsed_s=time.monotonic() - begun,
        first_byte_s=parts[0][0] if parts else None,
        error=error,
    )
