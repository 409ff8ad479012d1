"""The bench of detection counts what gateways do: a right one passes, others are named."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator

import httpx
import pytest

from bench.balance_detection import DEPENDENT, Healthy, judged
from gateway_acceptance.balance.expected_shares import null_of
from gateway_acceptance.balance.sequential import SequentialDecision
from gateway_acceptance.environment import Environment
from tests.unit.declared import URL, environment


def declared() -> Environment:
    return environment(balance={"alpha": 0.01, "tolerance": 0.15, "most_draws": 300})


def outcome(servers: Iterator[str]) -> str:
    """What is said of a gateway whose servers come in this order."""
    mini = declared()

    def answer(_: httpx.Request) -> httpx.Response:
        url = mini.backend(next(servers)).url
        return httpx.Response(200, headers={"x-litellm-model-api-base": url})

    client = httpx.Client(base_url=URL, transport=httpx.MockTransport(answer))
    return judged(client, mini, null_of(mini.group("both"), mini.gateway, None))[0]


def by_chance(*weights: float) -> Callable[[], Iterator[str]]:
    chance = random.Random(1)
    return lambda: (chance.choices(("one", "two"), weights)[0] for _ in itertools.count())


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        (by_chance(1, 1), SequentialDecision.PASSED),
        (by_chance(9, 1), SequentialDecision.FAILED),
        (lambda: itertools.cycle(("one", "two")), DEPENDENT),
    ],
    ids=["right", "skewed", "in turns"],
)
def test_a_gateway_is_called_what_it_is(servers: Callable[[], Iterator[str]], expected: str) -> None:
    assert outcome(servers()) == expected


def test_a_run_is_as_good_as_its_worst_group() -> None:
    found = Healthy()
    found.add([(SequentialDecision.PASSED, "", 20), (SequentialDecision.PASSED, "", 30)])
    found.add([(SequentialDecision.PASSED, "", 20), (SequentialDecision.INCONCLUSIVE, "g: so", 40)])
    found.add([(SequentialDecision.INCONCLUSIVE, "g: so", 20), (DEPENDENT, "h: in turns", 40)])
    assert found.runs == {SequentialDecision.PASSED: 1, SequentialDecision.INCONCLUSIVE: 1, DEPENDENT: 1}
    assert found.groups == {SequentialDecision.PASSED: 3, SequentialDecision.INCONCLUSIVE: 2, DEPENDENT: 1}
    assert found.alarms == ["g: so", "g: so", "h: in turns"]
    assert found.draws == [50, 60, 60]
