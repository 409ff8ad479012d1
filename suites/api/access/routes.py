"""The protected routes that ways in are tried on besides the list of models."""

from __future__ import annotations

import re

from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from suites.api.access.rules import served
from suites.api.auth.probes import MANAGEMENT
from suites.api.exposure.paths import described_routes, is_declared

MOST_ROUTES = 24
"""So many routes are tried: two requests each where they are protected. Those of management come first."""

ACTS = re.compile(
    r"health|ping|reset|delete|flush|callback|sso|log(in|out)|re(fresh|load|start)|test|block|sync|cron"
    r"|download|export|/all$|/mcp|/debug|/vector|/stream",
    re.I,
)
"""Routes that do something when they are asked, or answer at length: an open door would let us do it."""


def reading_routes(target: Target) -> list[str]:
    """Protected GET routes that only tell something: those of management that we know, then those that the
    gateway's own description names."""
    known = [route.path for route in MANAGEMENT if route.method == "GET"]
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
        answers = {path: target.gateway.stranger("GET", path) for path in reading_routes(target)}
        return {path: one for path, one in answers.items() if one.status != 404 and not served(one)}

    return target.once(("access", "refusing"), observed)
