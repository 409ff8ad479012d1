"""What is let in, served or told wakes; what is refused does not, in whatever words."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.verdict import NotPermitted
from gateway_acceptance.wire.exchange import Notebook
from suites.api.auth.tried import LIST
from suites.api.chat.rich import LONG_AGO, all_counted
from suites.sentinels.beside import BESIDE_SENTINELS
from suites.sentinels.doors import DOOR_SENTINELS, KNOCKS
from suites.sentinels.keys import KEY_REQUESTS, KEY_SENTINELS
from suites.sentinels.pairs import PAIR_SENTINELS, PAIRS, Paired
from suites.sentinels.refusals import REFUSAL_SENTINELS
from suites.sentinels.tools import TOOL_SENTINELS
from tests.json_server import Answer, Asked
from tests.unit.plain_gateway import KEY, serving
from tests.unit.test_sentinels_ill import Always, declared

REFUSAL = {"error": {"message": "no", "type": "auth_error", "param": None, "code": "401"}}
EMPTY: dict[str, Any] = {"object": "list", "data": []}
UNREADABLE = "no text, deep in arrays"
"""What the plain gateway of these tests does not read itself."""
READ = tuple(one for one in REFUSAL_SENTINELS if one.name != UNREADABLE)
ALL = (*DOOR_SENTINELS, *KEY_SENTINELS, *PAIR_SENTINELS, *READ)


def quiet(sentinel: Sentinel, status: int, body: object, folder: Path, *effects: Effect) -> tuple[bool, int]:
    """Whether it has nothing to tell where every answer is this one, and how often it asked."""
    return quiet_where(sentinel, (status, body, {}), folder, *effects)


def quiet_where(sentinel: Sentinel, answer: object, folder: Path, *effects: Effect) -> tuple[bool, int]:
    """The same of an answer, or of what answers."""
    with serving() as gateway:
        gateway.answers = Always(answer=answer)
        environment = declared(gateway.url)
        effects = effects or (*environment.policy.effects, Effect.PROBE)
        policy = environment.policy.model_copy(update={"effects": effects})
        environment = environment.model_copy(update={"policy": policy})
        target = Target(environment, KEY, folder, time.time(), Notebook())
        try:
            return sentinel.ask(target), target.budget.spent.requests
        finally:
            target.close()


@pytest.mark.parametrize("status", [400, 404, 405])
@pytest.mark.parametrize("sentinel", ALL, ids=lambda one: one.name)
def test_a_refusal_wakes_nobody(sentinel: Sentinel, status: int, tmp_path: Path) -> None:
    assert quiet(sentinel, status, REFUSAL, tmp_path)[0]


@pytest.mark.parametrize("sentinel", ALL, ids=lambda one: one.name)
def test_what_is_served_wakes(sentinel: Sentinel, tmp_path: Path) -> None:
    assert quiet(sentinel, 200, EMPTY, tmp_path)[0] is False


@pytest.mark.parametrize("sentinel", READ, ids=lambda one: one.name)
def test_an_internal_error_wakes(sentinel: Sentinel, tmp_path: Path) -> None:
    assert not quiet(sentinel, 500, REFUSAL, tmp_path)[0]


def of_pair(name: str) -> Sentinel:
    return next(one for one in PAIR_SENTINELS if name in one.name)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda one: one.name)
def test_a_route_that_nobody_guards_wakes_whatever_key_comes(pair: Paired, tmp_path: Path) -> None:
    body = {"jsonrpc": "2.0", "result": {"protocolVersion": "2025-03-26"}}

    def unguarded(asked: Asked) -> Answer:
        there = asked.path.split("?")[0] == pair.route.path
        return (200, body, {}) if there else (401, REFUSAL, {})

    assert not quiet_where(pair.sentinel(), unguarded, tmp_path)[0]


@pytest.mark.parametrize("status", [403, 404, 500])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda one: one.name)
def test_a_route_that_tells_nothing_of_a_key_leaves_it_to_the_list(
    pair: Paired, status: int, tmp_path: Path
) -> None:
    def answer(asked: Asked, opened: bool) -> Answer:
        if asked.path.split("?")[0] == pair.route.path:
            return status, REFUSAL, {}
        counts = opened and asked.headers.get("authorization") == said
        return (200, EMPTY, {}) if counts else (401, REFUSAL, {})

    said = pair.credential.value(KEY)
    steady = Paired(pair.name, pair.route, replace(pair.credential, value=lambda _: said)).sentinel()
    for opened in (False, True):
        folder = tmp_path / str(opened)
        folder.mkdir()
        assert quiet_where(steady, lambda asked: answer(asked, opened), folder)[0] is not opened  # noqa: B023


@pytest.mark.parametrize("console", [True, False], ids=["any path has the page", "one path alone"])
def test_a_console_that_answers_any_path_is_no_insight(tmp_path: Path, console: bool) -> None:
    """Smoke went through all ways in, 350 requests, before every gateway with such a console."""

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/v1/"):
            return 401, REFUSAL, {}
        shown = console or asked.path == "/metrics"
        return (200, b"<html>app</html>", {"content-type": "text/html"}) if shown else (404, REFUSAL, {})

    assert quiet_where(of_pair("insight"), answer, tmp_path)[0] is console


def test_a_stranger_s_page_wakes(tmp_path: Path) -> None:
    trusting = {
        "access-control-allow-origin": "https://stranger.example",
        "access-control-allow-credentials": "true",
    }
    assert not quiet_where(of_pair("insight"), (401, REFUSAL, trusting), tmp_path)[0]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda one: one.name)
def test_no_route_is_tried_where_probes_are_not_permitted(pair: Paired, tmp_path: Path) -> None:
    sentinel = pair.sentinel()

    def listed_alone(asked: Asked) -> Answer:
        return (401, REFUSAL, {}) if asked.path.split("?")[0] == LIST else (200, EMPTY, {})

    assert quiet_where(sentinel, listed_alone, tmp_path, Effect.READ, Effect.SPEND)[0]


@pytest.mark.parametrize("sentinel", DOOR_SENTINELS[: len(KNOCKS)], ids=lambda one: one.name)
def test_nobody_knocks_where_probes_are_not_permitted(sentinel: Sentinel, tmp_path: Path) -> None:
    with pytest.raises(NotPermitted):
        quiet(sentinel, 200, EMPTY, tmp_path, Effect.READ, Effect.SPEND)


def test_a_made_up_key_in_the_url_that_is_called_wrong_wakes(tmp_path: Path) -> None:
    (knock,) = DOOR_SENTINELS[: len(KNOCKS)]

    def told(asked: Asked, *places: str) -> Answer:
        read = "authorization" in asked.headers or any(one in asked.path for one in places)
        return 401, {"error": {**REFUSAL["error"], "message": "wrong key" if read else "no key"}}, {}

    for number, (places, shut) in enumerate(((("api_key=",), False), ((), True))):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert quiet_where(knock, lambda asked: told(asked, *places), folder)[0] is shut  # noqa: B023


def test_ways_in_cost_what_is_said_of_them(tmp_path: Path) -> None:
    asked = []
    for number, sentinel in enumerate((*DOOR_SENTINELS, *KEY_SENTINELS)):
        folder = tmp_path / str(number)
        folder.mkdir()
        asked.append(quiet(sentinel, 400, REFUSAL, folder)[1])
    keys = len(KEY_SENTINELS)
    alone = 1  # the refusal of a wrong key, which API-AUTH-003 has asked for
    plain = 1  # who says nothing, which API-AUTH-002 has asked for
    looked_at = 2  # what API-ACCESS-001 and -002 have asked for
    assert sum(asked[:-keys]) == len(KNOCKS) + alone + plain * len(DOOR_SENTINELS) + looked_at
    assert sum(asked[-keys:]) == KEY_REQUESTS + alone + plain
    for number, sentinel in enumerate(PAIR_SENTINELS[: len(PAIRS)]):
        folder = tmp_path / f"pair {number}"
        folder.mkdir()
        assert quiet(sentinel, 400, REFUSAL, folder)[1] == 1 + alone + plain


def test_a_question_that_ends_in_an_internal_error_is_suspicious(tmp_path: Path) -> None:
    assert not quiet(TOOL_SENTINELS[0], 500, REFUSAL, tmp_path)[0]
    (tmp_path / "beside").mkdir()
    plain = quiet(BESIDE_SENTINELS[0], 500, REFUSAL, tmp_path / "beside")
    assert plain == (True, 0), "the tools' question carries it"


def test_a_turn_that_is_not_counted_is_missed() -> None:
    def answer(count: int) -> Any:
        class Answer:
            status, text = 200, ""
            body = json.dumps({"choices": [], "usage": {"prompt_tokens": count}}).encode()

        return Answer()

    assert all_counted(answer(400), LONG_AGO)
    assert not all_counted(answer(230), LONG_AGO)


def minding(asked: Asked) -> Answer:
    """A gateway that refuses every Host but its own, and believes a cookie, or a key in a header."""
    if not asked.headers.get("host", "").startswith("127."):
        return 421, REFUSAL, {}
    opened = asked.headers.get("cookie") or asked.headers.get("x-api-key")
    return (200, EMPTY, {}) if opened else (401, REFUSAL, {})


def test_what_stands_beside_a_host_that_is_minded_is_asked_without_it(tmp_path: Path) -> None:
    assert KNOCKS[0].beside
    assert not quiet_where(DOOR_SENTINELS[0], minding, tmp_path)[0]


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.route.published], ids=lambda one: one.name)
def test_a_route_whose_host_is_minded_is_asked_without_another(pair: Paired, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        if not asked.headers.get("host", "").startswith("127."):
            return 421, REFUSAL, {}
        there = asked.path == pair.route.path
        return (200, {"protocolVersion": "1"}, {}) if there else (401, REFUSAL, {})

    assert not quiet_where(pair.sentinel(), answer, tmp_path)[0]
