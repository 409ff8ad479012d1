"""Before a server that leaves the bodies of refused requests unread: each is on the connection, and would be
the beginning of what is asked next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from gateway_acceptance.policy import Budget
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.sdk import async_sdk_client, sdk_client
from gateway_acceptance.wire.sender import Deadline, Sender
from tests.unit.declared import environment
from tests.unit.test_leftovers import serving

BODY = b'{"model": "none"}'
JSON = [("content-type", "application/json")]


@pytest.fixture
def url() -> Iterator[str]:
    with serving(reads=False) as at:
        yield at


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


def statuses(sender: Sender, url: str, *methods: str) -> list[int | None]:
    try:
        asked = [sender.send(one, url, headers=JSON, body=BODY if one == "POST" else b"") for one in methods]
    finally:
        sender.close()
    return [one.status for one in asked]


def test_what_is_asked_next_goes_on_another_connection(url: str, notebook: Notebook) -> None:
    sender = Sender(notebook, None, Deadline(1, 5))
    assert statuses(sender, url, "GET", "GET", "POST", "POST", "GET", "GET") == [200, 200, 401, 401, 200, 200]
    first, *others = (one.connection for one in notebook.exchanges)
    assert [one - first for one in others] == [0, 0, 1, 2, 2], "one more behind each refusal, and no other"


def test_a_check_of_connections_uses_it_again(url: str, notebook: Notebook) -> None:
    sender = Sender(notebook, None, Deadline(1, 5)).another(behind_refusals=True)
    assert statuses(sender, url, "POST", "GET") == [401, 400]
    assert len({one.connection for one in notebook.exchanges}) == 1


def test_the_official_client_as_well(url: str, notebook: Notebook, tmp_path: Path) -> None:
    declared = environment(gateway={"url": url, "key_variable": "K"})
    budget = Budget(tmp_path / "b", declared.policy, time.time())
    with sdk_client(declared, "sk-a", notebook, budget) as client:
        for _ in range(3):
            with pytest.raises(openai.AuthenticationError):
                client.chat.completions.create(model="none", messages=[])
    assert [one.status for one in notebook.exchanges] == [401, 401, 401]


def test_its_asynchronous_sibling_as_well(url: str, notebook: Notebook, tmp_path: Path) -> None:
    declared = environment(gateway={"url": url, "key_variable": "K"})
    budget = Budget(tmp_path / "b", declared.policy, time.time())

    async def thrice() -> None:
        async with async_sdk_client(declared, "sk-a", notebook, budget) as client:
            for _ in range(3):
                with pytest.raises(openai.AuthenticationError):
                    await client.chat.completions.create(model="none", messages=[])

    asyncio.run(thrice())
    assert [one.status for one in notebook.exchanges] == [401, 401, 401]


def test_what_is_shown_last_stands_there_once(url: str, notebook: Notebook) -> None:
    """What a sender hands back is another object than what it has noted."""
    sender = Sender(notebook, None, Deadline(1, 5))
    try:
        first = sender.send("GET", url)
        sender.send("GET", url)
    finally:
        sender.close()
    notebook.show(first)
    assert len(notebook.exchanges) == 2
    assert notebook.exchanges[-1] == first
