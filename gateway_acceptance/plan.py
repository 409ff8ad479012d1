"""What a run would cost, by suite: requests, tokens, commands and time, without sending (docs/plan.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway_acceptance.check import SMOKE, Check, Effect
from gateway_acceptance.costs import Costs, Priced, kind_of, named, place_of
from gateway_acceptance.environment import Environment
from gateway_acceptance.policy import forbidden
from gateway_acceptance.record import Selected

PER_BACKEND = 2
"""Requests that a backend's fingerprint takes: its version and its models."""
FINGERPRINTS = 2
"""At the start of a run, and at its end."""
START_AND_END = "start and end"
SOAK = "soak"
"""The shared observation whose size an environment declares (docs/soak.md)."""


@dataclass
class PlanLine:
    """Of one suite. most: requests at the most, where chance decides how many they are; tokens: that the
    policy reserves before sending; served: that the answers take."""

    cases: int = 0
    requests: int = 0
    most: int = 0
    tokens: int = 0
    most_tokens: int = 0
    served: int = 0
    commands: int = 0
    seconds: float = 0.0

    def add(self, price: Priced, most_draws: int) -> None:
        """So much more. most_draws: what an observation is ended by whose length chance decides."""
        requests, tokens = price.requests, price.tokens
        most, most_tokens = requests, tokens
        if price.drawn and requests:
            each = tokens / requests
            requests = min(requests, most_draws)
            most = max(requests, most_draws)
            tokens, most_tokens = round(each * requests), round(each * most)
        self.requests += requests
        self.most += most
        self.tokens += tokens
        self.most_tokens += most_tokens
        self.served += round(price.served * requests / price.requests) if price.requests else price.served
        self.seconds += price.seconds


@dataclass
class Plan:
    """suites: by name, in order; not_permitted: how many cases the policy keeps from running; probing:
    the checks that ask as scanners do; unknown: those that were never measured; near: cases whose kind
    was not."""

    environment: Environment
    suites: dict[str, PlanLine] = field(default_factory=dict)
    not_permitted: int = 0
    probing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    near: int = 0

    @property
    def total(self) -> PlanLine:
        """All of it."""
        total = PlanLine()
        for line in self.suites.values():
            for name, value in vars(line).items():
                setattr(total, name, getattr(total, name) + value)
        return total


def planned(
    environment: Environment, selected: Iterable[Selected], catalogue: Mapping[str, Check], costs: Costs
) -> Plan:
    """What a run of these cases in one process would cost."""
    plan = Plan(environment)
    made: set[str] = set()
    selected = list(selected)
    if costs.smoke is not None and {case.check for case in selected} == smoke_of(catalogue):
        costs = costs.smoke
    for case in selected:
        if case.environment != environment.name:
            continue
        check = catalogue[case.check]
        line = plan.suites.setdefault(check.suite, PlanLine())
        line.cases += 1
        if forbidden(environment.policy, check.effect):
            plan.not_permitted += 1
            continue
        if check.effect is Effect.PROBE and check.id not in plan.probing:
            plan.probing.append(check.id)
        place = place_of(case.parameters, environment)
        price = costs.price(check.id, kind_of(case.parameters, environment), place)
        if price is None:
            if check.id not in plan.unknown:
                plan.unknown.append(check.id)
            continue
        plan.near += not price[1]
        line.add(price[0], environment.balance.most_draws)
        _share(line, price[0], case.parameters, environment, costs, made)
    ends = plan.suites[START_AND_END] = PlanLine()
    direct = sum(backend.direct for backend in environment.backends)
    ends.requests = ends.most = FINGERPRINTS * (costs.fingerprint + PER_BACKEND * direct)
    if any(
        catalogue[case.check].suite == "host" for case in selected if case.environment == environment.name
    ):
        ends.commands = 0 if environment.embedded else FINGERPRINTS * len(environment.machines)
    return plan


def smoke_of(catalogue: Mapping[str, Check]) -> set[str]:
    """The checks of smoke."""
    return {check.id for check in catalogue.values() if SMOKE in check.profiles}


def _share(
    line: PlanLine,
    price: Priced,
    parameters: Mapping[str, str],
    environment: Environment,
    costs: Costs,
    made: set[str],
) -> None:
    """The observations that a case needs, each once, on the account of who asks first."""
    for template in price.uses:
        name = named(template, parameters)
        if name in made or template not in costs.shared:
            continue
        made.add(name)
        shared, most = costs.shared[template], environment.balance.most_draws
        if template == SOAK:
            shared, most = held_there(shared, environment)
        line.add(shared, most)
        _share(line, shared, parameters, environment, costs, made)


def held_there(price: Priced, environment: Environment) -> tuple[Priced, int]:
    """What holding load costs there, for as long as is declared, and how many requests it is at the most. Its
    time is declared and their number is not: it lies between what was measured and that."""
    soak = environment.soak
    return replace(price, seconds=soak.seconds), soak.most_requests(environment.bounds.concurrency)


def lines_of(plan: Plan, costs: Costs) -> list[str]:
    """The plan as it is printed."""
    there, policy = plan.environment, plan.environment.policy
    head = f"{'':<14}{'cases':>6}  {'requests':>12}  {'tokens':>16}  {'served':>7}"
    head += f"  {'commands':>8}  {'seconds':>8}"
    said = [f"plan of {there.name}, in one process; nothing is sent", head]
    for name, line in [*plan.suites.items(), ("in all", plan.total)]:
        said.append(
            f"{name:<14}{line.cases or '':>6}  {_range(line.requests, line.most):>12}  "
            f"{_range(line.tokens, line.most_tokens):>16}  {line.served:>7}  {line.commands:>8}  "
            f"{line.seconds:>8.0f}"
        )
    total = plan.total
    for name, needed, most in (
        ("requests", total.most, policy.requests),
        ("tokens", total.most_tokens, policy.tokens),
    ):
        enough = "is enough for what was measured" if plan.unknown else "is enough"
        verdict = enough if needed <= most else f"is too little: raise it to {needed} at least"
        said.append(f"policy.{name} = {most} {verdict}")
    if policy.requests_per_second:
        slow = total.most / policy.requests_per_second
        said.append(
            f"the pace of {policy.requests_per_second:g} requests a second makes it {slow:.0f} s at least"
        )
    if plan.probing:
        said.append(f"asks as scanners do (effect probe): {', '.join(sorted(plan.probing))}")
    if plan.not_permitted:
        said.append(f"{plan.not_permitted} cases are not permitted by policy.effects, and cost nothing")
    if plan.unknown:
        said.append(f"never measured, and not counted: {', '.join(sorted(plan.unknown))}")
    if plan.near:
        said.append(
            f"{plan.near} cases concern models of other abilities than were measured: "
            "estimated by the nearest"
        )
    measured = ", ".join(f"{name} {value}" for name, value in costs.of.items())
    said.append(
        f"by suites/costs.json ({measured}); seconds are those of the lab, a slower model takes longer"
    )
    return said


def _range(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"
