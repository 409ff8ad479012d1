"""A look at the gateway while an answer is waited for: it needs no place among those asked at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin import connection
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire import breaker
from gateway_acceptance.wire.exchange import Exchange, Notebook
from tests.json_server import Answer, Asked, serving_json

KEY = "sk-" + "m" * 20
MODELS = {"object": "list", "data": [{"id": "chatty", "object": "model"}]}
LOOKED, DONE = "/v1/models", {"id": "1", "choices": []}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "POLL_S", 0.05)
    monkeypatch.setattr(breaker, "PATIENCE_S", 0.05)
    monkeypatch.setattr(breaker, "AGAIN_S", 0.0)


class Busy:
    """Answers chat when somebody has asked for its models meanwhile. listed: what it says to that one."""

    def __init__(self, *listed: int) -> None:
        self.listed, self.looks = listed, 0
        self._looked = threading.Event()

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == LOOKED:
            self.looks += 1
            self._looked.set()
            status = self.listed[min(self.looks, len(self.listed)) - 1]
            return status, MODELS if status == 200 else {"error": {"message": "too many"}}, {}
        return (200, DONE, {}) if self._looked.wait(20) else (500, {}, {})


@contextmanager
def asked_of(busy: Busy, folder: Path) -> Iterator[Target]:
    """One question may be asked at once."""
    with serving_json(busy) as url:
        document = {
            "name": "mine",
            "kind": "staging",
            "gateway": {"url": url, "key_variable": "K", "request_deadline_s": 15},
            "models": [{"alias": "chatty", "kind": "chat"}],
            "policy": {
                "effects": ["read", "spend"],
                "requests": 50,
                "tokens": 9000,
                "seconds": 60,
                "concurrency": 1,
            },
        }
        declared = Environment.model_validate_json(json.dumps(document))
        target = Target(declared, KEY, folder, time.time(), Notebook())
        try:
            yield target
        finally:
            target.close()


@pytest.mark.parametrize("listed", [200, 429])
def test_who_waits_does_not_wait_for_its_own_place(tmp_path: Path, listed: int) -> None:
    """A refusal of one request more than is allowed at once is an answer: it lives."""
    busy = Busy(listed)
    with asked_of(busy, tmp_path) as target:
        assert target.gateway.chat("chatty", "Say a word.").json() == DONE
    assert busy.looks


def test_the_official_client_does_not_either(tmp_path: Path) -> None:
    busy = Busy(200)
    with asked_of(busy, tmp_path) as target:
        target.sdk.post("/chat/completions", cast_to=object, body={"model": "chatty"})
    assert busy.looks


@pytest.mark.parametrize(("retry", "looks"), [("25", 0), ("1", 1)])
def test_nobody_looks_before_the_time_that_the_gateway_named(tmp_path: Path, retry: str, looks: int) -> None:
    """Who said just now when to ask again lives."""
    busy = Busy(200)
    with asked_of(busy, tmp_path) as target:
        conduct, url = target.conduct, target.gateway.url
        assert conduct.pace is not None
        assert conduct.silent is not None
        conduct.pace.observe(Exchange("GET", url, (), b"", 429, (("retry-after", retry),)))
        target.breaker._well_at -= 1
        conduct.silent(url + "/v1/chat/completions", 1.0)
    assert bool(busy.looks) == bool(looks)
