"""The real key goes into the declared header, to its own gateway, and nowhere else."""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import NoAnswer
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.key_place import KeyPlaces, MisplacedKey
from gateway_acceptance.wire.raw import RawRequest
from gateway_acceptance.wire.sdk import sdk_client
from gateway_acceptance.wire.sender import Deadline, Sender
from tests.unit.declared import environment

KEY = "sk-real/key+1"
QUOTED = "sk-real%2Fkey%2B1"
URL = "http://127.0.0.1:9"
BASIC = base64.b64encode(f"hx:{KEY}".encode()).decode()


@pytest.fixture
def places() -> KeyPlaces:
    made = KeyPlaces()
    made.add(KEY, "authorization", URL)
    return made


@pytest.mark.parametrize("value", [f"Bearer {KEY}", f"bearer {KEY}", f"Bearer {KEY}x", f"Bearer {KEY[:6]}"])
def test_the_declared_header_may_hold_it(places: KeyPlaces, value: str) -> None:
    places.check(f"{URL}/v1/models", [("Authorization", value), ("x-api-key", "made up")], b"{}")


MISPLACED = {
    "a query": (f"{URL}/v1/models?key={KEY}", [], b"", "in a URL"),
    "a quoted query": (f"{URL}/v1/models?key={QUOTED}", [], b"", "in a URL"),
    "a cookie": (URL, [("cookie", f"token={KEY}")], b"", "the header cookie"),
    "another header": (URL, [("x-api-key", KEY)], b"", "the header x-api-key"),
    "base64": (URL, [("x-basic", f"Basic {BASIC}")], b"", "the header x-basic"),
    "another server": ("http://127.0.0.1:10", [("authorization", f"Bearer {KEY}")], b"", "another server"),
    "a body": (URL, [], f'{{"key": "{KEY}"}}'.encode(), "in a body"),
}


@pytest.mark.parametrize("what", list(MISPLACED))
def test_no_other_place_may(places: KeyPlaces, what: str) -> None:
    url, headers, body, words = MISPLACED[what]
    with pytest.raises(MisplacedKey, match=words) as raised:
        places.check(url, headers, body)
    assert KEY not in str(raised.value)


def test_a_case_of_effect_expose_may(places: KeyPlaces) -> None:
    notebook = Notebook(key_places=places)
    notebook.clear(exposing=True)
    places.check(f"{URL}/?key={KEY}", [])
    notebook.clear()
    with pytest.raises(MisplacedKey):
        places.check(f"{URL}/?key={KEY}", [])


@pytest.fixture
def sender() -> Iterator[Sender]:
    notebook = Notebook()
    notebook.key_places.add(KEY, "authorization", URL)
    made = Sender(notebook, None, Deadline(1, 1))
    yield made
    made.close()


def test_the_sender_refuses_before_it_sends(sender: Sender) -> None:
    """Nothing listens at the URL: had it sent, it would have told of that."""
    with pytest.raises(MisplacedKey):
        sender.send("GET", f"{URL}/?key={KEY}")
    with pytest.raises(MisplacedKey):
        sender.send_raw(URL, RawRequest("GET", f"/?key={KEY}", [("host", "x")]))


@pytest.mark.parametrize(
    ("declared", "sent"),
    [({}, ("authorization", f"Bearer {KEY}")), ({"key_header": "x-api-key"}, ("x-api-key", KEY))],
)
def test_the_declared_header_is_the_one_that_is_sent(declared: dict[str, str], sent: tuple[str, str]) -> None:
    there = environment(gateway={"url": URL, "key_variable": "MINI_KEY", **declared})
    notebook = Notebook()
    sender = Sender(notebook, None, Deadline(0.2, 0.2))
    with contextlib.closing(sender), pytest.raises(NoAnswer):
        GatewayClient(there, KEY, sender).models()
    holding = [header for header in notebook.exchanges[0].request_headers if KEY in header[1]]
    assert holding == [sent]


def test_the_sdk_sends_it_in_the_declared_header_alone(tmp_path: Path) -> None:
    there = environment(gateway={"url": URL, "key_variable": "MINI_KEY", "key_header": "x-api-key"})
    notebook = Notebook()
    notebook.key_places.add(KEY, "x-api-key", URL)
    budget = Budget(tmp_path / "budget", there.policy, time.time())
    with sdk_client(there, KEY, notebook, budget) as client, pytest.raises(openai.APIConnectionError):
        client.models.list()
    holding = [name for name, value in notebook.exchanges[0].request_headers if KEY in value]
    assert holding == ["x-api-key"]


def test_environments_that_share_a_key_may_declare_different_headers() -> None:
    places = KeyPlaces()
    places.add(KEY, "authorization", "http://127.0.0.1:4000")
    places.add(KEY, "x-api-key", "http://127.0.0.2:4000")
    places.check("http://127.0.0.1:4000/v1/models", [("authorization", f"Bearer {KEY}")])
    places.check("http://127.0.0.2:4000/v1/models", [("x-api-key", KEY)])
    with pytest.raises(MisplacedKey, match="in the header x-api-key"):
        places.check("http://127.0.0.1:4000/v1/models", [("x-api-key", KEY)])
    with pytest.raises(MisplacedKey, match="to another server"):
        places.check("http://127.0.0.3:4000/v1/models", [("x-api-key", KEY)])
