"""Every client against every ill target: it ends, it says why, and it keeps little."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import openai
import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.model import Environment, Policy
from gateway_acceptance.plugin.outcome import outcome_of
from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import NoAnswer, Verdict
from gateway_acceptance.wire.deadline import Deadline
from gateway_acceptance.wire.exchange import Exchange, Notebook
from gateway_acceptance.wire.ledger import KEPT_OF_TOO_MUCH, LARGEST_BODY, MOST_PIECES
from gateway_acceptance.wire.sdk import async_sdk_client, sdk_client
from gateway_acceptance.wire.sender import Sender
from tests.ill_targets import ill
from tests.unit.declared import environment

SHORT = Deadline(10, 0.5)
LONG = Deadline(10, 20)
LATE = "within 0.5 s"
TOO_LARGE = "larger than"
NO_END = "no end|too large|not HTTP"

RAW = {
    "silent": (SHORT, LATE),
    "dripped_head": (SHORT, LATE),
    "dripped_continue": (SHORT, LATE),
    "endless_continue": (LONG, NO_END),
    "endless_header": (LONG, NO_END),
    "dripped_body": (SHORT, LATE),
    "dripped_stream": (SHORT, LATE),
    "endless_body": (LONG, TOO_LARGE),
    "tiny_chunks": (SHORT, LATE),
    "gigabyte": (LONG, TOO_LARGE),
    "not_http": (LONG, "not HTTP"),
    "closing": (LONG, "broke"),
}


@pytest.mark.parametrize("name", RAW)
def test_a_raw_exchange_ends_and_says_why(name: str) -> None:
    limit, words = RAW[name]
    notebook = Notebook()
    with ill(name) as target:
        sender = Sender(notebook, None, limit)
        with pytest.raises(NoAnswer, match=words):
            sender.send("GET", target.url)
        sender.close()
    (noted,) = notebook.exchanges
    assert noted.error
    assert len(noted.body) <= LARGEST_BODY
    assert len(noted.chunks) <= 2 * MOST_PIECES
    if words == TOO_LARGE:
        assert len(noted.body) <= KEPT_OF_TOO_MUCH


SDK = {
    **{name: found for name, found in RAW.items() if name not in ("not_http", "closing")},
    "gzip_bomb": (LONG, TOO_LARGE),
    "gzip_tail": (LONG, TOO_LARGE),
    "broken_gzip": (LONG, "content-encoding"),
    "unasked_encoding": (LONG, "was not asked for"),
}


def test_the_sdk_ends_too(tmp_path: Path) -> None:
    for name, (limit, words) in SDK.items():
        exchange, error = asked_by_sdk(name, limit, tmp_path, lambda sdk: sdk.models.list())
        assert isinstance(error, openai.APIConnectionError), f"{name}: {error!r}"
        assert_matches(words, exchange.error, name)
        assert len(exchange.body) <= LARGEST_BODY


def test_a_stream_of_the_sdk_ends_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_acceptance.wire.ledger.LARGEST_BODY", 1 << 20)

    def drain(sdk: openai.OpenAI) -> object:
        return list(sdk.chat.completions.create(model="m", messages=[], stream=True))

    for name, limit, words in (
        ("dripped_stream", SHORT, LATE),
        ("endless_stream", LONG, TOO_LARGE),
    ):
        exchange, error = asked_by_sdk(name, limit, tmp_path, drain)
        assert isinstance(error, httpx2.TransportError | openai.OpenAIError), f"{name}: {error!r}"
        assert_matches(words, exchange.error, name)


@pytest.fixture(scope="module")
def asked_before(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The asynchronous SDK is imported whole, by its first answer: no limit below is used up by that."""

    async def ask(declared: Environment) -> None:
        budget = unbounded(tmp_path_factory.mktemp("first"))
        async with async_sdk_client(declared, "key", Notebook(), budget) as sdk:
            with pytest.raises(openai.AuthenticationError):
                await sdk.models.list()

    with ill("wrong_key") as target:
        asyncio.run(ask(limited(target.url, LONG)))


