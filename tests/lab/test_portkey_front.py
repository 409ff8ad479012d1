"""The front before Portkey: what it answers itself, what it sends on, and that it repairs nothing."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from lab.patience import patient
from lab.portkey.front import Front
from tests.unit.declared import environment

KEY = "sk-front"
AUTHORISED = {"authorization": f"Bearer {KEY}"}
CHAT = "/v1/chat/completions"
BUDGET_S = patient(5)


@dataclass
class Upstream:
    """Stands for Portkey: notes what it is sent, and answers what it is told to."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"said":  "as it is"}'
    breaks: bool = False
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append((request.method, request.raw_path, headers, await request.read()))
        response = web.StreamResponse(status=self.status, headers=self.headers)
        await response.prepare(request)
        await response.write(self.body)
        if self.breaks and request.transport is not None:
            request.transport.abort()
        return response

    @property
    def config(self) -> Any:
        """The config of the one request that came."""
        ((_, _, headers, _),) = self.seen
        return json.loads(headers["x-portkey-config"])


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> Any:
        """The error of the envelope."""
        return json.loads(self.body)["error"]


Ask = Callable[..., Awaitable[Reply]]


def fronted(upstream: Upstream, talk: Callable[[Ask], Awaitable[None]], *, away: bool = False) -> None:
    """Run a conversation with a front before this upstream (or before none, where it is away)."""

    async def whole() -> None:
        runner = web.AppRunner(_app(upstream), access_log=None)
        await runner.setup()
        port = _free_port()
        if not away:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        own = f"http://127.0.0.1:{_free_port()}"
        front = Front(environment(gateway={"url": own, "key_variable": "K"}), KEY, f"http://127.0.0.1:{port}")
        await front.start()
        try:
            async with aiohttp.ClientSession(auto_decompress=False) as session:

                async def ask(method: str, path: str, **options: Any) -> Reply:
                    options = {"headers": AUTHORISED, **options}
                    async with session.request(method, URL(own + path, encoded=True), **options) as answer:
                        headers = {name.lower(): value for name, value in answer.headers.items()}
                        return Reply(answer.status, headers, await answer.read())

                await talk(ask)
        finally:
            await front.close()
            await runner.cleanup()

    asyncio.run(asyncio.wait_for(whole(), BUDGET_S))


def _app(upstream: Upstream) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", upstream.handle)
    return app


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer sk-other"},
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"x-api-key": KEY},
    ],
)
def test_without_the_right_key_nothing_goes_on(headers: dict[str, str]) -> None:
    upstream = Upstream()

    async def talk(ask: Ask) -> None:
        for path in ("/v1/models", CHAT, "/public", "//"):
            answer = await ask("GET", path, headers=headers)
            assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")

    fronted(upstream, talk)
    assert not upstream.seen


def test_the_sign_of_life_needs_no_key() -> None:
    upstream = Upstream(body=b"hey")

    async def talk(ask: Ask) -> None:
        assert (await ask("GET", "/", headers={})).body == b"hey"

    fronted(upstream, talk)


def test_the_models_are_the_environments() -> None:
    upstream = Upstream()

    async def talk(ask: Ask) -> None:
        listed = json.loads((await ask("GET", "/v1/models")).body)
        assert [model["id"] for model in listed["data"]] == ["chat-one", "emb", "both"]
        assert json.loads((await ask("GET", "/v1/models/both")).body) == listed["data"][2]
        unknown = await ask("GET", "/v1/models/nobody")
        assert (unknown.status, unknown.error["code"]) == (404, "model_not_found")
        wrong = await ask("POST", "/v1/models")
        assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD")

    fronted(upstream, talk)
    assert not upstream.seen


@pytest.mark.parametrize(
    ("model", "status"), [("nobody", 404), (7, 400), ("", 400), (None, 400), (["chat-one"], 400)]
)
def test_a_model_that_cannot_be_resolved_is_refused(model: object, status: int) -> None:
    upstream = Upstream()

    async def talk(ask: Ask) -> None:
        answer = await ask("POST", CHAT, json={"model": model})
        assert (answer.status, answer.error["param"]) == (status, "model")

    fronted(upstream, talk)
    assert not upstream.seen


def test_a_request_goes_on_as_it_came_with_the_aliases_config() -> None:
    upstream = Upstream()
    body = b'{"model": "both",  "messages": "\\u00e9"}'
    sent = {**AUTHORISED, "content-type": "application/json", "x-portkey-custom-host": "http://127.0.0.9"}

    async def talk(ask: Ask) -> None:
        await ask("POST", f"{CHAT}?a=%2F", headers=sent, data=body)

    fronted(upstream, talk)
    ((method, path, headers, received),) = upstream.seen
    assert (method, path, received) == ("POST", f"{CHAT}?a=%2F", body)
    assert headers["content-type"] == "application/json"
    assert len(upstream.config["targets"]) == 2
    assert "authorization" not in headers
    assert "x-portkey-custom-host" not in headers


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        (CHAT, b"{", "tiny"),
        (CHAT, b"[1]", "tiny"),
        (CHAT, b"", "tiny"),
        (CHAT, b"[" * 100_000, "tiny"),
        ("/v1/embeddings", b"{", "vec"),
        ("/v1/nothing", b"{}", "tiny"),
    ],
)
def test_what_the_front_cannot_read_portkey_is_to_judge(path: str, body: bytes, model: str) -> None:
    upstream = Upstream()

    async def talk(ask: Ask) -> None:
        await ask("POST", path, data=body)

    fronted(upstream, talk)
    assert upstream.config["override_params"] == {"model": model}
    assert upstream.seen[0][3] == body


@pytest.mark.parametrize("status", [200, 404, 500])
def test_an_answer_comes_back_as_it_is(status: int) -> None:
    upstream = Upstream(status=status, headers={"content-type": "text/odd", "x-own": "1"})

    async def talk(ask: Ask) -> None:
        answer = await ask("POST", CHAT, json={"model": "chat-one"})
        assert (answer.status, answer.body) == (status, upstream.body)
        assert answer.headers["content-type"] == "text/odd"
        assert answer.headers["x-own"] == "1"
        assert "x-served-by" not in answer.headers

    fronted(upstream, talk)


@pytest.mark.parametrize(
    ("alias", "told", "status", "named"),
    [
        ("both", "config.targets[1]", 200, "http://127.0.0.2:11434"),
        ("both", "config.targets[0]", 200, "http://127.0.0.1:11434"),
        ("emb", "config", 200, "http://127.0.0.2:11434"),
        ("both", "config.targets[1]", 400, None),
    ],
)
def test_who_served_is_what_portkey_tells(alias: str, told: str, status: int, named: str | None) -> None:
    upstream = Upstream(status=status, headers={"x-portkey-last-used-option-index": told})

    async def talk(ask: Ask) -> None:
        answer = await ask("POST", CHAT, json={"model": alias})
        assert answer.headers.get("x-served-by") == named

    fronted(upstream, talk)


def test_a_portkey_that_is_away_is_503() -> None:
    async def talk(ask: Ask) -> None:
        answer = await ask("POST", CHAT, json={"model": "chat-one"})
        assert (answer.status, answer.error["type"]) == (503, "server_error")

    fronted(Upstream(), talk, away=True)


def test_an_answer_that_breaks_off_breaks_off_here_too() -> None:
    async def talk(ask: Ask) -> None:
        with pytest.raises(aiohttp.ClientError):
            await ask("POST", CHAT, json={"model": "chat-one"})

    fronted(Upstream(breaks=True), talk)
