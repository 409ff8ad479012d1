"""The one place that sends: one request each, within its deadline and its budget."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.model import Policy
from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import NoAnswer, NotPermitted
from gateway_acceptance.wire.connections import IDLE_S
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.ledger import MOST_COUNTED
from gateway_acceptance.wire.sender import Deadline, Sender, tokens_needed, tokens_reported

Serve = Callable[[bytes], str]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """``serve(raw)`` answers each connection once with these bytes, and says how often it was asked."""
    listeners: list[socket.socket] = []
    ended = threading.Event()

    def started(raw: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def loop() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(raw)
                    if raw.endswith(b"..."):
                        ended.wait(10)

        threading.Thread(target=loop, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield started
    ended.set()
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def sender(notebook: Notebook) -> Iterator[Sender]:
    made = Sender(notebook, None, Deadline(1, 5))
    yield made
    made.close()


def test_an_exchange_is_noted_raw(serve: Serve, sender: Sender, notebook: Notebook) -> None:
    url = serve(b"HTTP/1.1 418 No\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 3\r\n\r\n\xff{}")
    before = time.time()
    exchange = sender.send("POST", url + "/p", headers=[("x-b", "3")], body=b"body")
    assert before <= exchange.sent_at <= time.time()
    assert (exchange.status, exchange.body, exchange.request_body) == (418, b"\xff{}", b"body")
    assert [value for name, value in exchange.headers if name == "x-a"] == ["1", "2"]
    assert notebook.exchanges == [exchange]


def test_a_redirect_is_an_answer(serve: Serve, sender: Sender) -> None:
    url = serve(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
    assert sender.send("GET", url).status == 302


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "the connection broke or the answer is not HTTP"),
        (b"", "the connection broke or the answer is not HTTP"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf",
            "the connection broke or the answer is not HTTP",
        ),
    ],
)
def test_what_is_no_whole_answer(
    serve: Serve, sender: Sender, notebook: Notebook, raw: bytes, words: str
) -> None:
    with pytest.raises(NoAnswer, match=words):
        sender.send("GET", serve(raw))
    assert len(notebook.exchanges) == 1
    assert notebook.exchanges[0].error.startswith(words)


def test_a_refused_connection(sender: Sender, notebook: Notebook) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(NoAnswer, match="connection refused"):
            sender.send("GET", f"http://127.0.0.1:{held.getsockname()[1]}")
    assert notebook.exchanges[0].status is None


@pytest.mark.parametrize("raw", [b"...", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf..."])
def test_silence_ends_with_the_deadline(serve: Serve, sender: Sender, raw: bytes) -> None:
    silent = raw if raw != b"..." else b"HTTP/1.1 200 OK\r\nx: ..."
    with pytest.raises(NoAnswer, match=r"no answer within 0\.2 s"):
        sender.send("GET", serve(silent), deadline=Deadline(1, 0.2))


def test_our_own_malformed_request_is_not_the_targets_failure(serve: Serve, sender: Sender) -> None:
    with pytest.raises(httpx2.LocalProtocolError):
        sender.send("GET", serve(OK), headers=[("x-a", "line\nend")])


def test_the_budget_is_asked_before_and_settled_after(serve: Serve, tmp_path: Path) -> None:
    answer = json.dumps({"usage": {"total_tokens": 7}}).encode()
    head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(answer)
    url = serve(head + answer)
    policy = Policy(effects=(Effect.READ, Effect.SPEND), requests=2, tokens=100, seconds=60)
    budget = Budget(tmp_path / "b", policy, time.time())
    notebook = Notebook()
    sender = Sender(notebook, budget, Deadline(1, 5))
    sender.send("POST", url, tokens=5)
    assert budget.spent.tokens == 7, "more was told than reserved"
    with pytest.raises(NotPermitted):
        sender.send("POST", url, tokens=94)
    sender.send("GET", url)
    with pytest.raises(NotPermitted):
        sender.send("GET", url)
    assert len(notebook.exchanges) == 2
    sender.close()


@pytest.mark.parametrize(
    ("status", "body", "tokens"),
    [
        (200, b'{"usage": {"total_tokens": 70}}', 70),
        (200, b'{"usage": {"total_tokens": 7}}', 50),
        (200, b'{"usage": {"total_tokens": 0}}', 50),
        (200, b'{"usage": {"total_tokens": -7}}', 50),
        (200, b'{"usage": {"total_tokens": Infinity}}', 50),
        (200, b'{"usage": {"total_tokens": NaN}}', 50),
        (200, b'{"usage": {"total_tokens": null}}', 50),
        (200, b'{"usage": null}', 50),
        (200, b"[" * 200_000, 50),
        (200, b"data: {}", 50),
        (None, b"", 50),
        (401, b"{}", 50),
        (200, b'{"usage": {"total_tokens": ' + b"9" * 4000 + b"}}", MOST_COUNTED),
    ],
)
def test_tokens_reported(status: int | None, body: bytes, tokens: int) -> None:
    exchange = Exchange("POST", "http://h", (), b"", status, (), ((0.1, body),))
    assert tokens_reported(exchange, 50) == tokens


def test_tokens_needed_is_an_upper_estimate() -> None:
    assert tokens_needed("x" * 100, 16) == 57
    assert tokens_needed("", None) == 257
    assert tokens_needed("", 10, answers=3) == 31


@pytest.mark.parametrize(("idle_s", "connections"), [(60.0, 1), (0.0, 2)])
def test_a_connection_that_was_idle_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch, notebook: Notebook, idle_s: float, connections: int
) -> None:
    """A server may close it just then; 0 seconds stand for any that have passed."""
    monkeypatch.setattr("gateway_acceptance.wire.connections.IDLE_S", idle_s)
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                connection.sendall(OK)

    def accept() -> None:
        while True:
            try:
                accepted.append(listener.accept()[0])
            except OSError:
                return
            threading.Thread(target=answer, args=(accepted[-1],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sender = Sender(notebook, None, Deadline(2, 2))
    try:
        for _ in range(2):
            assert sender.send("GET", f"http://127.0.0.1:{listener.getsockname()[1]}/").status == 200
    finally:
        sender.close()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    assert len(accepted) == connections


def test_connections_are_given_up_well_before_servers_do() -> None:
    """uvicorn's default is 5 s, and httpx uses one that was idle for just as long."""
    assert 0 < IDLE_S < 5
