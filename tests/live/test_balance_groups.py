"""What must matter: shares follow the declaration, whatever is declared and however is asked.

Hypothesis draws a part of the environment ``balance`` (its simplest groups, up to one) and the shape of a
request. Each group is judged once per shape and never again: a statistical test that is repeated proves
nothing, and a memory makes shrinking deterministic.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway_acceptance.balance.expected_shares import null_of
from gateway_acceptance.balance.sequential import Design, SequentialDecision, Trial
from gateway_acceptance.environment import Environment, Group
from gateway_acceptance.wire.attribution import name_of
from lab.local import start
from lab.loopback_pool import own_net
from lab.state import LabState, stop
from tests.live.conftest import ROOT, environment_at, judge

EXAMPLES = 4
MOST_JUDGED = 2000
"""Groups that all tests of a gateway judge at most, shrinking included: far more than they ever do."""
ALPHA = 1e-3 / MOST_JUDGED
"""Of each judgement: all tests of a gateway together raise a false alarm with one of at most a thousandth."""
POWER, TOLERANCE, MOST_DRAWS = 0.97, 0.3, 600
"""97:3 needs a draw of the three to pass: 600 draws without one have a probability of 1e-8."""


@dataclass(frozen=True)
class Asked:
    """The shape of a request; its simplest is the default."""

    words: int = 1
    stream: bool = False
    options: tuple[tuple[str, Any], ...] = ()

    def body(self, alias: str) -> dict[str, Any]:
        messages = [{"role": "user", "content": " ".join(["hello"] * self.words)}]
        asked = {"model": alias, "messages": messages, "max_tokens": 1, "stream": self.stream}
        return asked | dict(self.options)


OPTIONS = (("temperature", 0), ("temperature", 1.5), ("user", "u"), ("top_p", 0.5), ("stop", "x"))
SHAPES = st.builds(
    Asked,
    words=st.sampled_from((1, 20, 300)),
    stream=st.booleans(),
    options=st.lists(st.sampled_from(OPTIONS), max_size=1).map(tuple),
)


def complexity(group: Group) -> tuple[int, int]:
    """Deployments, then what is declared of them."""
    given_of = [(member.weight, member.rpm, member.tpm, member.order) for member in group.deployments]
    return len(given_of), sum(value is not None for values in given_of for value in values)


@dataclass
class Judge:
    """Asks a gateway, and holds who served against a declaration that may be wrong."""

    client: httpx.Client
    declared: Environment
    version: str
    known: dict[tuple[Group, Asked], str]
    requests: int = 0

    def server(self, alias: str, asked: Asked) -> str:
        self.requests += 1
        answer = self.client.post("/v1/chat/completions", json=asked.body(alias))
        if answer.status_code != 200:
            pytest.exit(f"expected 200 for {alias} and {asked}, got {answer.status_code}: {answer.text}")
        return name_of(answer.headers["x-litellm-model-api-base"], self.declared.backends)

    def deviation(self, group: Group, asked: Asked) -> str:
        """What is wrong with the group's shares, or nothing."""
        place = group, asked
        if place not in self.known:
            if len(self.known) >= MOST_JUDGED:
                raise RuntimeError("alpha is spent")
            null = null_of(group, self.declared.gateway, self.version)
            trial = Trial(null, Design(tuple(null.shares.values()), ALPHA, POWER, TOLERANCE, MOST_DRAWS))
            while trial.outcome is None:
                trial.observe(self.server(group.alias, asked))
            self.known[place] = "" if trial.outcome is SequentialDecision.PASSED else trial.sentence()
        return self.known[place]


def follow_the_declaration(judge: Judge) -> None:
    """The property. Raises AssertionError for the smallest part of the gateway that deviates."""
    ordered = sorted(judge.declared.groups, key=complexity)
    aliases = [group.alias for group in ordered]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        report_multiple_bugs=False,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),  # explaining takes more judgements than both
        suppress_health_check=list(HealthCheck),
    )
    @given(up_to=st.sampled_from(aliases), asked=SHAPES)
    def shares(up_to: str, asked: Asked) -> None:
        for group in ordered[: aliases.index(up_to) + 1]:
            deviation = judge.deviation(group, asked)
            assert not deviation, f"{group.alias}: {deviation}"

    shares()


@dataclass(frozen=True)
class Many:
    """The environment ``balance``, running."""

    environment: Environment
    state: LabState
    known: dict[tuple[Group, Asked], str] = field(default_factory=dict)

    def judge(self, wrong: Callable[[Group], Group] = lambda group: group) -> Judge:
        """Of its declaration, or of what a mistake has made of it."""
        groups = tuple(wrong(group) for group in self.environment.groups)
        client = httpx.Client(
            base_url=self.environment.gateway.url,
            headers={"authorization": f"Bearer {self.state.key}"},
            timeout=20,
        )
        declared = self.environment.model_copy(update={"groups": groups})
        return Judge(client, declared, self.state.version, self.known)


