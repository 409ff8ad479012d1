"""Requests that are sent as they are written, and what is kept of their answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from gateway_acceptance.redaction import Redactor
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.raw import RawRequest
from gateway_acceptance.wire.sender import Deadline, Sender

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
Asked = Callable[[bytes, RawRequest], tuple[Exchange, bytes]]


@pytest.fixture
def asked() -> Iterator[Asked]:
    """``asked(answer, request)``: the exchange with a server that answers so, and what it was sent."""
    notebook = Notebook()
    sender = Sender(notebook, None, Deadline(1, 0.5))

    def exchange(answer: bytes, request: RawRequest) -> tuple[Exchange, bytes]:
        seen = []
        ended = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve() -> None:
                connection, _ = listener.accept()
                with connection:
                    seen.append(connection.recv(65536))
                    connection.sendall(answer.removesuffix(b"..."))
                    if answer.endswith(b"..."):
                        ended.wait(10)

            server = threading.Thread(target=serve)
            server.start()
            got = sender.send_raw(f"http://127.0.0.1:{listener.getsockname()[1]}", request)
            ended.set()
            server.join()
        assert notebook.exchanges[-1] == got
        return got, seen[0]

    yield exchange
    sender.close()


def test_what_is_written_is_sent(asked: Asked) -> None:
    request = RawRequest("GET", "/a/..;/b?c#d", [("host", "one"), ("Host", "zwei é")])
    got, sent = asked(HEAD + b"content-length: 2\r\n\r\n{}", request)
    assert sent == "GET /a/..;/b?c#d HTTP/1.1\r\nhost: one\r\nHost: zwei é\r\n\r\n".encode()
    assert (got.status, got.text, got.error) == (200, "{}", "")
    assert got.url.endswith("/a/..;/b?c#d")


def test_a_body_has_its_length(asked: Asked) -> None:
    _, sent = asked(HEAD + b"content-length: 0\r\n\r\n", RawRequest("POST", "/", [("host", "x")], b"{}"))
    assert sent.endswith(b"content-length: 2\r\n\r\n{}")


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (b"", None, "closed without an answer"),
        (b"nonsense\r\n\r\n", None, "not HTTP"),
        (b"...", None, "no answer within|timed out"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n", 401, ""),
        (b"HTTP/1.1 101 Yes\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n...", 101, ""),
        (HEAD.replace(b"application/json", b"text/event-stream") + b"\r\ndata: 1\n\n...", 200, ""),
    ],
    ids=["closed", "no HTTP", "silent", "continued", "a WebSocket", "events"],
)
def test_every_end_is_told(asked: Asked, answer: bytes, status: int | None, error: str) -> None:
    got, _ = asked(answer, RawRequest("GET", "/", [("host", "x")]))
    assert got.status == status
    assert any(words in got.error for words in error.split("|"))
    assert bool(got.error) == bool(error)


def test_nothing_of_an_open_door_is_kept(asked: Asked) -> None:
    opened, _ = asked(
        HEAD + b'content-length: 11\r\n\r\n{"k":"SHY"}', RawRequest("GET", "/", [("host", "x")])
    )
    kept = opened.evidence(Redactor())
    assert "SHY" in opened.text
    assert "SHY" not in str(kept)
    assert kept["response"] == "(11 bytes, not kept: nobody without a key should have been shown them)"


def test_a_refusal_is_kept_and_can_be_asked_again(asked: Asked) -> None:
    head = b"HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\nno"
    request = RawRequest("GET", "/v1/models", [("host", "a/?"), ("x-api-key", "sk-made-up")])
    kept = asked(head, request)[0].evidence(Redactor())
    assert kept["response"] == "no"
    assert "-H 'host: a/?'" in str(kept["curl"])
    assert "sk-made-up" not in str(kept["curl"])


def test_a_line_end_would_be_two_requests() -> None:
    with pytest.raises(ValueError, match="line end"):
        RawRequest("GET", "/", [("host", "x\r\nx-more: 1")]).written()


def test_a_handshake_that_stops_is_no_connection() -> None:
    """Whoever accepts and speaks no TLS was not late with an answer."""
    sender = Sender(Notebook(), None, Deadline(0.3, 5))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        got = sender.send_raw(url, RawRequest("GET", "/", [("host", "x")]))
    sender.close()
    assert got.error == "no connection within 0.3 s"
