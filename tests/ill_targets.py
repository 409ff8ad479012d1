"""Servers that are ill: each does one thing that no client should have to bear (docs/safety.md).

``ill(NAME)`` serves it at a port of its own on loopback until the block is left. ``after``: requests that are
answered well before. What never ends on the wire ends here after ``LONGEST_S``, so that a client which waits
for ever is found by what it says, not by a test that hangs.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

LONGEST_S = 30.0
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
BLANKS = b" " * 65536
EVENT = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}\n\n'


@dataclass
class IllTarget:
    """url: where it serves; seen: heads of the requests that arrived; ended: set when the block is left;
    ill_at: when the first request came that it did not answer well, on the monotonic clock; 0 before."""

    url: str
    seen: list[bytes] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    answered: int = 0
    ill_at: float = 0.0

    def pause(self, seconds: float) -> bool:
        """Wait; whether to go on."""
        return not self.ended.wait(seconds)


Ill = Callable[[socket.socket, IllTarget], None]


def whole(head: bytes, body: bytes) -> bytes:
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def drip(connection: socket.socket, target: IllTarget, data: bytes, every_s: float = 0.1) -> None:
    for _ in range(int(LONGEST_S / every_s)):
        for at in range(len(data)):
            connection.sendall(data[at : at + 1])
            if not target.pause(every_s):
                return


def endless(connection: socket.socket, target: IllTarget, piece: bytes, most: int) -> None:
    sent = 0
    while sent < most and not target.ended.is_set():
        connection.sendall(piece)
        sent += len(piece)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def silent(_: socket.socket, target: IllTarget) -> None:
    """A black hole that accepts."""
    target.pause(LONGEST_S)


def dripped_head(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    drip(connection, target, b"x-a: b\r\n")


def endless_continue(connection: socket.socket, target: IllTarget) -> None:
    endless(connection, target, b"HTTP/1.1 100 Continue\r\n\r\n", 1 << 30)


def dripped_continue(connection: socket.socket, target: IllTarget) -> None:
    while target.pause(0.1):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def endless_header(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nx-a: ")
    endless(connection, target, b"x" * 65536, 1 << 30)


def dripped_body(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(CHUNKED)
    drip(connection, target, chunk(b" "))


def dripped_stream(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(STREAM)
    while target.pause(0.1):
        connection.sendall(chunk(EVENT))


def endless_body(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(CHUNKED)
    endless(connection, target, chunk(BLANKS), 8 << 30)


def endless_stream(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(STREAM)
    endless(connection, target, chunk(EVENT * 64), 8 << 30)


def tiny_chunks(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(CHUNKED)
    endless(connection, target, chunk(b" ") * 4096, 8 << 30)


def gigabyte(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(HEAD + b"content-length: %d\r\n\r\n" % (1 << 30))
    endless(connection, target, BLANKS, 1 << 30)


def gzip_bomb(connection: socket.socket, target: IllTarget) -> None:
    """Some kilobytes that are 32 MB."""
    packed = gzip.compress(b" " * (32 << 20), 1)
    connection.sendall(whole(HEAD + b"content-encoding: gzip\r\n", packed))


def gzip_tail(connection: socket.socket, target: IllTarget) -> None:
    """Compressed, whole, and then something that has no end."""
    connection.sendall(CHUNKED[:-2] + b"content-encoding: gzip\r\n\r\n" + chunk(gzip.compress(b"{}")))
    endless(connection, target, chunk(BLANKS), 8 << 30)


def broken_gzip(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(whole(HEAD + b"content-encoding: gzip\r\n", b"this is no gzip"))


def unasked_encoding(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(whole(HEAD + b"content-encoding: br\r\n", b"{}"))


def deep_json(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(whole(HEAD, b"[" * 100_000 + b"]" * 100_000))


def deep_object(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(whole(HEAD, b'{"a":' * 50_000 + b"1" + b"}" * 50_000))


def invalid_utf8(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(whole(HEAD, b'{"id": "\xff\xfe\x80"}'))


def not_json(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(whole(HEAD, b"<html>welcome</html>"))


def huge_number(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(whole(HEAD, b'{"created": ' + b"9" * 10_000 + b"}"))


def not_http(connection: socket.socket, target: IllTarget) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def closing(connection: socket.socket, target: IllTarget) -> None:
    """Takes the request and closes."""


def _answer(status: bytes, *headers: bytes, body: bytes = b"{}") -> Ill:
    def answer(connection: socket.socket, target: IllTarget) -> None:
        head = b"HTTP/1.1 " + status + b"\r\n" + b"".join(header + b"\r\n" for header in headers)
        connection.sendall(whole(head, body))

    return answer


REFUSAL = json.dumps({"error": {"message": "no", "type": "t", "param": None, "code": None}}).encode()

ILLS: dict[str, Ill] = {
    **{
        one.__name__: one
        for one in (
            *(silent, dripped_head, endless_continue, dripped_continue, endless_header, dripped_body),
            *(
                dripped_stream,
                endless_body,
                endless_stream,
                tiny_chunks,
                gigabyte,
                gzip_bomb,
                gzip_tail,
                broken_gzip,
            ),
            *(unasked_encoding, deep_json, deep_object, invalid_utf8, not_json, huge_number, not_http),
            closing,
        )
    },
    "too_many_requests": _answer(b"429 Too Many Requests", b"retry-after: 3600", body=REFUSAL),
    "unavailable": _answer(b"503 Service Unavailable", body=REFUSAL),
    "wrong_key": _answer(b"401 Unauthorized", body=REFUSAL),
    "redirect": _answer(b"302 Found", b"location: http://127.0.0.1:9/login"),
}

MODELS = {"object": "list", "data": [{"id": "chat-one", "object": "model", "created": 1, "owned_by": "o"}]}


def _well(connection: socket.socket) -> None:
    connection.sendall(whole(HEAD, json.dumps(MODELS).encode()))


def _request(connection: socket.socket) -> bytes:
    """A whole request, or what came of it before it broke off."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return head


@contextlib.contextmanager
def ill(name: str | Ill, *, after: int = 0) -> Iterator[IllTarget]:
    """Serve it."""
    answers = ILLS[name] if isinstance(name, str) else name

    def serve(connection: socket.socket, target: IllTarget) -> None:
        while request := _request(connection):
            target.seen.append(request)
            if len(target.seen) > after:
                target.ill_at = target.ill_at or time.monotonic()
                answers(connection, target)
                return
            _well(connection)

    with listening(serve) as target:
        yield target


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket, IllTarget], None]) -> Iterator[IllTarget]:
    """Serve each connection in a thread of its own, at a free port of loopback; all have ended afterwards."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    target = IllTarget(f"http://127.0.0.1:{listener.getsockname()[1]}")
    threads: list[threading.Thread] = []

    def served(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            serve(connection, target)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=served, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield target
    finally:
        target.ended.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)
