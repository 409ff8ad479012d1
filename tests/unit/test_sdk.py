"""The official SDK, made honest: strict, no retry, budget and evidence."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.model import Policy
from gateway_acceptance.policy import Budget
from gateway_acceptance.verdict import CheckFailed, NotPermitted
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.sdk import sdk_client
from suites.api.sdk.probes import must_be_honest
from tests.plugin.gateway import KEY, Gateway, serving
from tests.unit.declared import environment


@pytest.fixture
def served() -> Iterator[Gateway]:
    with serving() as gateway:
        yield gateway


def client(gateway: Gateway, folder: Path, notebook: Notebook, requests: int = 3) -> openai.OpenAI:
    declared = environment(gateway={"url": gateway.url, "key_variable": "K"})
    policy = Policy(effects=(Effect.READ, Effect.SPEND), requests=requests, tokens=1000, seconds=60)
    return sdk_client(declared, KEY, notebook, Budget(folder / "b", policy, time.time()))


def test_an_exchange_is_noted_and_settled(served: Gateway, tmp_path: Path) -> None:
    notebook = Notebook()
    with client(served, tmp_path, notebook) as sdk:
        answer = sdk.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert answer.choices[0].message.content == "OK"
    (seen,) = notebook.exchanges
    assert (seen.status, seen.json()["usage"]["total_tokens"]) == (200, 10)
    assert b'"content":"hi"' in seen.request_body
    spent = json.loads((tmp_path / "b").read_text(encoding="utf-8"))
    assert spent["requests"] == 1
    assert spent["tokens"] > 256, "what is reserved is freed by no answer"


def test_an_answer_of_the_wrong_shape_is_refused(served: Gateway, tmp_path: Path) -> None:
    """By default the SDK takes ``{"status": "healthy"}`` for a list of models."""
    with client(served, tmp_path, Notebook()) as sdk, pytest.raises(openai.APIResponseValidationError):
        sdk.models.list()


def test_a_refusal_is_not_asked_again(served: Gateway, tmp_path: Path) -> None:
    served.accepted = "another"
    with client(served, tmp_path, Notebook()) as sdk, pytest.raises(openai.AuthenticationError):
        sdk.models.list()
    assert served.count("/v1/models") == 1


def test_the_budget_holds_below_the_sdk(served: Gateway, tmp_path: Path) -> None:
    with client(served, tmp_path, Notebook(), requests=1) as sdk:
        sdk.models.with_raw_response.list()
        with pytest.raises(NotPermitted):
            sdk.models.with_raw_response.list()
    assert len(served.seen) == 1


def test_silence_is_noted(tmp_path: Path) -> None:
    notebook = Notebook()
    with serving() as gateway:
        sdk = client(gateway, tmp_path, notebook)
    with sdk, pytest.raises(openai.APIConnectionError):
        sdk.models.list()
    (seen,) = notebook.exchanges
    assert (seen.status, bool(seen.error)) == (None, True)


ENVELOPE = {"error": {"message": "no formats here", "type": "x", "param": "response_format", "code": None}}


@pytest.mark.parametrize(
    ("status", "body", "raised"),
    [
        (400, ENVELOPE, None),
        (422, ENVELOPE, None),
        (400, {"detail": "no formats here"}, CheckFailed),
        (500, ENVELOPE, openai.APIStatusError),
        (401, ENVELOPE, openai.APIStatusError),
    ],
)
def test_what_is_not_passed_on_may_be_refused_in_the_envelope(
    status: int, body: dict[str, Any], raised: type[Exception] | None
) -> None:
    answer = httpx2.Response(status, json=body, request=httpx2.Request("POST", "http://gw"))
    refusal = openai.APIStatusError("refused", response=answer, body=body)
    with pytest.raises(raised) if raised else nullcontext():
        must_be_honest(refusal)
