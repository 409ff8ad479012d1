"""A limit that was spent on thoughts is no defect of the gateway, and hides none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway_acceptance.environment import Ability, Environment
from gateway_acceptance.plugin.outcome import Outcome
from gateway_acceptance.plugin.thinking import unless_spent
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.wire.exchange import Exchange
from tests.unit.declared import environment

HOME = environment()
ALIAS = next(model.alias for model in HOME.models if model.kind == "chat")
JSON = (("content-type", "application/json"),)
STREAM = (("content-type", "text/event-stream"),)


def whole(content: str, finish: str, reasoning: str) -> bytes:
    message = {"role": "assistant", "content": content, "reasoning_content": reasoning}
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": finish}]}).encode()


def streamed(content: str, finish: str, reasoning: str) -> bytes:
    deltas = [({"reasoning_content": reasoning}, None), ({"content": content}, finish)]
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in deltas]
    return b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks) + b"data: [DONE]\n\n"


def exchange(
    body: bytes, headers: tuple[tuple[str, str], ...] = JSON, status: int = 200, request: bytes = b""
) -> Exchange:
    request = request or json.dumps({"model": ALIAS}).encode()
    url = f"{HOME.gateway.url}/v1/chat/completions"
    return Exchange("POST", url, (), request, status=status, headers=headers, chunks=[(0.1, body)])


SPENT = exchange(whole("", "length", "Let me see"))
FAILED = Outcome(Verdict.FAILED, "expected HX-OK, got ''", "gateway", problems=("expected HX-OK, got ''",))


@pytest.mark.parametrize("spent", [SPENT, exchange(streamed("", "length", "Let me see"), STREAM)])
def test_it_is_untestable_and_says_what_to_declare(spent: Exchange) -> None:
    found = unless_spent(FAILED, [exchange(whole("HX-OK", "stop", "")), spent], HOME)
    assert (found.verdict, found.blame, found.problems) == (Verdict.UNTESTABLE, "", ())
    assert found.message.startswith(f"Untestable: {ALIAS}: the model spent its limit")
    assert 'add "reasoning" to the abilities' in found.message
    assert "expected HX-OK" in found.detail


def thinking() -> Environment:
    models = [
        model.model_copy(update={"abilities": (Ability.REASONING,)}) if model.alias == ALIAS else model
        for model in HOME.models
    ]
    return HOME.model_copy(update={"models": models})


@pytest.mark.parametrize(
    ("outcome", "seen", "environment"),
    [
        (FAILED, exchange(whole("", "length", "")), HOME),  # empty, and nothing shows that it thinks
        (FAILED, exchange(whole("", "stop", "Let me see")), HOME),
        (FAILED, exchange(whole("HX", "length", "Let me see")), HOME),
        (FAILED, exchange(b"[]"), HOME),
        (FAILED, exchange(whole("", "length", "Let me see"), status=500), HOME),
        (FAILED, replace(SPENT, url="http://127.0.0.2:11434/v1/chat/completions"), HOME),
        (FAILED, replace(SPENT, withheld=True), HOME),
        (FAILED, exchange(whole("", "stop", ""), request=b"[" * 100_000), HOME),
        (FAILED, exchange(b"[" * 100_000, request=b"\xff"), HOME),
        (FAILED, SPENT, thinking()),  # declared, it was given the room
        (replace(FAILED, alarm="anybody gets in"), SPENT, HOME),
        (Outcome(Verdict.PASSED), SPENT, HOME),
    ],
)
def test_nothing_else_is_excused(outcome: Outcome, seen: Exchange, environment: Environment) -> None:
    assert unless_spent(outcome, [seen], environment) == outcome
