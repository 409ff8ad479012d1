"""The route that keys and ways in are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway_acceptance.environment.gateway_section import is_declared
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import Untestable, require
from gateway_acceptance.wire.exchange import Exchange, Headers
from gateway_acceptance.wire.gateway import OWN_KEY
from suites.api.auth.probes import ProtectedRoute, contract_routes
from suites.api.auth.rules import SERVED, made_up
from suites.api.auth.served import grants_access, lists_models

LIST = "/v1/models"
"""The route that keys and ways in are tried on: it changes and costs nothing, and nearly every gateway has
it."""
PLAIN = ("access", "plain")
"""Under which the answer to no key, in its ordinary form, is kept for the run."""
REFUSED = (401, 403)
"""Statuses that say that somebody has no key."""
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
NOT_FOUND, FAILS = 404, 500
"""What says that there is no such model, and from which status on a gateway says that it fails: neither says
whom it refuses."""
COST = 16
"""Tokens at most of a request that is served: one is asked for."""


def tried_route(target: Target) -> ProtectedRoute:
    """The list of models: it changes nothing and costs nothing. Where it is declared open (a catalogue, as
    OpenRouter has), or served to everybody while the next refuses, or where there is none, the first of the
    contract that is not: a chat of one token."""
    there = _routes(target)
    return there[1] if open_catalogue(target) else there[0]


def open_catalogue(target: Target) -> bool:
    """Whether the list of models is served to who has no key, is not declared open, and the next route of the
    contract refuses him: such a list says nothing of keys. It is API-AUTH-002's and API-AUTH-015's."""
    first, *others = _routes(target)
    if first.path != LIST or not others or not lists_models(_first_plainly(target, first)):
        return False
    answer = _after_the_list(target, others[0])
    if answer.status in REFUSED or grants_access(answer):
        return answer.status in REFUSED
    # LiteLLM without a database says 500 to who has no key: what its owner gets tells
    return grants_access(target.once(OWN, lambda: _ask(target, others[0])))


def is_catalogue(target: Target) -> bool:
    """Whether the list of models is everybody's, declared so or not."""
    return is_declared(LIST, target.environment.gateway.public_paths) or open_catalogue(target)


def plainly(target: Target) -> Exchange:
    """The answer of the route to who has no key, in its ordinary form: asked once."""
    route = tried_route(target)
    return _after_the_list(target, route) if open_catalogue(target) else _first_plainly(target, route)


def _first_plainly(target: Target, route: ProtectedRoute) -> Exchange:
    return target.once(PLAIN, lambda: _without_key(target, route))


def _after_the_list(target: Target, route: ProtectedRoute) -> Exchange:
    """The same of the next route of the contract, where the list is open."""
    return target.once((*PLAIN, route.path), lambda: _without_key(target, route))


def _routes(target: Target) -> list[ProtectedRoute]:
    """Of the contract, those that are there and not declared open; all of them where that leaves none."""
    environment = target.environment
    routes = contract_routes(environment)
    shut = [one for one in routes if not is_declared(one.path, environment.gateway.public_paths)]
    there = [one for one in shut or routes if one.path != LIST or not target.unlisted]
    return there or routes


def on_the_list(target: Target) -> bool:
    """Whether that is the list of models."""
    return tried_route(target).path == LIST


def served(target: Target, answer: Exchange) -> bool:
    """Whether an answer of that route is what its owner would be given."""
    return lists_models(answer) if on_the_list(target) else grants_access(answer)


def refused_plainly(target: Target) -> Exchange:
    """The route that ways in are tried on, without a key and in its ordinary form. Raises Untestable where
    that is served."""
    answer = plainly(target)
    if served(target, answer):
        raise Untestable(
            f"{tried_route(target)} is served to everybody, so nothing can be seen to open it",
            "close it first: see API-AUTH-002",
        )
    return answer


def require_refused(target: Target, problems: Sequence[Problem]) -> None:
    """No key that was tried gets anybody in. Raises CheckFailed; Untestable where all that is wrong is that
    it was served, and so is who has none: of keys that says nothing."""
    if problems and all(str(problem).endswith(SERVED) for problem in problems):
        refused_plainly(target)
    require(problems, blame="gateway")


def tried(target: Target, *, key: object = OWN_KEY, headers: Headers = (), query: str = "") -> Exchange:
    """The answer of that route. key: as of ``GatewayClient.request``; query: of the URL."""
    return _ask(target, _with_query(tried_route(target), query), key, headers)


def _ask(target: Target, route: ProtectedRoute, key: object = OWN_KEY, headers: Headers = ()) -> Exchange:
    return target.gateway.request(
        route.method, route.path, json_body=route.body, key=key, headers=headers, tokens=_cost(route)
    )


def tried_without_key(target: Target, *, headers: Headers = (), hosts: list[str] | None = None) -> Exchange:
    """The same of somebody without the environment's key, byte for byte. hosts: as of
    ``GatewayClient.without_key``."""
    return _without_key(target, tried_route(target), headers=headers, hosts=hosts)


def list_without_key(target: Target, query: str = "") -> Exchange:
    """The list of models, as who has no key gets it, asked now. query: of the URL."""
    return target.gateway.without_key("GET", f"{LIST}?{query}" if query else LIST)


def _without_key(
    target: Target, route: ProtectedRoute, *, headers: Headers = (), hosts: list[str] | None = None
) -> Exchange:
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
    if not _fails(answer) or on_the_list(target):
        return
    own = target.once(OWN, lambda: tried(target))
    if _fails(own):
        raise Untestable(
            f"{own.url} answers {own.status} to the environment's key as well: {own.text[:200]}",
            root=SERVED_BY[tried_route(target).path],
        )


def _fails(answer: Exchange) -> bool:
    return answer.status == NOT_FOUND or (answer.status or 0) >= FAILS


def _with_query(route: ProtectedRoute, query: str) -> ProtectedRoute:
    return replace(route, path=f"{route.path}?{query}") if query else route


def _cost(route: ProtectedRoute) -> int:
    return 0 if route.body is None else COST
