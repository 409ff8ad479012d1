"""Rules over what somebody without the key is answered, and over what a balanced alias says of itself."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from gateway_acceptance.wire.exchange import Exchange
from tests.unit.declared import URL
from tests.unit.test_every_exchange import ECHO, JSON, NOW, answered, owners

WRONG = "sk-" + "w9" * 12
LITELLM = {"gateway": {"url": URL, "key_variable": "MINI_KEY", "product": "litellm"}}
"""The group ``both`` is declared besides."""


def refused(told: str, key: str = WRONG) -> Exchange:
    asked = Exchange("GET", f"{URL}/v1/models", (("authorization", f"Bearer {key}"),), b"", sent_at=NOW)
    body = json.dumps({"error": {"message": told, "type": "x", "param": None, "code": "x"}}).encode()
    return asked.answered(status=401, headers=JSON, chunks=((0.1, body),), elapsed_s=0.1)


def without_key(status: int, *headers: tuple[str, str], query: str = "") -> Exchange:
    sent = (("content-type", "application/json"), *headers)
    asked = Exchange(
        "POST", f"{URL}/v1/chat/completions{query}", sent, json.dumps(ECHO).encode(), sent_at=NOW
    )
    return asked.answered(status=status, headers=JSON, chunks=((0.1, b"{}"),), elapsed_s=0.1)


def test_a_wrong_key_is_not_repeated_nor_its_hash() -> None:
    assert "API-AUTH-013" not in owners(refused("no such key"))
    assert "API-AUTH-013" in owners(refused(f"no such key: {WRONG}"))
    assert "API-AUTH-013" in owners(refused(hashlib.sha256(WRONG.encode()).hexdigest()))
    assert "API-AUTH-013" not in owners(refused("no such key: sk-1", key="sk-1")), "in a text by chance"


def test_chat_is_not_served_without_a_key() -> None:
    assert owners(without_key(200)) == {"API-AUTH-015"}
    assert owners(without_key(401)) == set()
    by_other_means = [
        without_key(200, ("x-api-key", WRONG)),
        without_key(200, ("host", "localhost")),
        without_key(200, query="?key=x"),
    ]
    assert [owners(one) for one in by_other_means] == [set(), set(), set()], "who opened it is another's"


def of_group(*headers: tuple[str, str], **more: Any) -> Exchange:
    body = {**ECHO, "model": "both", "frequency_penalty": 0}
    return answered("/v1/chat/completions", body, {}, (*JSON, *headers), **more)


def test_a_balanced_answer_comes_from_nobody_s_memory_and_at_the_first_try() -> None:
    assert owners(of_group()) == set()
    assert owners(of_group(("x-cache", "MISS"))) == set()
    assert owners(of_group(("x-litellm-attempted-retries", "0"))) == set()
    assert owners(of_group(("x-cache", "HIT from edge"))) == {"BACKEND-BAL-010"}
    for name in ("x-litellm-attempted-retries", "x-litellm-attempted-fallbacks"):
        assert owners(of_group((name, "1"))) == {"BACKEND-BAL-011"}


def test_two_headers_do_not_contradict_each_other() -> None:
    def served(deployment: str, backend: str) -> Exchange:
        return of_group(("x-litellm-model-id", deployment), served_by=backend)

    assert owners(served("a", "one"), served("b", "two"), served("a", "one"), **LITELLM) == set()
    assert owners(served("a", "one"), served("a", "two"), **LITELLM) == {"BACKEND-BAL-002"}
