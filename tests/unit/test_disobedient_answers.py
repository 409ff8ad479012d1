"""Text completions and responses of a model that is not declared to obey: what it says is its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.completions import test_completions as completions
from suites.api.completions.probes import TextStream
from suites.api.responses import probes as response_probes
from suites.api.responses import test_responses as responses
from suites.api.responses.probes import ResponseStream
from tests.unit.declared import beside, document, environment

CHATTY = "Certainly! Here is what you asked for"
Checked = Callable[[Target, GatewayClient, Environment], object]


def declared(*abilities: str) -> Environment:
    model = {**document()["models"][0], "abilities": list(abilities)}
    endpoints = {"gateway": {**document()["gateway"], "endpoints": ["completions", "responses"]}}
    return environment(models=[model], groups=[], **endpoints)


def body(text: str, status: str = "completed") -> dict[str, Any]:
    output = [{"content": [{"type": "output_text", "text": text}]}] if text else []
    choices = [{"text": text}, {"text": text}]
    return {"choices": choices, "output": output, "status": status}


def run(monkeypatch: pytest.MonkeyPatch, check: Checked, env: Environment, text: str, status: str) -> None:
    raw = json.dumps(body(text, status)).encode()
    answer = Exchange("POST", "http://x/v1/responses", (), b"", 200, (), ((0.0, raw),))
    monkeypatch.setattr(completions, "completed", lambda _: answer)
    monkeypatch.setattr(completions, "complete", lambda *_, **__: answer)
    monkeypatch.setattr(completions, "_stream", lambda _: TextStream(text, ("a",), []))
    monkeypatch.setattr(responses, "response_answer", lambda _: answer)
    monkeypatch.setattr(responses, "response_stream", lambda _: ResponseStream(text, body(text), []))
    check(beside(env), cast(GatewayClient, None), env)


CHECKS: tuple[Checked, ...] = (
    completions.test_text,
    completions.test_batch,
    completions.test_stream_text,
    responses.test_text,
    responses.test_stream_text,
)


@pytest.mark.parametrize("check", CHECKS)
def test_any_text_is_right_of_a_model_that_is_not_declared_to_obey(
    monkeypatch: pytest.MonkeyPatch, check: Checked
) -> None:
    status = "incomplete" if check is responses.test_text else "completed"
    nothing_to_judge = pytest.raises(NotApplicable, match="chat-one does not declare exact")
    with nothing_to_judge if check is completions.test_text else nullcontext():
        run(monkeypatch, check, declared(), CHATTY, status)
    with pytest.raises(CheckFailed, match="HX-O"):
        run(monkeypatch, check, declared("exact"), CHATTY, "completed")


@pytest.mark.parametrize("check", [one for one in CHECKS if one is not completions.test_batch])
def test_no_text_is_wrong_of_any_model(monkeypatch: pytest.MonkeyPatch, check: Checked) -> None:
    with pytest.raises(CheckFailed, match=r"expected .*a text"):
        run(monkeypatch, check, declared(), "", "completed")


@pytest.mark.parametrize(("abilities", "tokens"), [((), 16), (("reasoning",), 2064)])
def test_a_model_that_thinks_gets_room_for_its_response(
    monkeypatch: pytest.MonkeyPatch, abilities: tuple[str, ...], tokens: int
) -> None:
    limits: list[int] = []
    monkeypatch.setattr(response_probes, "ask", lambda *_, **more: limits.append(more["max_output_tokens"]))
    once = lambda _, observe: observe()  # noqa: E731
    target = cast(Target, SimpleNamespace(environment=declared(*abilities), once=once))
    response_probes.response_answer(target)
    assert limits == [tokens]


@pytest.mark.parametrize(
    ("said", "alone", "wrong"),
    [
        (["b", "a"], ["a", "b"], True),
        (["a", "b"], ["a", "b"], False),
        (["a", "a"], ["a", "a"], False),
        (["c", "d"], ["a", "b"], False),  # it says something else each time: only the number is judged
    ],
)
def test_prompts_that_get_the_answers_of_one_another(
    monkeypatch: pytest.MonkeyPatch, said: list[str], alone: list[str], wrong: bool
) -> None:
    answers = iter([said, *([text] for text in alone)])

    def complete(*_: object, **__: object) -> Exchange:
        raw = json.dumps({"choices": [{"text": text} for text in next(answers)]}).encode()
        return Exchange("POST", "http://x/v1/completions", (), b"", 200, (), ((0.0, raw),))

    monkeypatch.setattr(completions, "complete", complete)
    target = cast(Target, SimpleNamespace(environment=declared()))
    with pytest.raises(CheckFailed, match="alone") if wrong else nullcontext():
        completions.test_batch(target, cast(GatewayClient, None), declared())
