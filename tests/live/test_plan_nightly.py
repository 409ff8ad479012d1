"""``--plan`` of nightly and release before a real LiteLLM, by the table that is shipped: what it says is what
gateway and backends counted themselves, to the request; what chance or time decides lies between what is
said. Within a tenth in tokens. Long: part of ``make matrices``."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.cli.catalogue import collect
from gateway_acceptance.costs import Costs, kind_of, load_costs, place_of, template_of
from gateway_acceptance.environment import Environment
from gateway_acceptance.plan import planned
from gateway_acceptance.plan_ranges import between
from gateway_acceptance.record import Selected
from lab.state import LabState
from tests.live.conftest import ROOT, judge
from tests.live.test_plan import WITHIN, counted, gateway

__all__ = ["gateway"]

BUDGET_S = 900
CUT_OFF = "API-EMB-023"
"""Its texts are longer than a window: LiteLLM tells the tokens of all of it, Ollama reads the beginning."""


@pytest.mark.parametrize("profile", ["nightly", "release"])
def test_a_plan_is_what_the_lab_counts(
    gateway: tuple[Environment, LabState], tmp_path: Path, profile: str
) -> None:
    environment, state = gateway
    costs = load_costs(ROOT / "suites" / "costs.json")
    seen, before = tmp_path / "seen", counted(environment)
    options = (f"--measure-costs={seen}", "-n", "0")
    run = judge(environment, tmp_path / "runs", *options, key=state.key, profile=profile, budget_s=BUDGET_S)
    assert run.record is not None, run.output
    after = counted(environment)
    requests, tokens = after[0] - before[0], after[1] - before[1]
    catalogue = {check.id: check for check in collect(ROOT).checks}
    cases = [
        Selected(case["nodeid"], check, environment.name, case["parameters"]) for check, case in run.cases()
    ]
    total = planned(environment, cases, catalogue, costs, "nightly").total
    lines = [json.loads(line) for line in seen.read_text(encoding="utf-8").splitlines()]
    otherwise, drawn, probes = differences(lines, environment, costs)
    print(profile, total.requests, total.most, total.served, requests, tokens, drawn, probes)
    told = f"planned {total.requests} to {total.most} requests, {total.served} tokens; "
    told += f"counted {requests}, {tokens}"
    assert otherwise == {}, f"{told}; gateway-acceptance costs --write measures anew"
    assert run.record["totals"]["requests"] == total.requests + drawn + probes <= total.most, told
    assert total.requests + drawn <= requests <= total.requests + drawn + probes, told
    served = total.served - sum(line["own"]["served"] for line in lines if line["check"] == CUT_OFF)
    assert abs(tokens - served) <= WITHIN * served, told


def differences(
    lines: list[dict[str, Any]], environment: Environment, costs: Costs
) -> tuple[dict[str, str], int, int]:
    """What cases and shared observations sent otherwise than the table says, by name; how many requests
    chance and time decided, beyond the least that the plan counts of each; and how many asked whether the
    gateway still lives: a busy one is silent for a while, and need not have noted them."""
    otherwise: dict[str, str] = {}
    drawn, probes, made = 0, 0, set[str]()
    for line in lines:
        parameters = line["parameters"]
        found = costs.price(
            line["check"], kind_of(parameters, environment), place_of(parameters, environment)
        )
        costed = [(f"{line['check']} {parameters}", found[0] if found else None, line["own"])]
        for name, own in line["shared"].items():
            if name not in made:
                made.add(name)
                costed.append((name, costs.shared.get(template_of(name, parameters)), own))
        for name, price, own in costed:
            sent = Counter(own["drawn"])
            probes += own["probes"]
            certain = own["requests"] - sent.total()
            if price is None or price.certain != certain or price.drawn.keys() != sent.keys():
                otherwise[name] = f"planned {price}, sent {own}"
                continue
            for decides, number in sent.items():
                told = max(price.drawn[decides], price.most.get(decides, 0))
                least, most = between(decides, told, environment)
                drawn += number - least
                if not least <= number <= most:
                    otherwise[name] = f"planned {least} to {most}, sent {number}: {decides}"
    return otherwise, drawn, probes
