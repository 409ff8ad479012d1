"""Weights of the key, or of its team, that nobody declared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from suites.backends.balance.scoped import KEY_INFO, settings_of, undeclared_weights
from tests.unit.declared import environment

WEIGHTS = {"weights": {"both": {"id-1": 3, "id-2": 1}}}
TEAM = "/team/info?team_id=t%201"


def target(answers: Mapping[str, object], **gateway: Any) -> Any:
    """A target whose gateway answers these paths with 200, and any other with 404."""

    def get(path: str) -> Any:
        known = path in answers
        return SimpleNamespace(status=200 if known else 404, text=json.dumps(answers.get(path, {})))

    url = {"url": "http://127.0.0.1:4000", "key_variable": "K", "product": "litellm", **gateway}
    return SimpleNamespace(environment=environment(gateway=url), gateway=SimpleNamespace(get=get))


@pytest.mark.parametrize("settings", [WEIGHTS, json.dumps(WEIGHTS)], ids=["an object", "as text"])
def test_those_of_the_key_are_named(settings: object) -> None:
    told = undeclared_weights(target({KEY_INFO: {"info": {"router_settings": settings}}}), "both")
    assert told == (
        "the suite's key has weights of its own for both (router_settings.weights: id-1 3, id-2 1); "
        "declare scoped_weight"
    )


def test_those_of_the_team_count_where_the_key_has_no_settings() -> None:
    team = {TEAM: {"team_info": {"router_settings": WEIGHTS}}}
    alone = {KEY_INFO: {"info": {"team_id": "t 1", "router_settings": {}}}}
    assert undeclared_weights(target({**alone, **team}), "both").startswith("the team of the suite's key has")
    own = {KEY_INFO: {"info": {"team_id": "t 1", "router_settings": {"num_retries": 1}}}}
    assert undeclared_weights(target({**own, **team}), "both") == ""


@pytest.mark.parametrize(
    "answers",
    [{}, {KEY_INFO: []}, {KEY_INFO: {"info": None}}, {KEY_INFO: {"info": {"router_settings": "{"}}}],
)
def test_what_is_not_told_is_no_weight(answers: Mapping[str, object]) -> None:
    assert undeclared_weights(target(answers), "both") == ""


def test_other_products_are_not_asked() -> None:
    asked = target({KEY_INFO: {"info": {"router_settings": WEIGHTS}}}, product="portkey")
    assert undeclared_weights(asked, "both") == ""
    assert settings_of({"router_settings": WEIGHTS}) == WEIGHTS
