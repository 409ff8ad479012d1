"""A stranger who is told when to ask again is answered then; the run's own key is never asked twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import AGAIN, GatewayClient
from tests.plugin.gateway import KEY
from tests.unit.declared import environment

URL = "http://127.0.0.1:9"
REFUSED = Exchange("GET", f"{URL}/v1/models", (), b"", status=401)


def told(after: str | None, status: int = 429) -> Exchange:
    headers = () if after is None else (("Retry-After", after),)
    return Exchange("GET", f"{URL}/v1/models", (), b"", status=status, headers=headers)


class Answers:
    """Stands for the sender: gives its answers in turn."""

    agent = "test"

    def __init__(self, *answers: Exchange) -> None:
        self.left = list(answers)

    def send(self, *_: object, **__: object) -> Exchange:
        return self.left.pop(0)

    send_raw = send


STRANGERS: dict[str, Callable[[GatewayClient], Exchange]] = {
    "without a key": lambda client: client.without_key("GET", "/v1/models"),
    "without the header": lambda client: client.models(key=None),
    "with a wrong key": lambda client: client.models(key="sk-wrong"),
}


def asked(ask: Callable[[GatewayClient], Exchange], *answers: Exchange) -> tuple[Exchange, int]:
    """The answer that a check is given, and how many were not asked for."""
    sender: Any = Answers(*answers)
    return ask(
        GatewayClient(environment(gateway={"url": URL, "key_variable": "MINI_KEY"}), KEY, sender)
    ), len(sender.left)


@pytest.mark.parametrize("who", list(STRANGERS))
def test_a_stranger_asks_again_when_told(who: str) -> None:
    assert asked(STRANGERS[who], told("1"), REFUSED) == (REFUSED, 0)
    assert asked(STRANGERS[who], told("1"), told("2"), REFUSED) == (REFUSED, 0)


@pytest.mark.parametrize(
    "first", [told(None), told("3600"), told("soon"), told("1", 503), told("1", 401), REFUSED]
)
def test_nobody_asks_again_without_being_told(first: Exchange) -> None:
    assert asked(STRANGERS["with a wrong key"], first, REFUSED) == (first, 1)


def test_it_ends() -> None:
    answers = [told("1") for _ in range(AGAIN + 2)]
    assert asked(STRANGERS["without a key"], *answers) == (answers[AGAIN], 1)


def test_the_own_key_is_asked_once() -> None:
    assert asked(lambda client: client.models(), told("1"), REFUSED) == (told("1"), 1)
