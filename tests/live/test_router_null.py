"""The null hypothesis against LiteLLM's own router: what it would draw by, whatever is declared."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.balance.expected_shares import UndefinedSharesError, WitnessResolution, null_of
from gateway_acceptance.environment import Deployment, Gateway, Group
from lab.litellm.install import ensure_litellm, resolve_version
from lab.patience import patient
from tests.live.conftest import ROOT

Given = dict[str, Any]
SCRIPT = Path(__file__).with_name("router_weights.py")
SEED, RANDOM_GROUPS = 1, 300
WEIGHTS: tuple[float | None, ...] = (None, 0, 2.5)
LIMITS: tuple[int | None, ...] = (None, 3)
ORDERS: tuple[int | None, ...] = (None, 1, 2)


def groups(*, checks: bool) -> list[list[Given]]:
    """Every group of two over a small alphabet, and larger ones by chance; the smallest first. With pre-call
    checks an rpm of zero is a limit that is always reached: there is none then."""
    one = [
        given({"weight": weight, "rpm": rpm, "order": order})
        for weight, rpm, order in itertools.product(WEIGHTS, LIMITS, ORDERS)
    ]
    every = [[*pair] for pair in itertools.product(one, repeat=2)]
    chance = random.Random(SEED)
    larger = [
        [
            given(
                {
                    "weight": chance.choice((*WEIGHTS, 97, 0.001)),
                    "rpm": chance.choice((*LIMITS, 6000, 1 if checks else 0)),
                    "tpm": chance.choice((*LIMITS, 0)),
                    "order": chance.choice((*ORDERS, 0, -1)),
                }
            )
            for _ in range(chance.randint(3, 6))
        ]
        for _ in range(RANDOM_GROUPS)
    ]
    for number, group in enumerate(larger):
        if number % 3 == 0:  # those of a key or a team: LiteLLM refuses them where none is positive
            weighed = {place: chance.choice((0.0, 2.5, 7.0)) for place in range(len(group)) if place % 2 == 0}
            for place, weight in (weighed if any(weighed.values()) else {0: 1.5}).items():
                group[place]["scoped_weight"] = weight
    return sorted([*every, *larger], key=lambda group: (len(group), sum(map(len, group))))


def given(values: Given) -> Given:
    return {name: value for name, value in values.items() if value is not None}


def asked(installed: Path, declared: Sequence[Sequence[Given]], *, checks: bool) -> list[list[float] | None]:
    """What the router of an installed LiteLLM would draw by, for each group."""
    done = subprocess.run(
        [str(installed.with_name("python")), str(SCRIPT)],
        input=json.dumps({"checks": checks, "groups": declared}),
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(120),
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("WEIGHTS ")]
    assert lines, done.stderr[-3000:]
    found: list[list[float] | None] = json.loads(lines[-1].removeprefix("WEIGHTS "))
    return found


def declared_shares(members: Sequence[Given], version: str, *, checks: bool) -> list[float] | None:
    """What the null hypothesis says; None where none can be drawn."""
    group = Group(
        alias="g",
        deployments=tuple(
            Deployment(backend="b", upstream=f"m{place}", **member) for place, member in enumerate(members)
        ),
    )
    gateway = Gateway(url="http://127.0.0.1:4000", product="litellm", pre_call_checks=checks)
    try:
        return list(null_of(group, gateway, version, WitnessResolution.DEPLOYMENT).shares.values())
    except UndefinedSharesError:
        return None


@pytest.mark.parametrize("checks", [False, True], ids=["", "pre-call-checks"])
@pytest.mark.parametrize("wanted", ["1.74.15", "latest"])
def test_the_router_draws_by_the_null_hypothesis(wanted: str, checks: bool) -> None:
    """Each of some 600 groups; the first that differs is the smallest."""
    version = resolve_version(wanted)
    declared = groups(checks=checks)
    for members, weights in zip(
        declared, asked(ensure_litellm(ROOT, version, print), declared, checks=checks), strict=True
    ):
        expected = declared_shares(members, version, checks=checks)
        if weights is None or expected is None:
            assert weights is expected, (members, weights, expected)
        else:
            total = sum(weights)
            assert [one / total for one in weights] == pytest.approx(expected, abs=1e-12), members
