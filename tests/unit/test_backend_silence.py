"""A backend that answers nobody is waited for once, and told as no answer."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin import backend_silence, connection
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire import breaker
from gateway_acceptance.wire.exchange import LEFT, Notebook
from tests.ill_targets import HEAD, ILLS, Ill, IllTarget, ill, whole

KEY = "sk-" + "b" * 20


def hangs(connection: socket.socket, backend: IllTarget) -> None:
    """Says nothing to a question, and closes on whoever looks meanwhile: so nobody waits for the looks."""
    if b"/api/chat" in backend.seen[-1]:
        ILLS["silent"](connection, backend)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "POLL_S", 0.05)
    monkeypatch.setattr(breaker, "PATIENCE_S", 0.05)
    monkeypatch.setattr(breaker, "PROBE_S", 30.0)


@contextmanager
def asked_directly(answers: Ill, folder: Path) -> Iterator[tuple[Target, IllTarget]]:
    """A gateway that nobody asks, and its backend."""
    with ExitStack() as stack:
        backend = stack.enter_context(ill(answers))
        document = {
            "name": "mine",
            "kind": "staging",
            "gateway": {"url": "http://127.0.0.1:9", "key_variable": "K", "request_deadline_s": 60},
            "backends": [{"name": "one", "url": backend.url}],
            "models": [{"alias": "chatty", "kind": "chat", "backend": "one", "upstream": "tiny"}],
            "policy": {"effects": ["read", "spend"], "requests": 50, "tokens": 9000, "seconds": 60},
        }
        declared = Environment.model_validate_json(json.dumps(document))
        target = Target(declared, KEY, folder, time.time(), Notebook())
        stack.callback(target.close)
        yield target, backend


def test_it_is_waited_for_once(tmp_path: Path) -> None:
    """One question and two looks; whoever asks next, in any worker, is told the same at once."""
    with asked_directly(hangs, tmp_path) as (target, backend):
        with pytest.raises(NoAnswer, match=r"no answer within .* s, and one answered nothing else") as first:
            target.backend("one").chat("tiny", "Say a word.", max_tokens=4)
        assert (len(backend.seen), first.value.blame) == (3, "backend")
        assert [one.error for one in target.notebook.exchanges] == [LEFT]
        assert target.notebook.meter.case.probes == 2
        with pytest.raises(NoAnswer, match=r"GET .*/api/version: no answer within") as second:
            target.backend("one").version()
        assert (len(backend.seen), second.value.blame) == (3, "backend")


def test_it_is_asked_again_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_silence, "REMEMBERED_S", 1000.0)
    with asked_directly(hangs, tmp_path) as (target, backend):
        for since_s, arrived in ((0, 3), (900, 3), (1100, 6)):
            for file in tmp_path.glob("silent-*"):
                os.utime(file, (time.time() - since_s,) * 2)
            with pytest.raises(NoAnswer):
                target.backend("one").chat("tiny", "Say a word.", max_tokens=4)
            assert len(backend.seen) == arrived


def test_one_that_thinks_long_and_answers_meanwhile_is_waited_for(tmp_path: Path) -> None:
    looks: list[bytes] = []

    def answers(connection: socket.socket, backend: IllTarget) -> None:
        asked = backend.seen[-1]
        if b"/api/chat" in asked:
            while not looks and backend.pause(0.02):
                pass
            backend.pause(0.2)
            body = {"message": {"role": "assistant", "content": "OK"}, "done": True}
        else:
            looks.append(asked)
            body = {"version": "1.0"}
        connection.sendall(whole(HEAD, json.dumps(body).encode()))

    with asked_directly(answers, tmp_path) as (target, _):
        assert target.backend("one").chat("tiny", "Say a word.", max_tokens=4).status == 200
    assert looks


@pytest.mark.parametrize("known", [True, False])
def test_nothing_is_looked_at_while_a_check_takes_it_down(tmp_path: Path, known: bool) -> None:
    with asked_directly(ILLS["closing"], tmp_path) as (target, backend):
        target.breaker.suspended = True
        if known:
            (file,) = [file for _, file in target.connection._backends._backends]
            file.write_text("no answer")
        else:
            target.connection._silent(backend.url + "/api/chat", 60.0)
        with pytest.raises(NoAnswer, match="the connection broke"):
            target.backend("one").version()
        assert len(backend.seen) == 1
