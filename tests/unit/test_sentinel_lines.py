"""Sentinels of several lines are asked at once: counted, named and paced as if they were asked in turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.check import MUST, READ, Check, Effect, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel, Waking
from gateway_acceptance.subjects import SUBJECTS, judged
from gateway_acceptance.verdict import CheckFailed, NotPermitted
from gateway_acceptance.wire import ledger, pace
from gateway_acceptance.wire.exchange import Notebook
from suites.sentinels import SENTINELS
from suites.sentinels.refusals import WITH_THE_KEY
from tests.unit.plain_gateway import KEY, Plain, serving
from tests.unit.test_sentinels_ill import declared

HERE = __name__
AGENT = "run 1; check API-T-101"


@check("API-T-101", "a case that sentinels stand behind", level=MUST, effect=READ, profile="smoke")
def host() -> None:
    """Never called."""


@check("API-T-102", "an owner that finds something", level=MUST, effect=READ)
def owner(target: Any) -> None:
    judged(owners=1)
    raise CheckFailed("it is broken")


@contextmanager
def a_target(folder: Path, **policy: object) -> Iterator[tuple[Target, Plain]]:
    with serving() as gateway:
        environment = declared(gateway.url)
        environment = environment.model_copy(update={"policy": environment.policy.model_copy(update=policy)})
        target = Target(environment, KEY, folder, time.time(), Notebook(agent=AGENT))
        try:
            yield target, gateway
        finally:
            target.close()


def asked(target: Target, *sentinels: Sentinel, meanwhile: Callable[[], object] = lambda: None) -> None:
    mark = next(one for one in host.pytestmark if one.name == "check")  # type: ignore[attr-defined]
    after: Check = mark.args[0]
    waking = Waking(lambda: sentinels, lambda _check, _name: True, meanwhile)
    SUBJECTS.begin()
    waking.after(after, target, red=False, selected=())


def sentinel(name: str, ask: Callable[[Target], bool], line: str) -> Sentinel:
    return Sentinel(name, "API-T-101", (f"{HERE}:owner",), ask, line)


def listed(target: Target) -> bool:
    judged(lists=1)
    return target.gateway.models().status == 200


def test_lines_are_asked_at_once_and_within_a_line_in_turn(tmp_path: Path) -> None:
    both, turns = threading.Barrier(2), []

    def meets(_: Target) -> bool:
        both.wait(60)
        return True

    def takes_turn(number: int) -> Callable[[Target], bool]:
        def ask(_: Target) -> bool:
            turns.append(number)
            return True

        return ask

    one = [sentinel("1a", meets, "one"), *(sentinel(f"1{n}", takes_turn(n), "one") for n in range(5))]
    with a_target(tmp_path) as (target, _):
        asked(target, *one, sentinel("2", meets, "two"))
        assert turns == list(range(5))
        assert target.watch.taken() == []


def test_what_lines_send_is_counted_named_and_no_evidence(tmp_path: Path) -> None:
    with a_target(tmp_path) as (target, gateway):
        asked(target, *(sentinel(str(number), listed, str(number)) for number in range(9)))
        assert len(gateway.seen) == 9
        assert all(AGENT in one.headers["user-agent"] for one in gateway.seen)
        assert target.budget.spent.requests == target.notebook.meter.case.requests == 9
        assert target.notebook.exchanges == []
        assert SUBJECTS.counts == {}, "they are no subject of the case that they stand behind"


def test_what_several_lines_need_is_asked_once(tmp_path: Path) -> None:
    def ask(target: Target) -> bool:
        return bool(target.once(("models",), target.gateway.models).status == 200)

    with a_target(tmp_path) as (target, gateway):
        asked(target, *(sentinel(str(number), ask, str(number)) for number in range(9)))
        assert len(gateway.seen) == 1
        assert target.once(("models",), target.gateway.models).status == 200
        assert len(gateway.seen) == len(target.notebook.exchanges) == 1
        assert target.notebook.meter.case.uses == {f"{target.environment.name} / models"}
        assert sum(cost.requests for cost in target.notebook.meter.shared.values()) == 1


@pytest.mark.parametrize("allowed", [1, 2])
def test_no_more_are_asked_at_once_than_the_policy_allows(tmp_path: Path, allowed: int) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def answer(_: object) -> Any:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        with lock:
            now[0] -= 1
        return 200, {"object": "list", "data": []}, {}

    def raw(target: Target) -> bool:
        return target.gateway.without_key("GET", "/v1/models").status == 200

    with a_target(tmp_path, concurrency=allowed) as (target, gateway):
        gateway.answers = {"/v1/models": answer}
        asked(
            target,
            *(sentinel(str(number), raw if number % 2 else listed, str(number)) for number in range(9)),
        )
        assert len(gateway.seen) == 9
        assert most[0] <= allowed


def test_a_raw_request_takes_one_of_the_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "PLACE_S", 0.0)
    with a_target(tmp_path, concurrency=1) as (target, gateway):
        assert target.conduct.pace is not None
        place = target.conduct.pace.place()
        with pytest.raises(NotPermitted):
            target.gateway.without_key("GET", "/v1/models")
        assert gateway.seen == []
        assert target.budget.spent.requests == 0
        ledger.free(place)
        for _ in range(2):
            assert target.gateway.without_key("GET", "/v1/models").status == 401


def test_the_budget_ends_what_lines_send(tmp_path: Path) -> None:
    with a_target(tmp_path, requests=4) as (target, gateway):
        asked(target, *(sentinel(str(number), listed, str(number)) for number in range(9)))
        assert len(gateway.seen) == 4
        assert target.watch.taken() == [], "what may not be asked wakes nobody"


def test_what_a_line_finds_wakes_and_a_fall_is_our_mistake(tmp_path: Path) -> None:
    def falls(_: Target) -> bool:
        raise KeyError("x")

    with a_target(tmp_path) as (target, _):
        asked(target, sentinel("well", listed, "1"), sentinel("ill", lambda _: False, "2"))
        assert [breach.check for breach in target.watch.taken()] == ["API-T-102"]
        asked(target, sentinel("fallen", falls, "3"))
        assert "the sentinel 'fallen' fell over" in target.watch.mistakes[0]


def test_what_carries_the_key_stands_in_one_line(tmp_path: Path) -> None:
    """A key may be allowed one request at a time."""
    keys: dict[str, set[bool]] = {}
    for one in (one for one in SENTINELS if one.line):
        with a_target(tmp_path, effects=tuple(Effect)) as (target, gateway):
            gateway.answers = {path: (400, {}, {}) for path in ("/v1/chat/completions", "/v1/embeddings")}
            one.ask(target)
            carried = {f"Bearer {KEY}" == each.authorization for each in gateway.seen}
            keys.setdefault(one.line, set()).update(carried)
    assert [line for line, carried in keys.items() if True in carried] == [WITH_THE_KEY]
    assert {one.after for one in SENTINELS if one.line} == {"API-ERR-001"}
