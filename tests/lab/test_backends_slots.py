"""Slots and pace of the backends: what a client sees of them in /api/ps, and in the time that tokens take."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest

from lab.backends import Listener
from lab.backends.replies import SLOW_TOKEN_S, pace
from lab.backends.requests import Message
from tests.lab.test_backends_client import chat, fetch, make_backend, serve

MODEL = "llama3.2:3b"


async def expiry(listener: Listener) -> str:
    entries = (await fetch(f"{listener.url}/api/ps", "GET")).json["models"]
    return str(next(entry["expires_at"] for entry in entries if entry["name"] == MODEL))


async def asked(listener: Listener, content: str) -> None:
    await fetch(f"{listener.url}/api/chat", "POST", chat(content))


def marks(listener: Listener) -> Any:
    """The expiry before a long stream, during it after a short answer, and after it was left and another."""

    async def talk() -> list[str]:
        await asked(listener, "hello")
        found = [await expiry(listener)]
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{listener.url}/api/chat",
                data=json.dumps(chat("Speak slowly. Count from 1 to 1000", stream=True)),
            ) as response,
        ):
            await response.content.readline()
            await asked(listener, "hello")
            found.append(await expiry(listener))
            response.close()
            await asyncio.sleep(0.2)
        await asked(listener, "hello")
        return [*found, await expiry(listener)]

    return talk()


def test_a_model_in_use_keeps_its_expiry_until_its_last_request_ends() -> None:
    before, during, after = serve(make_backend(), marks)
    assert before == during < after


def test_a_backend_that_runs_on_keeps_the_slot_of_a_client_that_left() -> None:
    before, during, after = serve(make_backend(), marks, "runs-on")
    assert before == during == after


@pytest.mark.parametrize(
    ("contents", "delay_s"),
    [
        (["Speak slowly. Count from 1 to 3"], SLOW_TOKEN_S),
        (["count", "speak  slowly"], 0.0),
        (["Speak slowly", "Count from 1 to 3"], 0.0),
        ([], 0.0),
    ],
)
def test_slow_speech_is_asked_for_by_the_last_user_message(contents: list[str], delay_s: float) -> None:
    assert pace([Message("user", content) for content in contents]) == delay_s


@pytest.mark.parametrize("stream", [True, False])
def test_slow_speech_takes_its_time(stream: bool) -> None:
    async def talk(listener: Listener) -> float:
        began = time.monotonic()
        body = chat("Speak slowly. Count from 1 to 10", stream=stream)
        await fetch(f"{listener.url}/api/chat", "POST", body)
        return time.monotonic() - began

    assert serve(make_backend(), talk) >= 10 * SLOW_TOKEN_S
