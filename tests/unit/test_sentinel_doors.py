"""What is let in, served or told wakes; what is refused does not, in whatever words."""

from __future__ import annotations

import hashlib
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
from suites.sentinels.doors import DOOR_SENTINELS
from suites.sentinels.keys import KEY_REQUESTS, KEY_SENTINELS
from suites.sentinels.refusals import REFUSAL_SENTINELS
from tests.unit.plain_gateway import KEY, serving
from tests.unit.test_sentinels_ill import Always, declared

OTHER_FORMS = {"a file of settings", "the front page"}
"""Those that an empty list tells nothing: their answers have another form."""
NOT_IMPLEMENTED = {"HEAD", "OPTIONS", "TRACE"}
"""Methods that the plain gateway of these tests answers with 501: an honest answer."""
REFUSAL = {"error": {"message": "no", "type": "auth_error", "param": None, "code": "401"}}
EMPTY: dict[str, Any] = {"object": "list", "data": []}
UNREADABLE = "no text, deep in arrays"
"""What the plain gateway of these tests does not read itself."""
READ = tuple(one for one in REFUSAL_SENTINELS if one.name != UNREADABLE)
ALL = (*DOOR_SENTINELS, *KEY_SENTINELS, *READ)


def quiet(sentinel: Sentinel, status: int, body: object, folder: Path, *effects: Effect) -> tuple[bool, int]:
    """Whether it has nothing to tell where every answer is this one, and how often it asked."""
    with serving() as gateway:
        gateway.answers = Always(answer=(status, body, {}))
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
    assert quiet(sentinel, 200, EMPTY, tmp_path)[0] is (sentinel.name in OTHER_FORMS | NOT_IMPLEMENTED)


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
    assert asked == [1] * len(DOOR_SENTINELS) + asked[-3:]
    assert sum(asked[-3:]) == KEY_REQUESTS


def test_a_question_that_ends_in_an_internal_error_is_suspicious(tmp_path: Path) -> None:
    assert not quiet(BESIDE_SENTINELS[0], 500, REFUSAL, tmp_path)[0]


def test_a_turn_that_is_not_counted_is_missed() -> None:
    def answer(count: int) -> Any:
        class Answer:
            status, text = 200, ""

            def json(self) -> object:
                return {"choices": [], "usage": {"prompt_tokens": count}}

        return Answer()

    assert all_counted(answer(400), LONG_AGO)
    assert not all_counted(answer(230), LONG_AGO)
