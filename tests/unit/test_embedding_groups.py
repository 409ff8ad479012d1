"""Balanced groups of embedding models: they are asked for vectors; no right gateway lets them chat."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway_acceptance.environment import Environment, product_of
from gateway_acceptance.plugin.preflight import Preflight
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.meter import Meter
from suites.api.observations import balanced_or_first
from suites.backends.balance import later
from suites.backends.balance.test_shares import test_more_than_one as more_than_one
from suites.backends.routing.test_routing import test_by_id as by_id
from tests.unit.declared import URL, document, environment
from tests.unit.test_balance_later import Clock

GROUP = {
    "alias": "vectors",
    "kind": "embedding",
    "deployments": [{"backend": "one", "upstream": "vec"}, {"backend": "two", "upstream": "vec"}],
}
ENVIRONMENT = environment(
    groups=[GROUP, *document()["groups"]],
    gateway={"url": URL, "key_variable": "K", "product": "litellm", "version": "1.106.2"},
)
BASES = {"id-1": ("one", "http://127.0.0.1:11434"), "id-2": ("two", "http://127.0.0.2:11434")}
LISTED = {
    "data": [
        {
            "model_name": "vectors",
            "litellm_params": {"model": "ollama/vec", "api_base": base},
            "model_info": {"id": name},
        }
        for name, (_, base) in BASES.items()
    ]
}


class Answer(SimpleNamespace):
    """What the checks read of an exchange."""

    def header(self, _: str) -> str:
        return str(self.id)

    def json(self) -> Any:
        return LISTED


def target(drawn: Callable[[], str], declared: Environment = ENVIRONMENT) -> Target:
    """A gateway that serves embeddings by whom is drawn or named, and refuses to chat with their models."""
    more: dict[str, Any] = {"url": URL, "text": "does not support chat"}

    def embeddings(model: str, _: str) -> Answer:
        named = model if model in BASES else drawn()
        return Answer(status=200, id=named, served_by=BASES[named][0], **more)

    def chat(*_: object, **__: object) -> Answer:
        return Answer(status=400, id="", served_by="", **more)

    gateway = SimpleNamespace(
        product=product_of(ENVIRONMENT.gateway),
        embeddings=embeddings,
        chat=chat,
        get=lambda _: Answer(status=200, id="", served_by="", **more),
    )
    notebook = SimpleNamespace(meter=Meter())
    made = {
        "gateway": gateway,
        "environment": declared,
        "preflight": Preflight,
        "once": _once,
        "notebook": notebook,
    }
    return cast(Target, SimpleNamespace(**made))


def _once(_: object, observe: Callable[[], object]) -> object:
    return observe()


NO_CLIENT = cast(GatewayClient, SimpleNamespace(product=product_of(ENVIRONMENT.gateway)))


def test_more_than_one_backend_is_seen_of_vectors() -> None:
    draws = itertools.cycle(["id-1", "id-1", "id-2"])
    more_than_one(target(lambda: next(draws)), NO_CLIENT, "vectors")


def test_one_backend_for_all_vectors_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(later, "pause", clock.pause)
    monkeypatch.setattr(later, "time", clock)
    with pytest.raises(CheckFailed, match=r"all \d+ requests(, over \d+ s,)? were served by one"):
        more_than_one(target(lambda: "id-1"), NO_CLIENT, "vectors")


def test_a_group_of_one_server_needs_no_second() -> None:
    """Two deployments on one server, as a model is kept twice: declared so, no gateway can reach another."""
    twice = {**GROUP, "deployments": [{"backend": "one", "upstream": "vec"}] * 2}
    declared = environment(groups=[twice], gateway=ENVIRONMENT.gateway.model_dump())
    with pytest.raises(NotApplicable, match="vectors is declared to be served by one alone") as said:
        more_than_one(target(lambda: "id-1", declared), NO_CLIENT, "vectors")
    assert said.value.declared == "groups.deployments"


def test_a_deployment_of_vectors_is_asked_by_its_id() -> None:
    by_id(target(lambda: "id-1"), NO_CLIENT, "vectors")


def test_a_chat_alias_stands_for_the_deployment() -> None:
    """Where the first group is one of embeddings, what is asked to chat is another alias."""
    assert balanced_or_first(ENVIRONMENT) == "both"
    assert balanced_or_first(environment(groups=[GROUP])) == "chat-one"


def test_what_is_answered_is_an_exchange() -> None:
    """The stand-in above has what the checks read of the real one."""
    real = Exchange("POST", URL, (), b"")
    assert all(hasattr(real, name) for name in ("status", "served_by", "url", "text", "header", "json"))
