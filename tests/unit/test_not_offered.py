"""Which refusals of a valid request are honest."""

from __future__ import annotations

import json

import pytest

from gateway_acceptance.wire.exchange import Exchange
from suites.api.properties.offered import not_offered

REQUEST = {"model": "m", "messages": [], "max_tokens": 4, "seed": 3, "presence_penalty": 0.5, "user": "ab"}


def refusal(status: int = 400, **error: object) -> Exchange:
    whole = {"message": "", "type": "invalid_request_error", "param": None, "code": None} | error
    raw = json.dumps({"error": whole}).encode()
    headers = (("content-type", "application/json"),)
    return Exchange("POST", "http://127.0.0.1/v1", (), b"", status, headers, ((0.0, raw),))


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (refusal(message="no", param="presence_penalty", code="unsupported_parameter"), "presence_penalty"),
        (refusal(message="ollama does not support parameters: ['presence_penalty']"), "presence_penalty"),
        (refusal(422, message="seed is not supported"), "seed"),
        (refusal(message="seed is wrong", param="seed"), None),
        (refusal(message="messages are not supported", param="messages"), None),
        (refusal(message="top_p is not supported", param="top_p"), None),
        (refusal(message="users are not supported"), None),
        (refusal(500, message="seed is not supported", param="seed"), None),
        (refusal(404, message="seed is not supported", param="seed"), None),
        (refusal(message=3, param="seed", code="unsupported_parameter"), None),
        (refusal(200, message="seed is not supported", param="seed"), None),
    ],
)
def test_a_refusal_says_what_is_not_offered(answer: Exchange, name: str | None) -> None:
    assert not_offered(answer, REQUEST) == name


def test_only_what_a_request_may_lack_is_not_offered() -> None:
    for name in ("model", "messages", "input", "max_tokens", "stream", "n"):
        assert not_offered(refusal(message=f"{name} is not supported", param=name), {name: 1}) is None
