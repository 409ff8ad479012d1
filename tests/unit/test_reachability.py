"""What makes a backend slow: nothing that one request more would contradict."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from gateway_acceptance.environment import Backend
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.backends import BackendClient
from gateway_acceptance.wire.backends.ollama import OllamaClient
from gateway_acceptance.wire.backends.openai import OpenAIClient
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.sender import Sender
from suites.backends.reachability.test_reachability import test_warm_answer as warm_answer
from tests.unit.declared import environment

ENVIRONMENT = environment(bounds={"first_token_s": 4})


def answer(took_s: float, status: int = 200) -> Exchange:
    body = json.dumps({"load_duration": 0}).encode()
    return Exchange("POST", "http://x", (), b"", status=status, chunks=[(took_s, body)], elapsed_s=took_s)


def backend(*answers: Exchange) -> tuple[BackendClient, list[Exchange]]:
    """A loaded model that answers so; what it was not asked for is left."""
    left = list(answers)

    class Loaded(OllamaClient):
        def loaded(self) -> set[str]:
            return {"tiny:latest"}

        def chat(self, *_: object, **__: object) -> Exchange:
            return left.pop(0)

    return Loaded(Backend(name="one", url="http://x"), cast(Sender, None)), left


@pytest.mark.parametrize(
    ("took", "left", "told"),
    [((0.1, 9, 9), 2, 0.1), ((9, 0.1, 9), 1, 0.1), ((9, 9, 4), 0, 4)],
)
def test_a_wait_behind_others_is_asked_again(took: tuple[float, ...], left: int, told: float) -> None:
    asked, unasked = backend(*(answer(one) for one in took))
    notes: dict[str, Any] = {}
    warm_answer(asked, ENVIRONMENT, lambda name, value: notes.update({name: value}))
    assert len(unasked) == left
    assert notes == {"one.tiny.warm_s": told}


def test_what_is_always_slow_is_slow() -> None:
    asked, unasked = backend(answer(9), answer(4.2), answer(5), answer(0))
    with pytest.raises(CheckFailed, match=r"tiny on one, loaded, took 4\.2 s to begin in the fastest of 3"):
        warm_answer(asked, ENVIRONMENT, lambda *_: None)
    assert len(unasked) == 1


def test_an_error_is_no_wait() -> None:
    asked, unasked = backend(answer(9), answer(0.1, 500), answer(0.1))
    with pytest.raises(CheckFailed, match="expected 200"):
        warm_answer(asked, ENVIRONMENT, lambda *_: None)
    assert len(unasked) == 1


def test_a_protocol_that_lists_no_loaded_models_is_asked_at_once() -> None:
    """What is cold answers late the first time: the fastest answer counts."""
    left = [answer(9), answer(0.2)]

    class Plain(OpenAIClient):
        def chat(self, *_: object, **__: object) -> Exchange:
            return left.pop(0)

    backend = Backend(name="one", url="http://x", product="openai")
    notes: dict[str, Any] = {}
    plain = Plain(backend, cast(Sender, None))
    warm_answer(plain, ENVIRONMENT, lambda name, value: notes.update({name: value}))
    assert (notes, left) == ({"one.tiny.warm_s": 0.2}, [])
