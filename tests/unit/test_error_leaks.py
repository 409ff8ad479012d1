"""What counts as a leak in an error, and what does not."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.wire.exchange import Exchange
from suites.api.errors.leaks import Leak, LeakKind, leaks_in, leaks_of_answer

KEY = "sk-3f9c0d1e2b4a5968778695a4b3c2d1e0"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def environment() -> Environment:
    """Gateway on 192.0.2.39; backends on .28, .29 and .31."""
    hosts = {"GATEWAY_URL": 39, "LLM_01_URL": 29, "LLM_02_URL": 28, "ORC_URL": 31}
    ports = {"GATEWAY_URL": 4000}
    addresses = {
        f"HX_STAGING_{name}": f"http://192.0.2.{host}:{ports.get(name, 11434)}"
        for name, host in hosts.items()
    }
    return load_environment("staging", ROOT, addresses)


def kinds(text: str, environment: Environment) -> set[LeakKind]:
    return {leak.kind for leak in leaks_in(text, environment, KEY)}


@pytest.mark.parametrize(
    "text",
    [
        "boom\\nTraceback (most recent call last):\\n  ...",
        '{"message": "File \\"main.py\\", line 533, in acompletion"}',
        'File "main.py", line 533',
        "TypeError: x is undefined\n    at handle (server.js:10:5)",
        "TypeError\\n    at Object.<anonymous> (server.js:10:5)",
        "java.lang.Error\n\tat com.example.Api.chat(Api.java:42)",
        "panic: boom\n\ngoroutine 1 [running]:",
        "thread 'main' panicked at 'boom', src",
    ],
)
def test_traces(text: str, environment: Environment) -> None:
    assert kinds(text, environment) == {LeakKind.TRACE}


@pytest.mark.parametrize(
    "text",
    [
        "no such file: /opt/litellm/config.yaml",
        "cannot read '/etc/hx/secret'",
        "in /home/hx-gateway/.venv/bin/litellm",
        "in site-packages/litellm/main.py",
        "at (/app/src/handler.js)",
        'x=\\"/data/gateway/router.py\\"',
        r"in C:\\Users\\hx\\gateway.txt",
    ],
)
def test_paths(text: str, environment: Environment) -> None:
    assert kinds(text, environment) == {LeakKind.PATH}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("for url 'http://192.0.2.31:11434/api/embed'", "192.0.2.31"),
        ("backend 192.0.2.28 is down", "192.0.2.28"),
        ("cannot reach 10.1.2.3:8000.", "10.1.2.3:8000"),
        ("cannot reach 127.0.0.1", "127.0.0.1"),
        ("connect to localhost:11434 failed", "localhost:11434"),
        ("x-upstream: http://172.16.4.4", "172.16.4.4"),
    ],
)
def test_addresses(text: str, seen: str, environment: Environment) -> None:
    assert Leak(LeakKind.ADDRESS, seen) in leaks_in(text, environment, KEY)
    assert kinds(text, environment) == {LeakKind.ADDRESS}


def named(environment: Environment, url: str) -> Environment:
    backend = environment.backends[0].model_copy(update={"url": url})
    return environment.model_copy(update={"backends": (backend,)})


def test_host_names(environment: Environment) -> None:
    dotted = named(environment, "http://llm.internal.example:11434")
    assert kinds("no route to llm.internal.example", dotted) == {LeakKind.ADDRESS}
    assert not kinds("no route to llm.internal.example.org", dotted)


def test_a_host_that_is_a_word_counts_only_as_address(environment: Environment) -> None:
    word = named(environment, "http://ollama:11434")
    assert not kinds("OllamaException: ollama refused it", word)
    assert kinds("cannot reach ollama:11434", word) == {LeakKind.ADDRESS}
    assert kinds("for url http://ollama/api/chat", word) == {LeakKind.ADDRESS}


@pytest.mark.parametrize(
    "text",
    [
        f"key {KEY} is unknown",
        f"token {hashlib.sha256(KEY.encode()).hexdigest()}",
        f"token {base64.b64encode(KEY.encode()).decode()}",
        f"key {KEY[:14]}... is unknown",
        f"key ...{KEY[-12:]} is unknown",
    ],
)
def test_keys(text: str, environment: Environment) -> None:
    found = leaks_in(text, environment, KEY)
    assert [leak.kind for leak in found] == [LeakKind.KEY]
    assert KEY[:12] not in found[0].seen


@pytest.mark.parametrize(
    "text",
    [
        "",
        "messages: field required",
        "Call `/v1/models` to view available models for your key.",
        "/chat/completions: Missing required parameter: 'messages'.",
        "see https://docs.litellm.ai/docs/providers and https://example.org/usr/share/x.py",
        "called http://192.0.2.39:4000/v1/chat/completions",
        "version 1.106.2 of 8.8.8.8",
        f"key sk-...{KEY[-4:]} is unknown",
        "date: Mon, 22 Nov 2026 10:11:12 GMT",
        "and/or, 3/4, application/json",
        "line 1 column 35 (char 34)",
        "look at it (again: 5)",
    ],
)
def test_harmless(text: str, environment: Environment) -> None:
    assert leaks_in(text, environment, KEY) == []


def test_who_served_is_named_by_the_header_that_is_declared_for_it(environment: Environment) -> None:
    """The Shepherd Model Gateway names the worker in errors as well."""
    headers = (("X-SMG-Routed-Worker-Id", "http://192.0.2.29:11434"), ("via", "192.0.2.28"))
    refusal = Exchange("POST", "u", (), b"", status=501, headers=headers)
    gateway = environment.gateway.model_copy(update={"served_by_header": "x-smg-routed-worker-id"})
    declared = environment.model_copy(update={"gateway": gateway})
    assert [leak.seen for leak in leaks_of_answer(refusal, declared, KEY)] == ["192.0.2.28"]
    assert Leak(LeakKind.ADDRESS, "192.0.2.29") in leaks_of_answer(refusal, environment, KEY)


def test_the_same_leak_is_told_once(environment: Environment) -> None:
    assert len(leaks_in("10.0.0.1 and 10.0.0.1", environment, KEY)) == 1
