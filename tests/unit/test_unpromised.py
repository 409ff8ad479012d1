"""An endpoint that nobody promised: asking for it leaves no model out for whoever asks next."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.exchange import Notebook
from suites.api.completions.probes import complete
from suites.api.endpoints import unpromised
from tests.json_server import Answer
from tests.unit.plain_gateway import KEY, Asked, Plain, serving

COOLED = {"error": {"message": "No deployments available for selected model, Try again in 1 seconds."}}


def declared(url: str) -> Environment:
    document = {
        "name": "mine",
        "kind": "staging",
        "gateway": {"url": url, "key_variable": "PLAIN_KEY"},
        "models": [{"alias": "chatty", "kind": "chat"}],
        "policy": {"effects": ["read", "spend"], "requests": 9, "tokens": 900, "seconds": 60},
    }
    return Environment.model_validate_json(json.dumps(document))


def asked_of(plain: Plain, folder: Path, headers: dict[str, str]) -> list[str]:
    """The paths that were asked. headers: of the 404 to completions; the chat is cooled once."""
    cooled: list[Asked] = []

    def chat(asked: Asked) -> Answer:
        if not cooled:
            cooled.append(asked)
            return 429, COOLED, {"retry-after": "1"}
        return 200, plain.said(asked), {}

    plain.answers["/v1/completions"] = (404, {"error": {"message": "no such path"}}, headers)
    plain.answers["/v1/chat/completions"] = chat
    target = Target(declared(plain.url), KEY, folder, time.time(), Notebook(agent="test"))
    try:
        answer = unpromised(target, "chatty", lambda: complete(target, "one", max_tokens=1))
    finally:
        target.close()
    assert answer.status == 404
    return [asked.path for asked in plain.seen]


@pytest.mark.parametrize(
    ("headers", "chats"), [({"x-litellm-call-id": "a1"}, 2), ({}, 0)], ids=["a router", "a plain gateway"]
)
def test_what_a_router_left_out_is_waited_for(tmp_path: Path, headers: dict[str, str], chats: int) -> None:
    with serving() as plain:
        assert asked_of(plain, tmp_path, headers) == ["/v1/completions", *["/v1/chat/completions"] * chats]
