"""What a run asks before its first check serves the checks that ask the same, and is held against rules."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.plugin.observations import MODELS, READINESS
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.seen import Kind, SeenExchange
from gateway_acceptance.wire.watch import UniversalRule
from suites.api.observations import listed_models
from tests.unit.plain_gateway import KEY, Plain, serving
from tests.unit.test_sentinels_ill import declared

READY, DETAILS, LIST = "/health/readiness", "/health/readiness/details", "/v1/models"
BY_ITSELF: dict[str, Any] = {READY: (200, {"status": "healthy", "litellm_version": "1.74.15"}, {})}
APART: dict[str, Any] = {
    READY: (200, {"status": "healthy"}, {}),
    DETAILS: (200, {"litellm_version": "1.108.7"}, {}),
}


def never_right(_: SeenExchange, __: Memory) -> Iterable[Problem]:
    yield Problem("", "it was looked at")


RULE = UniversalRule("API-T-001", frozenset({Kind.MODELS, Kind.HEALTH}), never_right)


def made(gateway: Plain, folder: Path) -> Target:
    """Of one process of a run; those of the same folder are of the same run."""
    return Target(declared(gateway.url), KEY, folder, time.time(), Notebook(), rules=[RULE])


def asked(gateway: Plain) -> list[str]:
    paths = [one.path for one in gateway.seen]
    gateway.seen.clear()
    return paths


@pytest.mark.parametrize(
    ("answers", "start", "end"),
    [(BY_ITSELF, [READY, LIST], [READY, LIST]), (APART, [READY, LIST, DETAILS], [LIST, DETAILS])],
    ids=["told by its readiness", "told apart"],
)
def test_the_end_asks_for_what_the_start_told(
    answers: dict[str, Any], start: list[str], end: list[str], tmp_path: Path
) -> None:
    with serving() as gateway:
        gateway.answers |= answers
        target = made(gateway, tmp_path)
        first = target.preflight()
        assert asked(gateway) == start
        again = target.probe()
        assert asked(gateway) == end
        assert (again.version, again.models) == (first.version, first.models)
        assert first.version
        short = target.probe(version=False)
        assert asked(gateway) == [LIST], "the end of a smoke asks for no version"
        assert (short.version, short.models) == ("", first.models)
        in_mid_run = target.probe(5.0, description=False)
        also = [*start[:2], LIST, *start[2:]]
        assert asked(gateway) == also, "as at the start, and whether the list proves the key"
        assert in_mid_run.trouble is None
        target.close()


def test_an_open_list_before_a_product_that_is_known_proves_no_key(tmp_path: Path) -> None:
    """LiteLLM behind a front that serves the list to everybody: seen by doctor, and in the midst of a run."""
    listed: Any = (200, {"object": "list", "data": [{"id": "chatty"}]}, {})
    with serving() as gateway:
        gateway.answers |= APART | {LIST: listed}
        gateway.key = "sk-another-3f1b"
        target = made(gateway, tmp_path)
        found = target.probe(5.0, description=False)
        assert found.refused.startswith(
            "the gateway refuses the environment's key (POST /v1/chat/completions: 401"
        )
        assert asked(gateway) == [READY, LIST, LIST, "/v1/chat/completions"]
        target.close()


def test_a_first_look_is_evidence_of_the_checks_and_held_against_the_rules(tmp_path: Path) -> None:
    with serving() as gateway:
        gateway.answers |= APART
        controller, worker = made(gateway, tmp_path), made(gateway, tmp_path)
        controller.preflight()
        gateway.seen.clear()
        assert controller.watch.seen() == [], "the look itself was taken past the rules"
        for _ in range(2):
            assert listed_models(worker).status == 200
            assert worker.at_the_start(READINESS, lambda: worker.gateway.get(READY)).status == 200
        assert asked(gateway) == []
        urls = [exchange.url.removeprefix(gateway.url) for exchange in worker.notebook.exchanges]
        assert urls == [LIST, READY], "evidence of the case once, however often it looked"
        (breach,) = worker.watch.taken()
        assert [exchange.url.removeprefix(gateway.url) for exchange in breach.exchanges] == [LIST]
        controller.close()
        worker.close()


@pytest.mark.parametrize("status", [500, 503])
def test_what_was_refused_at_the_start_is_asked_again(status: int, tmp_path: Path) -> None:
    with serving() as gateway:
        gateway.answers |= APART | {READY: (status, {"status": "starting"}, {})}
        target = made(gateway, tmp_path)
        target.preflight()
        gateway.answers |= APART
        gateway.seen.clear()
        ready = target.at_the_start(READINESS, lambda: target.gateway.get(READY, key=None))
        assert (ready.status, asked(gateway)) == (200, [READY])
        target.close()


def test_without_a_first_look_a_check_asks_and_is_judged_once(tmp_path: Path) -> None:
    with serving() as gateway:
        target = made(gateway, tmp_path)
        assert target.at_the_start(MODELS, target.gateway.models).status == 200
        assert asked(gateway) == [LIST]
        assert len(target.notebook.exchanges) == 1
        (breach,) = target.watch.taken()
        assert len(breach.exchanges) == 1
        target.close()
