"""The client of the backends' tests, and the tests of addresses and counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from lab.backends import SCENARIOS, BackendServer, Listener, ModelSpec, listen
from lab.patience import patient

BUDGET_S = patient(5)  # for anything here; all of it is loopback


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]


def make_backend(**options: Any) -> BackendServer:
    models = {
        "llama3.2:3b": ModelSpec("chat"),
        "phi3": ModelSpec("chat", family="phi3", parameter_size="3.8B", capabilities=("completion",)),
        "all-minilm": ModelSpec(
            "embedding", dimensions=384, family="bert", parameter_size="23M", context_length=512
        ),
    }
    return BackendServer("llm-01", models, **options)


def serve(
    backend: BackendServer, talk: Callable[[Listener], Awaitable[Any]], scenario: str | None = None
) -> Any:
    """Let the backend listen, talk to it, close it."""

    async def run() -> Any:
        async with asyncio.timeout(BUDGET_S), await listen(backend, "127.0.0.1", 0, scenario) as listener:
            return await talk(listener)

    return asyncio.run(run())


async def fetch(
    url: str, method: str, body: object = None, headers: Mapping[str, str] | None = None
) -> Reply:
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, data=data, headers=headers) as response,
    ):
        content_type = response.headers.get("Content-Type", "")
        return Reply(response.status, content_type, await response.read(), response.headers)


def ask(
    path: str,
    body: object = None,
    *,
    method: str | None = None,
    backend: BackendServer | None = None,
    scenario: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """One request to a fresh address of the backend: POST where there is a body, GET otherwise."""
    method = method or ("GET" if body is None else "POST")
    reply = serve(
        backend or make_backend(),
        lambda listener: fetch(listener.url + path, method, body, headers),
        scenario,
    )
    assert isinstance(reply, Reply)
    return reply


def chat(content: str, **fields: Any) -> dict[str, Any]:
    """A non-streaming chat body with one user message."""
    messages = [{"role": "user", "content": content}]
    return {"model": "llama3.2:3b", "messages": messages, "stream": False, **fields}


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; the budget of ``serve`` ends it."""
    while not condition():
        await asyncio.sleep(0.005)


def test_one_backend_at_many_addresses() -> None:
    backend = make_backend()

    async def run() -> tuple[Reply, Reply]:
        async with (
            asyncio.timeout(BUDGET_S),
            await listen(backend, "127.0.0.1", 0) as healthy,
            await listen(backend, "127.0.0.2", 0, "error-500") as faulty,
        ):
            body = chat("Return exactly the text: HX-OK")
            return await fetch(f"{healthy.url}/api/chat", "POST", body), await fetch(
                f"{faulty.url}/api/chat", "POST", body
            )

    good, bad = asyncio.run(run())
    assert good.json["message"]["content"] == "HX-OK"
    assert bad.status == 500
    assert backend.counts.by_key() == {
        ("/api/chat", "llama3.2:3b", ""): 1,
        ("/api/chat", "llama3.2:3b", "error-500"): 1,
    }


def test_counts_and_log() -> None:
    backend = make_backend()
    ask("/api/version", backend=backend)
    ask("/api/chat", chat("hello", model="PHI3"), backend=backend)
    ask("/api/chat", chat("hello", model="phi3:latest"), backend=backend)
    assert backend.counts.total() == 3
    assert backend.counts.total("/api/chat", "phi3:latest", "") == 2
    assert backend.counts.total(scenario="error-500") == 0
    log = [(served.index, served.endpoint) for served in backend.counts.recent(after=1)]
    assert log == [(2, "/api/chat"), (3, "/api/chat")]
    snapshot = json.loads(json.dumps(backend.counts.snapshot()))
    assert snapshot["last_index"] == 3
    assert {"endpoint": "/api/version", "model": "", "scenario": "", "count": 1} in snapshot["requests"]


def test_the_header_chooses_only_where_the_address_does_not() -> None:
    header = {"x-lab-scenario": "error-500"}
    assert ask("/api/chat", chat("hello"), headers=header).status == 500
    own = ask("/api/chat", chat("Return exactly the text: A"), headers=header, scenario="echo-disobeyed")
    assert own.json["message"]["content"] == "Sure! Here it is: A Anything else?"


