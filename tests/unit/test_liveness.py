"""API-OPS-001 where a product has a health route, and where it has none."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Notebook
from suites.api.operations.test_liveness import test_alive as alive
from tests.unit.plain_gateway import KEY, Plain, serving


@pytest.fixture
def plain() -> Iterator[Plain]:
    with serving() as found:
        yield found


def ask(plain: Plain, folder: Path, **gateway: str) -> None:
    document = {
        "name": "mine",
        "kind": "staging",
        "gateway": {"url": plain.url, "key_variable": "K", **gateway},
        "models": [{"alias": "chatty", "kind": "chat"}],
        "policy": {"effects": ["read"], "requests": 5, "tokens": 1, "seconds": 60},
    }
    environment = Environment.model_validate_json(json.dumps(document))
    target = Target(environment, KEY, folder, time.time(), Notebook())
    try:
        alive(target.gateway)
    finally:
        target.close()


def test_a_gateway_without_a_health_route_lives_where_it_answers_for_its_models(
    plain: Plain, tmp_path: Path
) -> None:
    ask(plain, tmp_path)
    assert [asked.path for asked in plain.seen] == ["/v1/models"]


def test_a_refusal_is_a_sign_of_life_and_a_failure_is_none(plain: Plain, tmp_path: Path) -> None:
    plain.answers["/v1/models"] = (403, {}, {})
    ask(plain, tmp_path)
    plain.answers["/v1/models"] = (502, {}, {})
    with pytest.raises(CheckFailed, match="/v1/models, got 502"):
        ask(plain, tmp_path)


def test_a_declared_route_is_the_one_that_is_asked(plain: Plain, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match=r"expected 200 from .*/livez, got 404"):
        ask(plain, tmp_path, liveness_path="/livez")
    plain.answers["/livez"] = (200, {}, {})
    ask(plain, tmp_path, liveness_path="/livez")
    assert plain.seen[-1].authorization == ""
