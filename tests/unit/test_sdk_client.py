"""The official SDK as the suite makes it: what it notes, what it spends, and what it lets through."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.model import Backend as DeclaredBackend
from gateway_acceptance.environment.model import (
    Environment,
    EnvironmentKind,
    Gateway,
    Model,
    ModelKind,
    Policy,
)
from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import CheckFailed, NotPermitted
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.sdk import async_sdk_client, sdk_client
from suites.api.sdk.probes import as_shipped, reading, sdk_text

VECTOR = [0.5, -0.25, 0.125]


class Answers(BaseHTTPRequestHandler):
    """Embeddings in base64, whatever is asked."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        packed = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
        entry = {"object": "embedding", "index": 0, "embedding": packed}
        usage = {"prompt_tokens": 2, "total_tokens": 2}
        body = json.dumps({"object": "list", "model": "m", "data": [entry], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


def declared(url: str, requests: int = 10) -> Environment:
    return Environment(
        name="unit",
        kind=EnvironmentKind.STAGING,
        gateway=Gateway(url=url, key_variable="KEY"),
        backends=(DeclaredBackend(name="orc", url="http://127.0.0.1:1"),),
        models=(
            Model(alias="m", backend="orc", upstream="m", kind=ModelKind.EMBEDDING, dimensions=len(VECTOR)),
        ),
        policy=Policy(effects=(Effect.READ, Effect.SPEND), requests=requests, tokens=10_000, seconds=60),
    )


def test_strict_validation_refuses_base64_and_the_shipped_client_decodes_it(url: str, tmp_path: Path) -> None:
    """Why the checks of embeddings take the client as it is shipped; an upgrade may make that needless."""
    environment, notebook = declared(url), Notebook()
    budget = Budget(tmp_path / "budget", environment.policy, time.time())
    with sdk_client(environment, "key", notebook, budget) as client:
        with pytest.raises(openai.APIResponseValidationError):
            client.embeddings.create(model="m", input="a")
        assert as_shipped(client).embeddings.create(model="m", input="a").data[0].embedding == VECTOR
        assert as_shipped(client).max_retries == 0
    assert [exchange.status for exchange in notebook.exchanges] == [200, 200]
    assert budget.spent.tokens > 4, "less is told than was reserved, which frees nothing"


def test_the_nonce_is_the_user_of_prompts(url: str, tmp_path: Path) -> None:
    """Of both clients, where nobody names another one; the gateway reads what is noted."""
    environment, notebook = declared(url), Notebook(nonce="ada-2026-11")
    budget = Budget(tmp_path / "budget", environment.policy, time.time())
    with sdk_client(environment, "key", notebook, budget) as client:
        as_shipped(client).embeddings.create(model="m", input="a")
        as_shipped(client).embeddings.create(model="m", input="a", user="mine")
        with contextlib.suppress(openai.APIError):
            client.models.list()

    async def ask() -> None:
        async with async_sdk_client(environment, "key", notebook, budget) as client:
            await as_shipped(client).embeddings.create(model="m", input="ä")

    asyncio.run(ask())
    bodies = [json.loads(one.request_body) for one in notebook.exchanges if one.method == "POST"]
    assert [body["user"] for body in bodies] == ["ada-2026-11", "mine", "ada-2026-11"]
    assert [body["input"] for body in bodies] == ["a", "a", "ä"]
    assert [one.status for one in notebook.exchanges if one.method == "POST"] == [200, 200, 200]


def test_the_asynchronous_client_notes_too(url: str, tmp_path: Path) -> None:
    environment, notebook = declared(url), Notebook()
    budget = Budget(tmp_path / "budget", environment.policy, time.time())

    async def ask() -> None:
        async with async_sdk_client(environment, "key", notebook, budget) as client:
            response = await as_shipped(client).embeddings.create(model="m", input="a")
            assert response.data[0].embedding == VECTOR

    asyncio.run(ask())
    (exchange,) = notebook.exchanges
    assert exchange.status == 200
    assert json.loads(exchange.request_body)["encoding_format"] == "base64"
    assert exchange.json()["model"] == "m"
    assert budget.spent.tokens > 2


def test_the_budget_is_no_connection_error(url: str, tmp_path: Path) -> None:
    """The SDK wraps what goes wrong while it sends; a spent budget must stay what it is."""
    environment, notebook = declared(url, requests=1), Notebook()
    budget = Budget(tmp_path / "budget", environment.policy, time.time())
    with as_shipped(sdk_client(environment, "key", notebook, budget)) as client:
        client.embeddings.create(model="m", input="a")
        with pytest.raises(NotPermitted, match="the budget of 1 requests is used up"):
            client.embeddings.create(model="m", input="a")
    assert len(notebook.exchanges) == 1


def test_silence_is_noted(tmp_path: Path) -> None:
    environment, notebook = declared("http://127.0.0.1:9"), Notebook()
    budget = Budget(tmp_path / "budget", environment.policy, time.time())
    with sdk_client(environment, "key", notebook, budget) as client, pytest.raises(openai.APIConnectionError):
        client.models.list()
    assert notebook.exchanges[0].status is None
    assert notebook.exchanges[0].error


@pytest.mark.parametrize(
    "error",
    [ValueError("bad length"), httpx2.ReadError("reset"), KeyError("index"), AssertionError("choice")],
)
def test_what_the_sdk_stumbles_over_is_a_failure(error: Exception) -> None:
    with (
        pytest.raises(CheckFailed, match=f"could not read the stream: {type(error).__name__}"),
        reading("the stream"),
    ):
        raise error


@pytest.mark.parametrize("error", [CheckFailed("seen"), NotPermitted("budget"), openai.OpenAIError("status")])
def test_verdicts_pass_through(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)), reading("the stream"):
        raise error


def test_what_is_no_completion_is_a_failure_of_the_gateway() -> None:
    nothing: Any = None
    with pytest.raises(CheckFailed, match="the SDK could not read the completion: AttributeError"):
        sdk_text(nothing)
