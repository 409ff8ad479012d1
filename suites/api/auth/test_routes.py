"""API-AUTH: every route that costs, tells or changes something is behind the key."""

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.gateway_section import is_declared
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.rule import media_type
from suites.api.auth.nowhere import is_refused_nowhere, refused_nowhere
from suites.api.auth.probes import MANAGEMENT, MANAGEMENT_SAMPLE, ProtectedRoute, contract_routes
from suites.api.auth.rules import SPEC, beside_a_slash, made_up, served_problems
from suites.api.auth.tried import LIST, open_catalogue, refused_plainly
from suites.api.exposure.lost import is_page_for_lost, page_for_lost


@check(
    "API-AUTH-015",
    "every route of the contract refuses a request without a key",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec=SPEC,
)
def test_contract_without_key(live_gateway: GatewayClient, environment: Environment) -> None:
    """Not only the list of models: each route has its own chance of being forgotten."""
    public = environment.gateway.public_paths
    routes = [route for route in contract_routes(environment) if not is_declared(route.path, public)]
    require(_open(live_gateway, routes, None), blame="gateway")


@check(
    "API-AUTH-016",
    "every management route refuses a request without a key",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec="OWASP API5:2023",
)
def test_management_without_key(live_gateway: GatewayClient, environment: Environment) -> None:
    """Models, keys, users, spending, configuration, metrics; a route that is not there is as good. What the
    environment declares open (gateway.public_paths) is left out."""
    public = environment.gateway.public_paths
    routes = [route for route in MANAGEMENT if not is_declared(route.path, public)]
    require(_open(live_gateway, routes, None), blame="gateway")


@check(
    "API-AUTH-017",
    "every route refuses a wrong key",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec=SPEC,
)
def test_wrong_key_everywhere(target: Target, live_gateway: GatewayClient, environment: Environment) -> None:
    """Some gateways only look whether there is a key. A list of models that needs none is API-AUTH-015's, and
    a gateway that asks for none API-AUTH-002's."""
    public = environment.gateway.public_paths
    known = [*contract_routes(environment), *MANAGEMENT_SAMPLE]
    routes = [route for route in known if not is_declared(route.path, public)]
    if open_catalogue(target):
        routes = [route for route in routes if route.path != LIST]
    problems = _open(live_gateway, routes, made_up())
    if problems:
        refused_plainly(target)
    require(problems, blame="gateway")


@check(
    "API-AUTH-018",
    "a stream that is refused is an error and no stream",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    spec=SPEC,
)
def test_refused_stream(target: Target, live_gateway: GatewayClient, environment: Environment) -> None:
    """Clients look at the status before they read events: an error inside a 200 stream is taken for an
    answer."""
    chat = contract_routes(environment)[1]
    body = {**(chat.body or {}), "stream": True}
    answer = live_gateway.request(chat.method, chat.path, json_body=body, key=made_up())
    if answer.status == 200 or media_type(answer.headers) == "text/event-stream":
        refused_plainly(target)
        raise CheckFailed(
            f"expected a refusal in JSON, got {answer.status} {media_type(answer.headers)}: "
            f"{answer.text[:200]}",
            blame="gateway",
        )


def _open(gateway: GatewayClient, routes: list[ProtectedRoute], key: str | None) -> list[Problem]:
    problems = []
    lost = page_for_lost(gateway)
    nowhere = refused_nowhere(gateway, routes, key)
    for route in routes:
        answer = gateway.request(route.method, route.path, json_body=route.body, key=key)
        if other := beside_a_slash(answer, route.path):
            answer = gateway.request(route.method, other, json_body=route.body, key=key)
        if not (is_page_for_lost(answer, lost) or is_refused_nowhere(answer, nowhere)):
            problems += served_problems(answer, str(route))
    return problems
