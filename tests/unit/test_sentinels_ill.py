"""Whatever a target answers, a sentinel does not fall over: that would be told as an error of the suite."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.environment import Ability
from gateway_acceptance.plugin.outcome import outcome_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.wire.exchange import Notebook
from suites.sentinels import SENTINELS
from tests.unit.declared import document, environment
from tests.unit.plain_gateway import KEY, serving

CALL = {"tool_calls": ["x", {"function": 7}, {"function": {"name": 7, "arguments": 7}}], "content": 7}
JUNK: dict[str, Any] = {
    "a list": [],
    "a text": "x",
    "a number": 7,
    "nothing": None,
    "no JSON": b"<html>",
    "an empty body": b"",
    "data that is a number": {"data": 7},
    "data of texts": {"data": ["x"]},
    "data of entries without anything": {"data": [{}], "id": []},
    "data whose parts are numbers": {
        "data": [{"id": 7, "model_name": 7, "litellm_params": 7, "model_info": 7}]
    },
    "weights beyond every number": {
        "data": [{"litellm_params": {"weight": 10**400, "api_base": "http://["}}]
    },
    "choices of texts": {"choices": ["x"], "usage": ["x"]},
    "choices of lists": {"choices": [[]], "usage": 7},
    "no choices": {"choices": []},
    "choices without a text": {"choices": [{"text": 7, "message": 7, "finish_reason": []}], "usage": {}},
    "a message of numbers": {"choices": [{"message": CALL}], "usage": {"prompt_tokens": "x"}},
    "calls that are a text": {"choices": [{"message": {"tool_calls": "x", "content": []}}]},
    "an error that is a text": {"error": "x"},
    "an error of numbers": {"error": {"message": 7, "type": 7, "param": 7, "code": 7}},
}


class Always(dict[str, Any]):
    """One answer for every path."""

    def get(self, _path: str, _default: Any = None) -> Any:
        return self["answer"]


def declared(url: str) -> Any:
    every = sorted(one.value for one in Ability if one is not Ability.REASONING)
    given = document()
    for model in given["models"]:
        if model["kind"] == "chat":
            model["abilities"] = every
    given["gateway"] |= {
        "url": url,
        "product": "litellm",
        "endpoints": ["completions", "responses"],
    }
    given["policy"] |= {"requests": 1000, "tokens": 100_000}
    return environment(**given)


def said_of(sentinel: Sentinel, target: Target) -> Verdict | bool:
    """What came of the question, or what its failure means."""
    try:
        return sentinel.ask(target)
    except Exception as error:  # noqa: BLE001  (what it means, outcome_of says)
        return outcome_of(error, "call").verdict


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("sentinel", SENTINELS, ids=lambda one: one.name)
def test_it_reads_whatever_comes(sentinel: Sentinel, status: int, tmp_path: Path) -> None:
    with serving() as gateway:
        for number, (name, junk) in enumerate(JUNK.items()):
            gateway.answers = Always(answer=(status, junk, {}))
            folder = tmp_path / str(number)
            folder.mkdir()
            target = Target(declared(gateway.url), KEY, folder, time.time(), Notebook())
            try:
                assert said_of(sentinel, target) is not Verdict.HARNESS_ERROR, name
            finally:
                target.close()
