"""The key of a server behind the gateway: it reaches that server, and nobody else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway_acceptance.environment import Environment, missing_variables
from gateway_acceptance.environment.secrets import secrets_of
from gateway_acceptance.host.snapshot import request_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.curl import command, way_of
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.key_place import MisplacedKey
from gateway_acceptance.wire.sender import Sender
from suites.host.network.test_network import test_models_seen as models_seen
from tests.unit.declared import document, environment

KEY, GATEWAY_KEY = "sk-of-the-server-3f9a", "sk-of-the-gateway-77aa"
HOST = {"uri": "ssh://gateway.example", "tree": "/opt/x", "unit": "x.service", "user": "x"}


def demanding(**more: Any) -> Environment:
    """One server that demands a key, and one that does not."""
    one, two = document()["backends"]
    return environment(backends=[{**one, "product": "openai", "key_variable": "VLLM_KEY", **more}, two])


class Servers:
    """Answers every request with no models; what arrived is kept."""

    def __init__(self) -> None:
        self.seen: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        return httpx2.Response(200, stream=httpx2.ByteStream(b'{"data": [], "models": []}'))


@pytest.fixture
def servers() -> Servers:
    return Servers()


@pytest.fixture
def target(tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Target:
    monkeypatch.setenv("VLLM_KEY", KEY)
    made = Target(demanding(), GATEWAY_KEY, tmp_path, time.time(), Notebook())
    made.sender.close()
    made.connection.sender = Sender(
        made.notebook, made.budget, made.sender.deadline, connections=httpx2.MockTransport(servers)
    )
    return made


def test_it_goes_to_its_own_server_alone(target: Target, servers: Servers) -> None:
    target.backend("one").models()
    target.backend("two").models()
    target.sender.send("GET", "http://127.0.0.1:11434/counts")
    sent = [(str(one.url), one.headers.get("authorization")) for one in servers.seen]
    assert sent == [
        ("http://127.0.0.1:11434/v1/models", f"Bearer {KEY}"),
        ("http://127.0.0.2:11434/api/tags", None),
        ("http://127.0.0.1:11434/counts", None),
    ]


def test_it_is_sent_to_nobody_else(target: Target, servers: Servers) -> None:
    target.backend("one")
    for url in ("http://127.0.0.2:11434/", "http://127.0.0.1:4000/v1/models"):
        with pytest.raises(MisplacedKey):
            target.sender.send("GET", url, headers=[("authorization", f"Bearer {KEY}")])
    assert servers.seen == []


def test_what_is_asked_again_names_its_variable(target: Target) -> None:
    target.backend("one").alive()
    way = way_of(target.conduct.route, GATEWAY_KEY, {"VLLM_KEY": KEY})
    shown = command(target.notebook.exchanges[-1], way)
    assert "$VLLM_KEY" in shown
    assert KEY not in shown


def test_it_is_kept_out_of_what_is_written() -> None:
    assert secrets_of(demanding(), {"VLLM_KEY": KEY})["key of one behind mini"] == KEY


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "key_variable of the backend one names VLLM_KEY, which is not set; export VLLM_KEY with"),
        ({"VLLM_KEY": "abc"}, "key_variable of the backend one names VLLM_KEY, whose value has fewer than"),
        ({"VLLM_KEY": "two words 1"}, "whose value holds spaces"),
    ],
)
def test_one_that_is_not_there_is_a_sentence(variables: dict[str, str], words: str) -> None:
    (sentence,) = missing_variables(demanding(), {"MINI_KEY": GATEWAY_KEY, **variables})
    assert words in sentence


def test_a_closed_server_gets_none(tmp_path: Path) -> None:
    """Its key is not even needed, and whether it is closed is tried without."""
    closed = demanding(direct=False)
    assert missing_variables(closed, {"MINI_KEY": GATEWAY_KEY}) == []
    made = Target(closed, GATEWAY_KEY, tmp_path, time.time(), Notebook())
    with pytest.raises(NotApplicable):
        made.backend("one")
    made.close()


def test_the_gateways_machine_gets_none() -> None:
    declared = environment(backends=demanding().model_dump(mode="json")["backends"], host=HOST)
    request = request_of(declared, "gateway")
    assert request["reach"]["one"] == {"url": "http://127.0.0.1:11434", "product": "openai"}
    with pytest.raises(NotApplicable) as lacking:
        models_seen(None, "one", declared)  # type: ignore[arg-type]
    assert lacking.value.declared == "backends.key_variable"
