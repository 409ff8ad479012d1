"""API-STEER: the body says which model serves, and how; nothing beside it does."""

from urllib.parse import quote, urlencode

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.exposure.parameters import all_of, followed, telling
from suites.api.extract import decided
from suites.api.steering.names import MODEL_HEADERS, MODEL_QUERIES, PARAMETERS, parameter_headers
from suites.api.steering.probes import addressed_beside, asked, by_headers, by_queries, pair
from suites.api.steering.rules import changed, led_astray

SPEC = "openai:CreateChatCompletionRequest.model; CWE-639"


@check(
    "API-STEER-001",
    "no header chooses another model than the body's",
    level=MUST,
    effect=SPEND,
    claims="MOD-08",
    spec=SPEC,
)
def test_headers(target: Target, gateway: GatewayClient) -> None:
    """A gateway that lets a header decide deceives whoever limits, bills or logs by the body's model."""
    known = pair(target)
    tried = by_headers(target, MODEL_HEADERS, known.second)
    require(
        led_astray(known, [(one.what, one.answer) for one in tried]),
        blame="gateway",
        judged={"answers": decided(one.answer for one in tried)},
    )


@check(
    "API-STEER-002",
    "nothing in the URL chooses another model than the body's",
    level=MUST,
    effect=SPEND,
    claims="MOD-08",
    spec=SPEC,
)
def test_queries(target: Target, gateway: GatewayClient) -> None:
    """The same for names in the URL, one by one: ``?model=`` of frameworks that fill parameters by name, the
    engines and deployments of older interfaces."""
    known = pair(target)
    tried = by_queries(target, MODEL_QUERIES, known.second)
    require(
        led_astray(known, [(one.what, one.answer) for one in tried]),
        blame="gateway",
        judged={"answers": decided(one.answer for one in tried)},
    )


@check(
    "API-STEER-003",
    "an address in a header or in the URL is not called",
    level=MUST,
    effect=SPEND,
    claims="FUN-04",
    spec="CWE-918",
)
def test_addresses(target: Target, gateway: GatewayClient) -> None:
    """As API-EXPO-005 asks of the body: a gateway that follows such an address calls, with its own rights and
    keys, whatever a caller names."""
    steered = addressed_beside(target)
    require(
        all_of([followed(seen) for seen in steered]),
        blame="gateway",
        judged={"requests with an address": telling(steered)},
    )


@check(
    "API-STEER-004",
    "parameters in headers or in the URL change nothing of an answer",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest",
)
def test_parameters(target: Target, gateway: GatewayClient) -> None:
    """Streams, numbers of choices, limits and made-up answers belong into the body; a refusal is right."""
    known = pair(target)
    plain = asked(target, known.first)
    in_url = asked(target, known.first, query=urlencode(PARAMETERS))
    in_headers = asked(target, known.first, headers=parameter_headers())
    problems = changed(plain, in_url, "the URL") + changed(plain, in_headers, "a header")
    require(problems, blame="gateway", judged={"answers": decided([in_url, in_headers])})


@check(
    "API-STEER-005",
    "a path that names a model leads to that one or to the body's",
    level=MUST,
    effect=SPEND,
    claims="MOD-08",
    spec="azure:deployments; openai: engines (legacy)",
)
def test_paths(target: Target, gateway: GatewayClient) -> None:
    """Engines and deployments stand in the path of older interfaces: a route that is not there, or refuses
    two names that differ, is right."""
    known = pair(target)
    name = quote(known.second, safe="")
    problems, answers = [], []
    for path in (f"/engines/{name}/chat/completions", f"/openai/deployments/{name}/chat/completions"):
        answer = asked(target, known.first, path=path, query="api-version=2024-06-01")
        answers.append(answer)
        if known.is_of_neither(answer):
            seen = f"{answer.served_by} answered, which serves neither {known.second} nor {known.first}"
            problems.append(Problem("", f"{path.split('/')[1]} in the path: {seen}"))
    require(problems, blame="gateway", judged={"answers": decided(answers)})
