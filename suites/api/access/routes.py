"""The protected routes that ways in are tried on besides the list of models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway_acceptance.environment.gateway_section import is_declared
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from suites.api.auth.probes import MANAGEMENT, ProtectedRoute, contract_routes
from suites.api.auth.served import grants_access
from suites.api.auth.tried import LIST
from suites.api.exposure.paths import described_routes

COST = 16
"""Tokens at most of a request that is served: one is asked for, and the prompt is a word."""
MOST_ROUTES = 24
"""So many routes are tried: two requests each where they are protected. Those of management come first."""

ACTS = re.compile(
    r"health|ping|reset|delete|flush|callback|sso|log(in|out)|re(fresh|load|start)|test|block|sync|cron"
    r"|download|export|/all$|/mcp|/debug|/vector|/stream",
    re.I,
)
"""Routes that do something when they are asked, or answer at length: an open door would let us do it."""


MISSING = (404, 405)
ALWAYS_THERE = ("/v1/chat/completions", "/v1/embeddings")
"""To hide them from who has no key is a refusal as well."""
SAMPLE = ("/v1/chat/completions", "/v1/embeddings", "/key/list", "/key/generate")
"""Those that are asked in every way: what costs money, what tells of keys, what makes them."""
CHANGING = ("/key/generate", "/model/new")
"""Of management, those that change something: asked with a body that they cannot accept."""


@dataclass(frozen=True, slots=True)
class Protected:
    """A route that refuses. plain: its answer to who has no key."""

    route: ProtectedRoute
    plain: Exchange


def protected(target: Target, routes: Sequence[ProtectedRoute]) -> list[Protected]:
    """Of some routes those that are there and refuse somebody without a key. What serves everybody is
    API-AUTH-015's and -016's."""
    found = []
    for route in routes:
        plain = target.gateway.without_key(route.method, route.path, json_body=route.body, tokens=COST)
        there = route.path in ALWAYS_THERE or plain.status not in MISSING
        if plain.status is not None and there and not grants_access(plain):
            found.append(Protected(route, plain))
    return found


def main_routes(target: Target) -> tuple[list[ProtectedRoute], list[ProtectedRoute]]:
    """Those that are asked in every way, and the others: of the contract but for the list of models, which
    has checks of its own; one model's; management."""
    environment = target.environment
    contract = [route for route in contract_routes(environment) if route.path != LIST]
    one = ProtectedRoute("GET", f"{LIST}/{environment.aliases[0]}")
    changing = [route for route in MANAGEMENT if route.path in CHANGING]
    telling = [ProtectedRoute("GET", path) for path in reading_routes(target)]
    public = environment.gateway.public_paths
    routes = [route for route in (*contract, one, *changing, *telling) if not is_declared(route.path, public)]
    main = [route for route in routes if route.path in SAMPLE or route is one]
    return main, [route for route in routes if route not in main]


def reading_routes(target: Target) -> list[str]:
    """Protected GET routes that only tell something: those of management that we know, then those that the
    gateway's own description names."""
    return target.once(("access", "reading"), lambda: _reading_routes(target))


def _reading_routes(target: Target) -> list[str]:
    known = [route.path for route in MANAGEMENT if route.method == "GET"]
    # who builds its description at the first request may be silent meanwhile, and does not hang
    target.gateway.without_key("GET", "/openapi.json")
    try:
        # that it comes at all, and in time, is API-EXPO-002's
        description = target.gateway.get("/openapi.json", key=None)
        described = described_routes(description.json()) if description.status == 200 else []
    except CheckFailed:
        described = []
    public = target.environment.gateway.public_paths
    routes = [path for path in dict.fromkeys([*known, *described]) if not ACTS.search(path)]
    return [path for path in routes if not is_declared(path, public)][:MOST_ROUTES]


def refusing(target: Target) -> dict[str, Exchange]:
    """Of the reading routes those that are there and refuse somebody without a key; path -> the refusal."""

    def observed() -> dict[str, Exchange]:
        answers = {path: target.gateway.without_key("GET", path) for path in reading_routes(target)}
        return {path: one for path, one in answers.items() if one.status != 404 and not grants_access(one)}

    return target.once(("access", "refusing"), observed)
