"""The plan: what a judgement costs and finds, said before anything is sent."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gateway_acceptance.balance.expected_shares import ExpectedShares
from gateway_acceptance.balance.operating import Simulator, operating
from gateway_acceptance.balance.plan import (
    BalancePlan,
    design_of,
    generated_draws,
    imbalanced,
    least_draws,
    plan,
    plans_of,
    smallest_detectable,
)
from gateway_acceptance.balance.sequential import Design, SequentialDecision
from gateway_acceptance.cli.balance import document, lines
from gateway_acceptance.cli.main import main
from gateway_acceptance.environment import Balance, load_environment
from tests.unit import declared
from tests.unit.declared import environment

ROOT = Path(__file__).parents[2]
HALVES = ExpectedShares("g", {"a": 0.5, "b": 0.5}, "")
ONE_AND_TWO = {"backends": [{"name": name, "url": "http://127.0.0.1:1"} for name in ("one", "two")]}


def group(*members: tuple[str, float | None], alias: str = "g") -> dict[str, Any]:
    deployments = [
        {"backend": backend, "upstream": "t"} | ({} if weight is None else {"weight": weight})
        for backend, weight in members
    ]
    return {"alias": alias, "deployments": deployments}


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_others_change_in_proportion() -> None:
    assert imbalanced((0.5, 0.3, 0.2), 0, 0.1) == pytest.approx((0.6, 0.24, 0.16))
    assert imbalanced((0.5, 0.3, 0.2), 2, -0.2) == pytest.approx((0.625, 0.375, 0))
    assert sum(imbalanced((1 / 3,) * 3, 1, 2 / 3)) == pytest.approx(1)
    for shares, by in (((0.5, 0.5), 0.6), ((0.5, 0.5), -0.6), ((1.0, 0.0), -0.5)):
        with pytest.raises(ValueError, match=r"is none|nobody is there"):
            imbalanced(shares, 0, by)


def test_the_smallest_is_found_as_planned_and_a_smaller_one_is_not() -> None:
    """Against runs that the plan did not compute."""
    design = Design((0.5, 0.5), 0.01, 0.9, 0.2, 100)
    by = smallest_detectable(design, 0, more=True)
    assert by is not None
    simulator, chance = Simulator(design), random.Random(11)
    actual = imbalanced(design.shares, 0, by)
    failed = (
        sum(simulator.run(actual, chance)[0] is SequentialDecision.FAILED for _ in range(10_000)) / 10_000
    )
    assert failed >= design.power - 0.01
    assert operating(design, imbalanced(design.shares, 0, by - 0.02)).failed < design.power


def test_what_cannot_be_found_at_all() -> None:
    """A deployment that should serve one of a hundred: 60 draws do not miss it."""
    found = plan(ExpectedShares("g", {"a": 0.99, "b": 0.01}, ""), Balance(), 1)
    by = {(one.identity, one.more): one.by for one in found.detectable}
    assert by["b", False] is by["a", True] is None
    assert by["b", True] is not None
    assert found.smallest is None
    assert found.cautions[0].startswith("a right gateway stays inconclusive in 5")
    assert found.cautions[1] == "not found with this power, however large: a more, b less"


def test_more_draws_find_less() -> None:
    sizes = [plan(HALVES, Balance(most_draws=draws), 1).smallest for draws in (40, 80, 160)]
    assert None not in sizes
    assert sizes == sorted(sizes, key=lambda one: -(one or 0))
    assert len(set(sizes)) == 3


def test_alpha_is_shared_by_groups_and_tests() -> None:
    assert design_of(HALVES, Balance(alpha=0.006), 3).alpha == pytest.approx(0.001)


def test_groups_alike_in_all_but_name_are_found_alike() -> None:
    found = plan(ExpectedShares("g", {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, ""), Balance(most_draws=40), 1)
    assert [(one.identity, one.more) for one in found.detectable] == [
        (name, more) for name in "abc" for more in (True, False)
    ]
    assert len({one.by for one in found.detectable if one.more}) == 1


def test_groups_that_cannot_be_judged_say_why() -> None:
    declared = environment(
        **ONE_AND_TWO,
        groups=[
            group(("one", None), ("one", None), alias="same"),
            group(("one", 1), ("two", None), alias="partly"),
            group(("one", None), ("two", None), alias="good"),
        ],
    )
    same, partly, good = plans_of(declared)
    assert isinstance(good, BalancePlan)
    assert not isinstance(same, BalancePlan)
    assert same.reason.startswith("all its deployments stand on one backend")
    assert isinstance(partly, BalancePlan)  # not LiteLLM: the weight of the other counts as zero
    assert partly.cautions[0].startswith("one backend alone is declared to serve")
    assert partly.fixed_draws is None
    shown = lines(declared, plans_of(declared))
    assert shown[1:3] == ["same", f"    cannot be judged: {same.reason}"]
    assert any(line.startswith("caution: policy.requests allows 10 requests, this takes") for line in shown)
    entries = document(declared, plans_of(declared))["groups"]
    assert [("cannot_be_judged" in entry) for entry in entries] == [True, False, False]


def test_production_fits_in_less_than_a_hundred_requests_of_one_token(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = said(capsys, "balance", "plan", "--env", "production", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["requests"], found["answer_tokens"], found["cautions"]) == (93, 93, [])
    (only,) = found["groups"]
    assert only["null"]["shares"] == pytest.approx({"llm-01": 1 / 3, "llm-02": 2 / 3})
    assert only["passes"] == {"llm-01": [5, 35], "llm-02": [29, 59]}
    assert only["healthy"]["passed"] > 0.9995
    assert only["healthy"]["failed"] <= only["alpha"] == 0.00015
    assert found["false_alarm_at_most"] < 0.00032
    assert found["red_by_chance_at_most"] < 1 / 2000
    assert found["red_by_chance_at_most"] == pytest.approx(
        found["failed_by_chance_at_most"] + found["inconclusive_at_most"]
    )
    assert found["requests_of_second_looks"] == 660
    assert (only["smallest_sticky"], only["smallest_tied"]) == (1.0, 0.9)  # no power for one half: it is said
    assert only["healthy"]["exact"]
    assert only["smallest_detectable"] == pytest.approx(0.35)
    assert only["cautions"] == []


def test_the_plan_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "balance", "plan", "--env", "production")
    assert code == 0
    words = (
        "production: alpha 0.0003 over 1 group(s), power 0.9, tolerance 0.3, at most 64 draws of each, by b",
        "null hypothesis   each request of hx-chat draws one of 3 deployments by itself, all alike: llm-01 1",
        "smallest found    0.35 whichever share is off; by share: llm-01 +0.35, llm-01 -0.27",
        "passed if         of 64: llm-01 5 to 35, llm-02 29 to 59",
        "for independence  64 at least of these, and 0 of generated requests",
        "alpha of a run: 0.00031 at most (a second backend hx-chat 1e-05, shares hx-chat 0.00015",
        "a second look     is made only where the first one shows something: at most 240 draws for shares, ",
        "red by statistics in at most 0.043% of runs: failed 0.031%, inconclusive 0.012% (computed)",
        "cost: at most 93 requests of 1 answer token each, and at most 660 more where something is found; ",
    )
    assert [word for word in words if word not in out] == []


def test_a_plan_is_told_the_version_where_it_matters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = {"url": "http://127.0.0.1:4000", "key_variable": "K", "product": "litellm"}
    ordered = group(("one", None), ("two", None))
    ordered["deployments"][0]["order"] = 1
    content = declared.document(gateway=gateway, groups=[ordered], balance={"most_draws": 10})
    (tmp_path / "mini.toml").write_text(tomli_w.dumps(content), encoding="utf-8")
    plan = ("balance", "plan", f"--env={tmp_path / 'mini.toml'}")
    assert "cannot be judged: group 'g': weights or orders" in said(capsys, *plan)[1]
    assert "one 1/2 (50.0%), two 1/2 (50.0%)" in said(capsys, *plan, "--version=1.74.15")[1]
    assert "one 100.0%, two 0.0%" in said(capsys, *plan, "--version=1.106.2")[1]


def test_many_groups_share_the_draws_for_independence() -> None:
    assert [least_draws(500, groups) for groups in (1, 10, 20, 28, 1000)] == [120, 120, 60, 42, 40]
    assert [generated_draws(500, groups) for groups in (1, 10, 20, 1000)] == [160, 160, 80, 40]
    assert [least_draws(500, groups, 480) for groups in (1, 10, 20, 28)] == [480, 480, 240, 171]
    assert (least_draws(30, 28), generated_draws(159, 1), generated_draws(160, 1)) == (30, 0, 160)


def test_deployments_are_told_apart_where_the_environment_says_so() -> None:
    declared = environment(
        **ONE_AND_TWO,
        balance={"witness": "deployment"},
        groups=[
            {
                "alias": "g",
                "deployments": [{"backend": "one", "upstream": "t"}, {"backend": "one", "upstream": "u"}],
            },
            group(("one", None), ("one", None), alias="same"),
        ],
    )
    apart, same = plans_of(declared)
    assert isinstance(apart, BalancePlan)
    assert apart.null.shares == {"one/t": 0.5, "one/u": 0.5}
    assert not isinstance(same, BalancePlan)
    assert same.reason.endswith("their models are the same")


def test_nothing_to_plan_and_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(environment(groups=[]), []) == ["mini declares no balanced group: nothing to plan"]
    assert said(capsys, "balance", "plan")[0] == 4
    assert said(capsys, "balance")[0] == 4
    code, _, err = said(capsys, "balance", "plan", "--env", "producton")
    assert (code, "did you mean 'production'" in err) == (4, True)


def test_the_page_tells_what_becomes_of_production() -> None:
    (planned,) = plans_of(load_environment("production", ROOT, {}))
    assert isinstance(planned, BalancePlan)
    page = (ROOT / "docs" / "balance.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| (\d+) % \| ([\d.]+) % \| ([\d.]+) %.* \| ([\d.]+) % \|", page)
    assert [row[0] for row in rows] == ["0", "33", "40", "50", "60", "67"]
    for percent, *told in rows:
        share = 1 / 3 if percent == "33" else int(percent) / 100
        found = operating(planned.design, (share, 1 - share))
        assert [float(one) for one in told] == pytest.approx(
            [100 * one for one in (found.passed, found.failed, found.inconclusive)], abs=0.51
        )


def test_the_page_shows_what_the_command_says() -> None:
    page = (ROOT / "docs" / "balance.md").read_text(encoding="utf-8")
    declared = load_environment("production", ROOT, {})
    assert "\n".join(lines(declared, plans_of(declared))) in page
