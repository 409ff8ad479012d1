"""What is let in, served or told wakes; what is refused does not, in whatever words."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.check import Effect
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.verdict import NotPermitted
from gateway_acceptance.wire.exchange import Notebook
from suites.api.chat.rich import LONG_AGO, all_counted
from suites.sentinels.beside import BESIDE_SENTINELS
from suites.sentinels.doors import DOOR_SENTINELS, KNOCKS
from suites.sentinels.keys import KEY_REQUESTS, KEY_SENTINELS
from suites.sentinels.refusals import REFUSAL_SENTINELS
from tests.json_server import Answer, Asked
from tests.unit.plain_gateway import KEY, serving
from tests.unit.test_sentinels_ill import Always, declared

OTHER_FORMS = {"a file of settings", "the front page"}
"""Those that an empty list tells nothing: their answers have another form."""
REFUSAL = {"error": {"message": "no", "type": "auth_error", "param": None, "code": "401"}}
EMPTY: dict[str, Any] = {"object": "list", "data": []}
UNREADABLE = "no text, deep in arrays"
"""What the plain gateway of these tests does not read itself."""
READ = tuple(one for one in REFUSAL_SENTINELS if one.name != UNREADABLE)
ALL = (*DOOR_SENTINELS, *KEY_SENTINELS, *READ)


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
    assert quiet(sentinel, 200, EMPTY, tmp_path)[0] is (sentinel.name in OTHER_FORMS)


@pytest.mark.parametrize("sentinel", READ, ids=lambda one: one.name)
def test_an_internal_error_wakes(sentinel: Sentinel, tmp_path: Path) -> None:
    assert not quiet(sentinel, 500, REFUSAL, tmp_path)[0]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("the front page", hashlib.sha256(KEY.encode()).hexdigest().encode()),
        ("a file of settings", b"MASTER_KEY=sk-x\n"),
    ],
)
def test_what_only_some_answers_tell(name: str, body: object, tmp_path: Path) -> None:
    sentinel = next(one for one in DOOR_SENTINELS if one.name == name)
    assert not quiet(sentinel, 200, body, tmp_path)[0]


@pytest.mark.parametrize("sentinel", DOOR_SENTINELS, ids=lambda one: one.name)
def test_nobody_knocks_where_probes_are_not_permitted(sentinel: Sentinel, tmp_path: Path) -> None:
    with pytest.raises(NotPermitted):
        quiet(sentinel, 200, EMPTY, tmp_path, Effect.READ, Effect.SPEND)


def test_ways_in_cost_what_is_said_of_them(tmp_path: Path) -> None:
    asked = []
    for number, sentinel in enumerate((*DOOR_SENTINELS, *KEY_SENTINELS)):
        folder = tmp_path / str(number)
        folder.mkdir()
        asked.append(quiet(sentinel, 400, REFUSAL, folder)[1])
    keys = len(KEY_SENTINELS)
    alone = 1  # the refusal of a wrong key, which API-AUTH-003 has asked for
    beside = 1  # who says nothing, which API-AUTH-002 has asked for
    beside += 1  # without a Host, where nothing has shown that another one changes nothing
    assert sum(asked[:-keys]) == len(KNOCKS) + beside
    assert sum(asked[-keys:]) == KEY_REQUESTS + alone


def test_a_question_that_ends_in_an_internal_error_is_suspicious(tmp_path: Path) -> None:
    assert not quiet(BESIDE_SENTINELS[0], 500, REFUSAL, tmp_path)[0]


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


@pytest.mark.parametrize("number", [0, 1])
def test_what_stands_beside_a_host_that_is_minded_is_asked_without_it(number: int, tmp_path: Path) -> None:
    assert KNOCKS[number].beside or KNOCKS[number].after_another
    assert not quiet_where(DOOR_SENTINELS[number], minding, tmp_path)[0]