@pytest.fixture(scope="module", params=["1.74.15", "latest"])
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Many]:
    with own_net() as net:
        folder: Path = tmp_path_factory.mktemp("balance")
        environment = environment_at(net, folder, embedded=True, of="balance")
        state = start(environment, request.param, ROOT, print, owner=os.getpid())
        try:
            yield Many(environment, state)
        finally:
            assert stop(state)


def test_shares_follow_the_declaration(many: Many) -> None:
    judge = many.judge()
    follow_the_declaration(judge)
    judged = {group.alias for group, _ in judge.known}
    assert len(judged) > len(many.environment.groups) / 2
    assert judge.requests < MOST_DRAWS * len(judge.known) / 4, "most take far fewer draws than the most"


def test_an_rpm_is_no_limit_without_pre_call_checks(many: Many) -> None:
    """60 and 20 in a minute are declared; 300 in seconds are served all the same, in that proportion."""
    judge = many.judge()
    served = [judge.server("rpm-3-1", Asked()) for _ in range(300)]
    assert 180 < served.count("one") < 270  # 225 are expected; six standard deviations are 45


Values = Mapping[str, Mapping[int, Any]]
"""What is declared otherwise, by the places of the deployments that it is declared of."""


def replaced(group: Group, alias: str, values: Values) -> Group:
    """The group, with other values where it is the one that is meant."""
    if group.alias != alias:
        return group
    changes = [
        {name: by_place[place] for name, by_place in values.items() if place in by_place}
        for place in range(len(group.deployments))
    ]
    return changed(group, changes)


def reversed_weights(group: Group) -> Group:
    """The group, its weights read from the wrong end."""
    return changed(group, [{"weight": member.weight} for member in reversed(group.deployments)])


def changed(group: Group, changes: list[dict[str, Any]]) -> Group:
    """The group with changed deployments."""
    members = zip(group.deployments, changes, strict=True)
    deployments = tuple(member.model_copy(update=change) for member, change in members)
    return group.model_copy(update={"deployments": deployments})


MISTAKES: dict[str, tuple[str, Values]] = {
    "weights swapped": ("weights-1-3", {"weight": {0: 3.0, 1: 1.0}}),
    "a weight of zero that serves": ("alike-3", {"weight": {0: 1.0, 1: 1.0, 2: 0.0}}),
    "a missing weight taken for one": ("weight-missing-last", {"weight": {2: 1.0}}),
    "rpm taken for the weight": ("weight-before-rpm", {"weight": {0: None, 1: None}}),
}


@pytest.mark.parametrize(
    ("many", "mistake"),
    [*(("1.74.15", mistake) for mistake in MISTAKES), ("latest", "weights swapped")],
    indirect=["many"],
)
def test_a_declaration_that_is_wrong_in_one_place_shrinks_to_it(many: Many, mistake: str) -> None:
    alias, values = MISTAKES[mistake]
    judge = many.judge(functools.partial(replaced, alias=alias, values=values))
    with pytest.raises(AssertionError) as caught:
        follow_the_declaration(judge)
    assert str(caught.value).startswith(f"{alias}: "), caught.value
    shown = "".join(getattr(caught.value, "__notes__", []))
    assert f"up_to={alias!r}" in shown, shown
    assert f"asked={Asked()!r}" in shown, shown


def test_of_many_wrong_groups_the_smallest_is_shown(many: Many) -> None:
    """Weights read from the wrong end: more than ten groups are wrong, one of two deployments first."""
    judge = many.judge(reversed_weights)
    with pytest.raises(AssertionError) as caught:
        follow_the_declaration(judge)
    wrong = [group.alias for group in many.environment.groups if reversed_weights(group) != group]
    assert len(wrong) > 10
    assert wrong[0] == "weights-3-1"
    shown = "".join(getattr(caught.value, "__notes__", []))
    assert "up_to='weights-3-1'" in shown, shown


def test_a_strategy_that_promises_no_shares_is_not_judged(tmp_path: Path) -> None:
    """least-busy gives everything to the first while nothing is under way: never a failure, never green."""
    with own_net() as net:
        environment = environment_at(net, tmp_path, embedded=True, of="balance", strategy="least-busy")
        run = judge(
            environment, tmp_path / "runs", "suites/backends/balance/test_shares.py", profile="nightly"
        )
    assert set(run.verdicts("passed")) <= {"BACKEND-BAL-012"}, run.output  # that there are several
    assert not run.verdicts("failed"), run.output
    assert "BACKEND-BAL-001" in run.verdicts("not applicable")
    assert "least-busy promises no shares" in run.output + json.dumps(run.record)
