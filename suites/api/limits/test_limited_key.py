"""API-LIMIT: a key that may do less does no more. Virtual keys, as products call them."""

import secrets

from gateway_acceptance.check import MUST, READ, SHOULD, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.auth.rules import made_up
from suites.api.limits import rules
from suites.api.limits.probes import (
    GRANTING,
    beside_the_body,
    limits,
    refused_models,
    refused_routes,
    used,
    well_formed,
)
from suites.api.steering.probes import pair
from suites.api.steering.rules import answer_witness

SPEC = "environment: gateway.limited_key; OWASP API5:2023"
OK = 200


@check(
    "API-LIMIT-001",
    "a limited key sees its models in the list, and no others",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec=SPEC,
)
def test_list(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """What is listed is offered: names of other teams' models are theirs."""
    may = limits(environment).may
    require(rules.listed_wrongly(target.limited.models(), may), blame="gateway", judged={"lists": 1})


@check(
    "API-LIMIT-002",
    "a limited key is served by its models",
    level=MUST,
    effect=SPEND,
    claims="FUN-04",
    spec=SPEC,
)
def test_own_models(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """The control of all refusals below."""
    may = limits(environment).may
    answers = {alias: used(target, target.limited, alias) for alias in may}
    problems = [
        Problem("", f"{alias}: expected 200 for the limited key, got {answer.status}: {answer.text[:200]}")
        for alias, answer in answers.items()
        if answer.status != OK
    ]
    require(problems, blame="gateway, or what is declared of the key", judged={"models": len(may)})


@check(
    "API-LIMIT-003",
    "a limited key is refused by every other model",
    level=MUST,
    effect=SPEND,
    claims="FUN-04",
    spec=SPEC,
)
def test_other_models(target: Target, gateway: GatewayClient) -> None:
    """Chat, balanced groups and embeddings alike: each has its own chance of being forgotten."""
    answers = refused_models(target)
    require(rules.not_refused(answers), blame="gateway", judged={"models": len(answers)})


@check(
    "API-LIMIT-004",
    "a limited key reaches no other model by naming it beside the body",
    level=MUST,
    effect=SPEND,
    claims="FUN-04",
    spec="environment: gateway.limited_key; CWE-639",
)
def test_beside_the_body(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """The body names a model that the key may use; URL, header or path another one. Whoever judges one and
    serves the other lets everybody use everything (API-STEER-001 and -002)."""
    limits(environment)
    answers = beside_the_body(target)
    own = {answer_witness(used(target, target.limited, alias)).backend for alias in limits(environment).may}
    known = pair(target)
    problems = [
        Problem("", f"{what}: another model answered the limited key")
        for what, answer in answers.items()
        if answer.status == OK and (answer_witness(answer).backend not in own or known.led(answer))
    ]
    require(problems, blame="gateway", judged={"requests": len(answers)})


@check(
    "API-LIMIT-005",
    "a limited key reaches no management",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec=SPEC,
)
def test_management(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Keys, users, spending, configuration of others. What tells the holder of a key about that key is left
    out; bodies are such as no route can accept. Where one of wrong types is judged, one of the right types
    that cannot be fulfilled says whether the guard came after the schema or not at all."""
    limits(environment)
    problems = []
    answers = refused_routes(target)
    for what, (route, answer) in answers.items():
        body, again = well_formed(route.path), None
        if body is not None:
            wrong = gateway.request(route.method, route.path, json_body=route.body, key=made_up())
            if rules.asks_again(answer, wrong):
                again = target.limited.request(route.method, route.path, json_body=body)
        problems += rules.reached(what, answer, again, grants=route.path == GRANTING)
    require(problems, blame="gateway", judged={"routes": len(answers)})


@check(
    "API-LIMIT-006",
    "refusals tell the holder of a limited key of no other model and no backend",
    level=MUST,
    effect=SPEND,
    claims="FUN-04",
    spec="CWE-209; environment: gateway.limited_key",
)
def test_errors(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """A refusal may name what was asked for, and what the key may use."""
    may = limits(environment).may
    problems = []
    for alias, answer in refused_models(target).items():
        problems += rules.information_leak(alias, answer, environment, may, alias)
    for what, (_, answer) in refused_routes(target).items():
        problems += rules.information_leak(what, answer, environment, may, "") if answer.status != OK else []
    require(problems, blame="gateway", judged={"refusals": len(refused_models(target))})


@check(
    "API-LIMIT-007",
    "a limited key is not told which other models exist",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-04",
    spec="CWE-204; environment: gateway.limited_key",
)
def test_existence(target: Target, gateway: GatewayClient) -> None:
    """A model that is not there is refused with the status of one that the key may not use."""
    answers = refused_models(target)
    invented = target.limited.chat(f"no-such-model-{secrets.token_hex(4)}", "hello", max_tokens=1)
    problems = [
        Problem("", f"{alias}: got {answer.status}, a model that does not exist {invented.status}")
        for alias, answer in answers.items()
        if answer.status != invented.status
    ]
    require(problems, blame="gateway", judged={"refusals": len(answers)})
