"""A connection that was used before and is closed without a byte: asked once more, on a fresh one."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.model import Policy
from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.sdk import async_sdk_client, sdk_client
from gateway_acceptance.wire.sender import Deadline, Sender
from tests.unit.declared import environment

BODY = json.dumps({"object": "list", "data": []}).encode()
WELL = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
HANG = b"(silence)"
Plan = list[list[bytes]]
"""What each connection answers, request by request; b"" closes it without a byte, and so does its end."""
Serve = Callable[[Plan], str]


def whole_request(connection: socket.socket) -> bytes:
    """One request with its body, in however many pieces it comes; empty where the client has gone."""
    received = b""
    while True:
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if end and len(body) >= (int(length[1]) if length else 0):
            return received
        piece = connection.recv(65536)
        if not piece:
            return b""
        received += piece


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that goes by a plan; its URL."""
    held: list[socket.socket] = []
    ended = threading.Event()

    def answer(connection: socket.socket, replies: list[bytes]) -> None:
        with connection:
            for reply in replies:
                if not whole_request(connection) or not reply:
                    return
                if reply is HANG:
                    ended.wait(10)
                    return
                connection.sendall(reply)
            connection.recv(65536)

    def started(plan: Plan) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        held.append(listener)

        def accept() -> None:
            for replies in plan:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection, replies), daemon=True).start()
            listener.close()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield started
    ended.set()
    for listener in held:
        listener.close()


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def sender(notebook: Notebook) -> Iterator[Sender]:
    made = Sender(notebook, None, Deadline(1, 5))
    yield made
    made.close()


def test_it_is_asked_again_and_both_are_noted(serve: Serve, sender: Sender, notebook: Notebook) -> None:
    url = serve([[WELL, b""], [WELL]])
    assert [sender.send("POST", url, body=b"{}").status for _ in range(2)] == [200, 200]
    first, dropped, again = notebook.exchanges
    assert [one.dropped for one in notebook.exchanges] == [False, True, False]
    assert (dropped.status, dropped.request_body) == (None, b"{}")
    assert "(a connection used before; asked again on a fresh one)" in dropped.error
    assert (again.status, again.body, again.error) == (200, BODY, "")
    assert first.connection != again.connection


@pytest.mark.parametrize(
    ("plan", "asked"),
    [
        ([[b""], [WELL]], 1),  # a fresh connection
        ([[WELL, b"HTTP/1.1 2"], [WELL]], 2),  # a byte came
        ([[WELL, HANG], [WELL]], 2),  # silence: what is concluded from it hangs on time
        ([[WELL, b""], [b""], [WELL]], 3),  # and the fresh one too: once, not until it works
    ],
)
def test_nothing_else_is_asked_again(
    serve: Serve, sender: Sender, notebook: Notebook, plan: Plan, asked: int
) -> None:
    url = serve(plan)

    def twice() -> None:
        for _ in range(2):
            sender.send("GET", url, deadline=Deadline(1, 0.5))

    with pytest.raises(NoAnswer):
        twice()
    assert len(notebook.exchanges) == asked


def test_the_budget_counts_both(serve: Serve, notebook: Notebook, tmp_path: Path) -> None:
    policy = Policy(effects=(Effect.READ,), requests=3, tokens=10, seconds=60)
    budget = Budget(tmp_path / "budget.json", policy, time.time())
    url = serve([[WELL, b""], [WELL]])
    sender = Sender(notebook, budget, Deadline(1, 5))
    try:
        for _ in range(2):
            sender.send("GET", url)
    finally:
        sender.close()
    assert budget.spent.requests == len(notebook.exchanges) == 3


def test_the_official_client_is_not_told_of_it(serve: Serve, notebook: Notebook, tmp_path: Path) -> None:
    declared = environment(gateway={"url": serve([[WELL, b""], [WELL]]), "key_variable": "K"})
    with sdk_client(
        declared, "sk-a", notebook, Budget(tmp_path / "b", declared.policy, time.time())
    ) as client:
        for _ in range(2):
            assert client.models.list().data == []
    assert [one.dropped for one in notebook.exchanges] == [False, True, False]


def test_nor_is_its_asynchronous_sibling(serve: Serve, notebook: Notebook, tmp_path: Path) -> None:
    declared = environment(gateway={"url": serve([[WELL, b""], [WELL]]), "key_variable": "K"})

    async def twice() -> None:
        budget = Budget(tmp_path / "b", declared.policy, time.time())
        async with async_sdk_client(declared, "sk-a", notebook, budget) as client:
            for _ in range(2):
                assert (await client.models.list()).data == []

    asyncio.run(twice())
    assert [one.dropped for one in notebook.exchanges] == [False, True, False]
