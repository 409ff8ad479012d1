"""The route that keys and ways in are tried on."""

from __future__ import annotations

from dataclasses import replace

from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import Untestable
from gateway_acceptance.wire.exchange import Exchange, Headers
from gateway_acceptance.wire.gateway import OWN_KEY
from suites.api.auth.probes import ProtectedRoute, contract_routes
from suites.api.auth.rules import made_up
from suites.api.auth.served import grants_access, lists_models
from suites.api.exposure.paths import is_declared

LIST = "/v1/models"
"""The route that keys and ways in are tried on: it changes and costs nothing, and nearly every gateway has
it."""
PLAIN = ("access", "plain")
"""Under which the answer to no key, in its ordinary form, is kept for the run."""
WRONG_KEY = ("auth", "wrong key")
"""Under which a wrong key, and its refusal, are kept for the run: others are held against it."""
OWN = ("auth", "own key")
"""Under which the answer to the environment's key is kept for the run."""
SERVED_BY = {
    "/v1/chat/completions": "API-CHAT-001",
    "/v1/embeddings": "API-EMB-001",
    "/v1/completions": "API-COMP-001",
    "/v1/responses": "API-RESP-001",
}
"""Route -> the check that tells that it does not serve."""
FAILS = 500
"""From this status on, a gateway says that it fails, and not whom it refuses."""
COST = 16
"""Tokens at most of a request that is served: one is asked for."""


def tried_route(target: Target) -> ProtectedRoute:
    """The list of models: it changes nothing and costs nothing. Where it is declared open (a catalogue, as
    OpenRouter has), or where there is none, the first of the contract that is not: a chat of one token."""
    environment = target.environment
    routes = contract_routes(environment)
    shut = [one for one in routes if not is_declared(one.path, environment.gateway.public_paths)]
    there = [one for one in shut or routes if one.path != LIST or not target.unlisted]
    return (there or routes)[0]


def on_the_list(target: Target) -> bool:
    """Whether that is the list of models."""
    return tried_route(target).path == LIST


def served(target: Target, answer: Exchange) -> bool:
    """Whether an answer of that route is what its owner would be given."""
    return lists_models(answer) if on_the_list(target) else grants_access(answer)


def tried(target: Target, *, key: object = OWN_KEY, headers: Headers = (), query: str = "") -> Exchange:
    """The answer of that route. key: as of ``GatewayClient.request``; query: of the URL."""
    route = _with_query(tried_route(target), query)
    return target.gateway.request(
        route.method, route.path, json_body=route.body, key=key, headers=headers, tokens=_cost(route)
    )


def tried_without_key(target: Target, *, headers: Headers = (), hosts: list[str] | None = None) -> Exchange:
    """The same of somebody without the environment's key, byte for byte. hosts: as of
    ``GatewayClient.without_key``."""
    route = tried_route(target)
    return target.gateway.without_key(
        route.method, route.path, json_body=route.body, headers=headers, hosts=hosts, tokens=_cost(route)
    )


def asked_with_a_wrong_key(target: Target) -> tuple[str, Exchange]:
    """A well-formed key that nobody was given, and the answer to who comes with it."""
    key = made_up()
    return key, tried(target, key=key)


def require_depends_on_key(target: Target, answer: Exchange) -> None:
    """Raises Untestable where an answer says nothing of keys: beyond the list of models, a route may fail
    whoever asks."""
    if (answer.status or 0) < FAILS or on_the_list(target):
        return
    own = target.once(OWN, lambda: tried(target))
    if (own.status or 0) >= FAILS:
        raise Untestable(
            f"{own.url} answers {own.status} to the environment's key as well: {own.text[:200]}",
            root=SERVED_BY[tried_route(target).path],
        )


def _with_query(route: ProtectedRoute, query: str) -> ProtectedRoute:
    return replace(route, path=f"{route.path}?{query}") if query else route


def _cost(route: ProtectedRoute) -> int:
    return 0 if route.body is None else COST