def test_an_unknown_scenario_is_refused() -> None:
    reply = ask("/api/version", headers={"x-lab-scenario": "nope"})
    assert (reply.status, reply.json["error"][:23]) == (400, "unknown scenario 'nope'")
    with pytest.raises(ValueError, match="unknown scenario 'nope'"):
        ask("/api/version", scenario="nope")


def test_the_callable_chooses_for_embeddings_only() -> None:
    backend = make_backend(embed_scenario=lambda: "error-500")
    body = {"model": "all-minilm", "input": "a"}
    assert ask("/api/embed", body, backend=backend).status == 500
    assert ask("/api/chat", chat("hello"), backend=backend).status == 200
    header = {"x-lab-scenario": "embedding-dimensions"}
    assert len(ask("/api/embed", body, backend=backend, headers=header).json["embeddings"][0]) == 383
    assert ask("/api/embed", body, backend=backend, scenario="error-503").status == 503
    directly = {"User-Agent": "gateway-acceptance/1"}
    assert ask("/api/embed", body, backend=backend, headers=directly).status == 200, "another's is under way"


def test_only_loopback_addresses() -> None:
    async def run() -> None:
        await listen(make_backend(), "192.0.2.1", 0)

    with pytest.raises(ValueError, match="not a loopback address"):
        asyncio.run(run())


def test_a_taken_address_is_an_error() -> None:
    async def talk(listener: Listener) -> None:
        with pytest.raises(OSError, match="address already in use"):
            await listen(make_backend(), listener.host, listener.port)

    serve(make_backend(), talk)


def test_a_client_that_leaves_frees_its_slot() -> None:
    backend = make_backend(token_delay_s=0.05)

    async def talk(listener: Listener) -> list[int]:
        body = json.dumps(chat("Count from 1 to 1000", stream=True))
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{listener.url}/api/chat", data=body) as response,
        ):
            await response.content.readline()
            busy = backend.in_flight
            response.close()
            await until(lambda: backend.in_flight == 0)
        return [busy, backend.in_flight]

    assert serve(backend, talk) == [1, 0]
    assert backend.counts.abandoned == 1


@pytest.mark.parametrize("scenario", ["black-hole", "slow-first-token"])
def test_a_client_that_leaves_a_silent_backend_frees_its_slot(scenario: str) -> None:
    backend = make_backend()

    async def talk(listener: Listener) -> bool:
        request = asyncio.create_task(fetch(f"{listener.url}/api/chat", "POST", chat("hello")))
        await until(lambda: backend.in_flight == 1)
        answered = request.done()
        request.cancel()
        await until(lambda: backend.in_flight == 0)
        return answered

    assert serve(backend, talk, scenario) is False
    assert backend.counts.abandoned == 1


def test_tokens_take_their_time() -> None:
    async def talk(listener: Listener) -> float:
        started = asyncio.get_running_loop().time()
        await fetch(f"{listener.url}/api/chat", "POST", chat("Return exactly the text: one two three"))
        return asyncio.get_running_loop().time() - started

    assert serve(make_backend(token_delay_s=0.02), talk) >= 0.06


def test_every_scenario_says_what_it_is() -> None:
    assert all(scenario.description and scenario.name == name for name, scenario in SCENARIOS.items())


def test_the_count_by_mark() -> None:
    """Requests to models alone, by model and by what they say; asking is not counted."""
    backend = make_backend()
    ask("/api/tags", backend=backend)
    ask("/api/chat", chat("hello mark-1", model="PHI3"), backend=backend)
    ask("/api/embed", {"model": "all-minilm", "input": "mark-1"}, backend=backend)
    ask("/v1/chat/completions", chat("mark-2", model="phi3"), backend=backend)
    assert ask("/lab/counts?mark=mark-1", backend=backend).json == {
        "models": {"phi3:latest": 1, "all-minilm:latest": 1}
    }
    assert ask("/lab/counts", backend=backend).json == {"models": {"phi3:latest": 2, "all-minilm:latest": 1}}
    assert ask("/lab/counts", backend=backend, scenario="count-stands-still").json == {"models": {}}
    assert backend.counts.total() == 4
