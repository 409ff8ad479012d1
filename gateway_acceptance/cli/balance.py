"""``gateway-acceptance balance plan``: what judging the proportions costs, and what it can find."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from typing import Any

from gateway_acceptance.balance.expectation import Expectation, expectation
from gateway_acceptance.balance.ledger import in_words, ledger, total
from gateway_acceptance.balance.plan import BalancePlan, NoPlan, plans_of
from gateway_acceptance.cli.root import project_root
from gateway_acceptance.environment import Environment, load_environment

ANSWER_TOKENS = 1
"""Of each draw: who serves does not depend on how long the answer is."""


def add_balance_command(commands: Any) -> None:
    """commands: what ``ArgumentParser.add_subparsers`` returns."""
    command = commands.add_parser(
        "balance",
        help="plan the judgement of balanced groups",
        description="The statistics of balanced groups (docs/balance.md).",
    )
    below = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    plan = below.add_parser(
        "plan",
        help="what it costs, and what it can find",
        description="For each balanced group: the null hypothesis, the draws, and the smallest imbalance "
        "that they find. Nothing is sent.",
    )
    plan.add_argument("--env", required=True, metavar="NAME|FILE", help="which environment")
    plan.add_argument("--version", help="of the gateway, where the file declares none: orders and weights")
    plan.add_argument("--json", action="store_true", help="one object, for machines")
    plan.set_defaults(run=_plan)


def _plan(arguments: argparse.Namespace) -> int:
    environment = load_environment(arguments.env, project_root(), os.environ)
    plans = plans_of(environment, arguments.version)
    if arguments.json:
        print(json.dumps(document(environment, plans), indent=1, ensure_ascii=False))
    else:
        print("\n".join(lines(environment, plans)))
    return 0


def document(environment: Environment, plans: list[BalancePlan | NoPlan]) -> dict[str, Any]:
    """The plan for machines: probabilities and imbalances as fractions of one."""
    balance = environment.balance
    return {
        "environment": environment.name,
        "alpha": balance.alpha,
        "power": balance.power,
        "tolerance": balance.tolerance,
        "most_draws": balance.most_draws,
        "witness": balance.witness,
        "groups": [_entry(one) for one in plans],
        "ledger": [asdict(entry) for entry in ledger(environment)],
        "false_alarm_at_most": total(ledger(environment)),
        "red_by_chance_at_most": expected(environment, plans).red,
        "failed_by_chance_at_most": expected(environment, plans).failed,
        "inconclusive_at_most": expected(environment, plans).inconclusive,
        "requests": _requests(plans),
        "requests_of_second_looks": _second_looks(plans),
        "answer_tokens": _requests(plans) * ANSWER_TOKENS,
        "cautions": _cautions(environment, plans),
    }


def _entry(one: BalancePlan | NoPlan) -> dict[str, Any]:
    if isinstance(one, NoPlan):
        return {"alias": one.alias, "cannot_be_judged": one.reason}
    return {
        "alias": one.null.alias,
        "null": {
            "sentence": one.null.sentence,
            "shares": one.null.shares,
            "premises": list(one.null.premises),
        },
        "alpha": one.design.alpha,
        "draws": one.design.most_draws,
        "draws_at_least": one.sample,
        "generated_draws": one.generated,
        "answer_tokens": (one.design.most_draws + one.generated) * ANSWER_TOKENS,
        "healthy": {
            "passed": one.healthy.passed,
            "failed": one.healthy.failed,
            "inconclusive": one.healthy.inconclusive,
            "inconclusive_at_most": one.healthy.inconclusive_at_most,
            "simulated_runs": one.healthy.runs,
            "mean_draws": one.healthy.mean_draws,
            "exact": one.healthy.exact,
        },
        "passes": one.passes,
        "second_backend_draws": one.to_a_second,
        "second_look": {
            "shares": one.second_draws,
            "order": one.row_draws,
            "second_backend": one.second_backend_draws,
        },
        "smallest_sticky": one.sticky,
        "smallest_tied": one.tied,
        "smallest_detectable": one.smallest,
        "detectable": [
            {"identity": found.identity, "direction": "more" if found.more else "less", "by": found.by}
            for found in one.detectable
        ],
        "fixed_test_draws": one.fixed_draws,
        "cautions": one.cautions,
    }


def lines(environment: Environment, plans: list[BalancePlan | NoPlan]) -> list[str]:
    """The plan for people."""
    balance = environment.balance
    if not plans:
        return [f"{environment.name} declares no balanced group: nothing to plan"]
    found = [
        f"{environment.name}: alpha {balance.alpha:g} over {len(plans)} group(s), power {balance.power:g}, "
        f"tolerance {balance.tolerance:g}, at most {balance.most_draws} draws of each, by {balance.witness}"
    ]
    for one in plans:
        found += _of_group(one)
    found += _of_alpha(environment, plans)
    found.append(
        f"cost: at most {_requests(plans)} requests of {ANSWER_TOKENS} answer token each, and at most "
        f"{_second_looks(plans)} more where something is found; nothing was sent"
    )
    return found + [f"caution: {caution}" for caution in _cautions(environment, plans)]


def _of_group(one: BalancePlan | NoPlan) -> list[str]:
    if isinstance(one, NoPlan):
        return [one.alias, f"    cannot be judged: {one.reason}"]
    healthy = one.healthy
    end = (
        f"{one.design.most_draws} draws, all of them, decide"
        if one.design.is_fixed
        else (f"{healthy.mean_draws:.0f} on average decide")
    )
    return [
        one.null.alias,
        f"    null hypothesis   {one.null.sentence}",
        *(f"    only if           {premise}" for premise in one.null.premises),
        f"    alpha             {one.design.alpha:g} for the shares, as much for independence",
        f"    draws             at most {one.design.most_draws}; {end} "
        f"the shares of a right gateway (a fixed test of the tolerance: {one.fixed_draws or 'any'})",
        f"    for independence  {one.sample} at least of these, and {one.generated} of generated requests",
        f"    a right gateway   {_of_right(one)}",
        *_pass_rule(one),
        f"    passed means      {one.design.promise}; wrong with a "
        f"probability of at most {1 - one.design.power:.2g}",
        f"    smallest found    {_shown(one.smallest)} whichever share is off; by share: "
        + ", ".join(
            f"{found.identity} {'+' if found.more else '-'}{_shown(found.by)}" for found in one.detectable
        ),
        f"    dependence found  {_part(one.sticky)} of the requests served by whoever served last, "
        f"{_part(one.tied)} tied to a deployment by a key",
        f"    a second backend  is seen after at most {one.to_a_second} requests (BACKEND-BAL-001)",
        f"    a second look     is made only where the first one shows something: at most {one.second_draws} "
        f"draws for shares, {one.row_draws} for the order, {one.second_backend_draws} for a second backend",
        *(f"    caution           {caution}" for caution in one.cautions),
    ]


def _of_right(one: BalancePlan) -> str:
    """What becomes of a right gateway: of a simulation what is sure, not what happened to come up."""
    healthy = one.healthy
    if healthy.exact:
        return (
            f"passed {healthy.passed:.2%}, failed {healthy.failed:.3%}, "
            f"inconclusive {healthy.inconclusive:.3%} (computed)"
        )
    undecided = round(healthy.inconclusive * healthy.runs)
    return (
        f"failed at most {one.design.alpha:.2g} (the promise of alpha), inconclusive at most "
        f"{healthy.inconclusive_at_most:.2%} ({undecided} of {healthy.runs} simulated runs)"
    )


def _pass_rule(one: BalancePlan) -> list[str]:
    if one.passes is None:
        return []
    counts = ", ".join(f"{name} {least} to {most}" for name, (least, most) in one.passes.items())
    return [f"    passed if         of {one.design.most_draws}: {counts}"]


def _part(part: float | None) -> str:
    return "no part, however large," if part is None else f"{part:.0%}"


def expected(environment: Environment, plans: list[BalancePlan | NoPlan]) -> Expectation:
    """What statistics alone do to a whole run of a right gateway, at most."""
    return expectation(
        environment, [(one.design, one.healthy) for one in plans if isinstance(one, BalancePlan)]
    )


def _of_alpha(environment: Environment, plans: list[BalancePlan | NoPlan]) -> list[str]:
    """The account of alpha for people."""
    return [f"alpha of a run: {in_words(ledger(environment))}", expected(environment, plans).words]


def _shown(by: float | None) -> str:
    return "none" if by is None else f"{by:.2f}"


def _requests(plans: list[BalancePlan | NoPlan]) -> int:
    planned = [one for one in plans if isinstance(one, BalancePlan)]
    return sum(one.design.most_draws + one.generated + one.to_a_second for one in planned)


def _second_looks(plans: list[BalancePlan | NoPlan]) -> int:
    planned = [one for one in plans if isinstance(one, BalancePlan)]
    return sum(one.second_draws + one.row_draws + one.second_backend_draws for one in planned)


def _cautions(environment: Environment, plans: list[BalancePlan | NoPlan]) -> list[str]:
    allowed, takes, more = environment.policy.requests, _requests(plans), _second_looks(plans)
    if takes > allowed:
        return [f"policy.requests allows {allowed} requests, this takes {takes}"]
    if takes + more > allowed:
        return [f"policy.requests allows {allowed} requests; with second looks this takes {takes + more}"]
    return []
