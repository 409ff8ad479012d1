"""What a run would cost, by suite: requests, tokens, commands and time, without sending (docs/plan.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway_acceptance.check import SMOKE, Check, Effect
from gateway_acceptance.costs import Costs, Priced, kind_of, named, place_of
from gateway_acceptance.environment import Environment
from gateway_acceptance.plan_ranges import between
from gateway_acceptance.policy import forbidden
from gateway_acceptance.record import Selected
from gateway_acceptance.wire.meter import Chance
from gateway_acceptance.wire.pace import SPARE

OF_A_BACKEND = 3
"""Requests that a backend's fingerprints take: its version and its models, and at the end its models."""
VERSIONS_AGAIN = 1
"""Requests to the gateway and to each backend that the end of every run takes but smoke's."""
FINGERPRINTS = 2
"""At the start of a run, and at its end."""
START_AND_END = "start and end"
SOAK = "soak"
"""The shared observation whose size an environment declares (docs/soak.md)."""
TOKENS_OF_A_DRAW = 100
"""What one reserves, where none was drawn when the table was measured."""


@dataclass
class PlanLine:
    """Of one suite. requests: that are sent in any case, if the gateway is well; most: at the most, where
    chance or time decides how many they are; tokens, most_tokens: that the policy reserves for these before
    sending; served: that the answers take, by as many as were measured; drawn: (what chance or time
    decides, at least, at most)."""

    cases: int = 0
    requests: int = 0
    most: int = 0
    tokens: int = 0
    most_tokens: int = 0
    served: int = 0
    commands: int = 0
    seconds: float = 0.0
    drawn: list[tuple[str, int, int]] = field(default_factory=list)

    def add(self, price: Priced, name: str, environment: Environment) -> None:
        """So much more. name: of the case or the observation that it is the price of."""
        requests = most = usual = price.certain
        for decides, measured in price.drawn.items():
            least, at_most = between(decides, max(measured, price.most.get(decides, 0)), environment)
            requests, most = requests + least, most + at_most
            usual += min(max(measured, least), at_most)
            if least != at_most:
                self.drawn.append((name, least, at_most))
        each = price.tokens / price.requests if price.requests else TOKENS_OF_A_DRAW
        self.requests += requests
        self.most += most
        self.tokens += round(each * requests) if requests else 0
        self.most_tokens += round(each * most) if most else 0
        self.served += round(price.served * usual / price.requests) if price.requests else price.served
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
    environment: Environment,
    selected: Iterable[Selected],
    catalogue: Mapping[str, Check],
    costs: Costs,
    profile: str | None,
) -> Plan:
    """What a run of these cases in one process would cost. profile: that it executes, as of ``RunInputs``."""
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
        line.add(price[0], check.id, environment)
        _share(line, price[0], case.parameters, environment, costs, made)
    ends = plan.suites[START_AND_END] = PlanLine()
    direct = sum(backend.direct for backend in environment.backends)
    ends.requests = ends.most = costs.fingerprint + of_fingerprints(direct, in_smoke=profile == SMOKE)
    if any(
        catalogue[case.check].suite == "host" for case in selected if case.environment == environment.name
    ):
        ends.commands = 0 if environment.embedded else FINGERPRINTS * len(environment.machines)
    return plan


def of_fingerprints(backends: int, *, in_smoke: bool) -> int:
    """Requests of both fingerprints beside ``Costs.fingerprint``. backends: how many are asked directly."""
    return OF_A_BACKEND * backends + (0 if in_smoke else VERSIONS_AGAIN * (1 + backends))


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
        shared = costs.shared[template]
        if template == SOAK:
            shared = held_there(shared, environment)
        line.add(shared, name, environment)
        _share(line, shared, parameters, environment, costs, made)


def held_there(price: Priced, environment: Environment) -> Priced:
    """What holding load costs there: as long as is declared, and as many requests beside it."""
    soak, held = environment.soak, price.drawn.get(Chance.SOAK, 0)
    beside = soak.most_requests(environment.bounds.concurrency) - soak.requests
    share = (beside + held) / max(1, price.requests)
    return replace(
        price,
        requests=beside + held,
        tokens=round(price.tokens * share),
        served=round(price.served * share),
        seconds=soak.seconds,
    )


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
        slow = SPARE * total.most / policy.requests_per_second
        said.append(
            f"the pace of {policy.requests_per_second:g} requests a second makes it {slow:.0f} s at least"
        )
    if plan.probing:
        said.append(f"asks as scanners do (effect probe): {', '.join(sorted(plan.probing))}")
    if total.drawn:
        drawn = ", ".join(f"{name} {least} to {most}" for name, least, most in total.drawn)
        said.append(f"chance and time decide how many requests these are, all others are certain: {drawn}")
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
