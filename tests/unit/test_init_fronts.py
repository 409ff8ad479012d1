"""``gateway-acceptance init`` before what limits it, or wants more than the key: pace, fronts, headers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.json_server import Answer
from tests.unit.plain_gateway import KEY, Asked, Plain
from tests.unit.test_init import Init, init, plain, written

__all__ = ["init", "plain"]


def test_a_limit_is_heeded_and_written(init: Init, plain: Plain, tmp_path: Path) -> None:
    """Refused once as too many, it waits as it is asked to, and asks again."""
    refused: list[Asked] = []

    def limited(asked: Asked) -> tuple[int, Any, dict[str, str]]:
        if not refused:
            refused.append(asked)
            return 429, {"error": {"message": "slow down"}}, {"retry-after": "0"}
        return 200, plain.said(asked), {}

    plain.models = ["chatty"]
    plain.answers["/v1/chat/completions"] = limited
    code, out, err = init()
    assert code == 0, err
    policy = written(out, tmp_path).policy
    assert (policy.requests_per_second, policy.concurrency) == (1, 1)
    assert policy.seconds > policy.requests, "at that pace a whole run takes as long"
    assert "exact" in out


def test_a_model_that_its_router_left_out_for_a_moment_is_no_limit(
    init: Init, plain: Plain, tmp_path: Path
) -> None:
    """LiteLLM leaves out what just failed, and calls that 429: a 404 of a server without completions does."""
    cooled: list[Asked] = []

    def router(asked: Asked) -> tuple[int, Any, dict[str, str]]:
        if not cooled:
            cooled.append(asked)
            words = "No deployments available for selected model, Try again in 0 seconds. Passed model=chatty"
            return 429, {"error": {"message": words, "type": "None", "code": "429"}}, {}
        return 200, plain.said(asked), {}

    plain.models = ["chatty"]
    plain.answers["/v1/chat/completions"] = router
    code, out, err = init()
    assert code == 0, err
    policy = written(out, tmp_path).policy
    assert (policy.requests_per_second, policy.concurrency) == (None, None)
    assert "exact" in out, "it was asked again"


def test_what_a_front_wants_is_sent_and_written(
    init: Init, plain: Plain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An access proxy before the gateway: plain and secret headers, and who wants them says so."""
    monkeypatch.setenv("ACCESS_TOKEN", "token-93c1f0aa27")

    def guarded(asked: Asked) -> Answer:
        if (asked.headers.get("x-tenant"), asked.headers.get("x-access")) != ("blue", "token-93c1f0aa27"):
            return 403, b"<html><title>Access denied</title></html>", {}
        return 200, {"object": "list", "data": [{"id": "chatty"}]}, {}

    plain.answers["/v1/models"] = guarded
    code, _, err = init()
    assert code == 1
    assert "name its header as --key-header, or what a front of it wants in --header" in err
    code, out, err = init("--header", "X-Tenant=blue", "--header", "x-access=${ACCESS_TOKEN}")
    assert code == 0, err
    assert written(out, tmp_path).network.headers == {"x-tenant": "blue", "x-access": "${ACCESS_TOKEN}"}
    assert "token-93c1f0aa27" not in out + err


def test_a_headers_name_may_be_in_capitals(init: Init, plain: Plain, tmp_path: Path) -> None:
    plain.answers["/v1/models"] = lambda asked: (
        (200, {"data": [{"id": "chatty"}]}, {}) if asked.headers.get("x-api-key") == KEY else (401, {}, {})
    )
    plain.answers["/v1/chat/completions"] = lambda asked: (200, plain.said(asked), {})
    code, out, err = init("--key-header", "X-Api-Key")
    assert code == 0, err
    assert written(out, tmp_path).gateway.key_header == "x-api-key"
