"""API-ACCESS: each protected route for itself. What opens one of them need not open the list of models."""

from collections.abc import Callable

from gateway_acceptance.check import MUST, PROBE, READ, check
from gateway_acceptance.environment.gateway_section import is_declared
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import Untestable, require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.access.bundles import at_the_doors, few, of_every_kind
from suites.api.access.names import other_names
from suites.api.access.opening import decoys_of, to_a_door, to_a_route, to_the_list
from suites.api.access.routes import COST, main_routes, protected
from suites.api.access.said import of_methods
from suites.api.auth.probes import ProtectedRoute, contract_routes
from suites.api.auth.rules import made_up
from suites.api.auth.served import OPENED, grants_access, is_an_answer, ran_behind_the_guard
from suites.api.auth.tried import LIST, is_catalogue, on_the_list
from suites.api.observations import listed_models

DOOR = ("/v1/chat/completions", "/v1/embeddings")
"""Where an open door costs money."""
MEANT = ("post", "PUT", "PATCH", "QUERY", "XPOST", "OPTIONS", "GET")
"""Methods that a router may take for POST."""
TELLING = ("OPTIONS", "GET")
"""Of these, those by which a route may tell anybody what it is for."""


@check(
    "API-ACCESS-009",
    "nothing that a request says besides its key opens chat or embeddings",
    level=MUST,
    effect=READ,
    claims="FUN-04",
    profile="smoke",
    spec="OWASP API2:2023; CWE-290",
)
def test_the_doors_of_every_client(target: Target, live_gateway: GatewayClient) -> None:
    """A request for each of the two: cookies, made-up keys in the URL, what proxies might have said of client
    and user, and browsers, probes and traces, a Host that hides the path, and localhost. What is served is
    taken apart. The list of models is API-ACCESS-001's and -002's in smoke, and every way is asked of every
    route in nightly (API-ACCESS-010)."""
    ways = at_the_doors(target.environment)
    routes = [route for route in contract_routes(target.environment) if route.path in DOOR]
    opened = [
        problem
        for route, way in zip(routes, ways, strict=True)
        for problem in to_a_door(target, route, [way])
    ]
    require(
        opened,
        blame="gateway",
        alarm=_alarm(opened),
        judged={"ways": sum(len(way.parts) for way in ways)},
    )


@check(
    "API-ACCESS-010",
    "no way in opens a protected route",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="OWASP API2:2023, API5:2023; CWE-290; CWE-647",
)
def test_every_kind_on_every_route(
    target: Target, live_gateway: GatewayClient, note: Callable[[str, object], None]
) -> None:
    """About fifty ways of every kind to chat, embeddings, one model's route and two of management; ten of
    them to every other route of the contract, and to those of management that only tell something. A body
    of management is one that cannot be accepted: whoever is told so was past the guard."""
    main, rest = main_routes(target)
    ways, some = of_every_kind(target.environment), few(target.environment)
    tried, opened = 0, list[Problem]()
    for routes, chosen in ((main, ways), (rest, some)):
        for one in protected(target, routes):
            tried += 1
            opened += to_a_route(target, one, chosen)
    note("protected_routes_tried", tried)
    if not tried:
        raise Untestable("no protected route was found that refuses", "see API-AUTH-015 and -016 first")
    require(opened, blame="gateway", alarm=_alarm(opened), judged={"protected routes": tried})


@check(
    "API-ACCESS-011",
    "no method and no version of HTTP lets anybody in",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="RFC 9110 section 9.1; CWE-650",
)
def test_methods(target: Target, live_gateway: GatewayClient) -> None:
    """Other methods than the guard may look at, methods that headers say are meant, HTTP/1.0. HEAD counts
    where it tells the length of the protected list."""
    opened = to_the_list(target, of_methods())
    head = live_gateway.without_key("HEAD", LIST)
    if on_the_list(target) and ran_behind_the_guard(head, listed_models(target)):
        opened.append(Problem("", f"HEAD {LIST} is served: it tells the length of the list"))
    for route in contract_routes(target.environment):
        if route.path not in DOOR:
            continue
        for method in MEANT:
            answer = live_gateway.without_key(method, route.path, json_body=route.body, tokens=COST)
            if grants_access(answer, decoys_of(target)) and (method not in TELLING or is_an_answer(answer)):
                opened.append(Problem("", f"{method} {route.path} is served"))
    require(opened, blame="gateway", alarm=f"{OPENED}, by another method or version")


@check(
    "API-ACCESS-012",
    "no other name of a route serves anybody without a key",
    level=MUST,
    effect=PROBE,
    claims="FUN-04",
    spec="OWASP API9:2023; environment: gateway.public_paths",
)
def test_other_names(target: Target, live_gateway: GatewayClient) -> None:
    """Without ``/v1``, Azure's, Anthropic's, Google's and Ollama's names, below other roots: asked without a
    key, with a made-up one, and with made-up ones in other headers."""
    public = target.environment.gateway.public_paths
    decoys = decoys_of(target)
    others = [(name, made_up()) for name in ("x-api-key", "api-key", "x-goog-api-key")]
    opened = []
    catalogue = is_catalogue(target)
    for route in other_names(target.environment):
        if is_declared(route.path, public) or (catalogue and _lists(route)):
            continue
        for what, headers in (
            ("without a key", []),
            ("with a made-up key", [("authorization", f"Bearer {made_up()}")]),
            ("with made-up keys in other headers", others),
        ):
            answer = live_gateway.without_key(
                route.method, route.path, headers=headers, json_body=route.body, tokens=COST
            )
            if grants_access(answer, decoys):
                opened.append(Problem("", f"{route} is served {what}"))
                break
            if answer.status in (404, 405):
                break
    require(opened, blame="gateway", alarm=f"{OPENED}, under another name of a route")


def _lists(route: ProtectedRoute) -> bool:
    """Whether it tells of models alone, under any name: what an open list tells as well."""
    return route.method == "GET" and (route.path.endswith("/models") or route.path.startswith(f"{LIST}/"))


def _alarm(opened: list[Problem]) -> str:
    """One sentence of the first way."""
    return f"{OPENED}: {opened[0].message}" if opened else ""