@pytest.mark.usefixtures("asked_before")
@pytest.mark.parametrize("name", ["silent", "dripped_head", "dripped_body", "endless_body", "gzip_bomb"])
def test_the_asynchronous_sdk_ends_too(name: str, tmp_path: Path) -> None:
    limit, words = SDK[name]
    notebook = Notebook()

    async def ask(declared: Environment) -> None:
        async with async_sdk_client(declared, "key", notebook, unbounded(tmp_path)) as sdk:
            with pytest.raises(openai.APIConnectionError):
                await sdk.models.list()

    with ill(name) as target:
        asyncio.run(ask(limited(target.url, limit)))
    (noted,) = notebook.exchanges
    assert_matches(words, noted.error, name)


def test_who_calls_is_told(tmp_path: Path) -> None:
    with ill("wrong_key") as target:
        notebook = Notebook(agent="run r1; check API-X-001")
        sender = Sender(notebook, None, LONG)
        sender.send("GET", target.url)
        sender.send("GET", target.url, headers=[("User-Agent", "mine/1")])
        sender.close()
        with (
            sdk_client(limited(target.url, LONG), "key", notebook, unbounded(tmp_path)) as sdk,
            pytest.raises(openai.AuthenticationError),
        ):
            sdk.models.list()
    raw, own, sdk_head = (head.decode().lower() for head in target.seen)
    assert "user-agent: gateway-acceptance/" in raw
    assert "(run r1; check api-x-001)" in raw
    assert "user-agent: mine/1" in own
    assert "gateway-acceptance" not in own
    assert "(run r1; check api-x-001) openai/python" in sdk_head


def asked_by_sdk(
    name: str, limit: Deadline, folder: Path, ask: Callable[[openai.OpenAI], object]
) -> tuple[Exchange, BaseException | None]:
    notebook = Notebook()
    error: BaseException | None = None
    with ill(name) as target:
        declared = limited(target.url, limit)
        with sdk_client(declared, "key", notebook, unbounded(folder)) as sdk:
            try:
                ask(sdk)
            except Exception as raised:  # noqa: BLE001  (which one is what the test looks at)
                error = raised
    (noted,) = notebook.exchanges
    return noted, error


def limited(url: str, limit: Deadline) -> Environment:
    gateway = {
        "url": url,
        "key_variable": "K",
        "connect_deadline_s": limit.connect_s,
        "request_deadline_s": limit.total_s,
    }
    return environment(gateway=gateway)


def unbounded(folder: Path) -> Budget:
    policy = Policy(effects=(Effect.READ, Effect.SPEND), requests=1000, tokens=10**6, seconds=600)
    return Budget(folder / "budget", policy, time.time())


def assert_matches(words: str, text: str, name: str) -> None:
    assert any(word in text for word in words.split("|")), f"{name}: {text!r}"


UNREADABLE = (
    *("deep_json", "deep_object", "invalid_utf8", "not_json", "huge_number", "gzip_bomb", "not_http"),
    "gigabyte",  # of blanks
)


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_the_sdk_cannot_read_is_the_targets(name: str, tmp_path: Path) -> None:
    _, error = asked_by_sdk(name, LONG, tmp_path, lambda sdk: sdk.models.list())
    assert error is not None
    assert outcome_of(error, "call").verdict is Verdict.FAILED, repr(error)


def test_what_we_call_wrongly_is_ours(tmp_path: Path) -> None:
    def ask(sdk: openai.OpenAI) -> object:
        return sdk.chat.completions.create()  # type: ignore[call-overload]

    with (
        ill("not_json") as target,
        sdk_client(limited(target.url, LONG), "key", Notebook(), unbounded(tmp_path)) as sdk,
        pytest.raises(TypeError) as raised,
    ):
        ask(sdk)
    assert outcome_of(raised.value, "call").verdict is Verdict.HARNESS_ERROR
