"""What the holder of the limited key asks for, once per worker."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.environment.gateway_section import is_declared
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.auth.probes import MANAGEMENT, ProtectedRoute

PROMPT, TOKENS = "Return exactly the text: HX-OK", 16
OF_ITS_OWN = ("/key/info", "/v1/model/info", "/health", "/metrics", "/cache/ping")
"""Management that tells the holder of a key about itself or its models, or that everybody may see, or that
does something."""
GRANTING = "/key/generate"
"""Who may make a key is decided by the key that asks, and by nothing that has to be looked up first."""


def well_formed(path: str) -> dict[str, object] | None:
    """A body of the right types that nobody can be given anything for, of a route that judged one of wrong
    types; None where there is none that is harmless even behind an open door."""
    if path == GRANTING:
        # too short for a key, no lengths of time, no model, no money: LiteLLM refuses each of the first three
        return {
            "key": "hx", "duration": "hx", "budget_duration": "hx", "models": ["hx-no-such-model"],
            "max_budget": 0,
        }  # fmt: skip
    if path == "/model/delete":
        return {"id": str(uuid.uuid4())}
    return None


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """may, may_not: aliases, in the order of the environment."""

    may: tuple[str, ...]
    may_not: tuple[str, ...]


def limits(environment: Environment) -> KeyLimits:
    """What the limited key may use. Raises NotApplicable where none is declared."""
    declared = environment.gateway.limited_key
    if declared is None:
        raise NotApplicable("the environment declares no limited key", declared="gateway.limited_key")
    may = tuple(alias for alias in environment.aliases if alias in declared.models)
    return KeyLimits(may, tuple(alias for alias in environment.aliases if alias not in may))


def used(target: Target, gateway: GatewayClient, alias: str) -> Exchange:
    """One short request to an alias, as its kind is asked."""
    if alias in target.environment.aliases_of(ModelKind.EMBEDDING):
        return gateway.embeddings(alias, "hello")
    return gateway.chat(alias, PROMPT, temperature=0, max_tokens=TOKENS)


def refused_models(target: Target) -> Mapping[str, Exchange]:
    """The answers to the limited key for every model that it may not use, by alias."""

    def observed() -> dict[str, Exchange]:
        return {alias: used(target, target.limited, alias) for alias in limits(target.environment).may_not}

    return target.once(("limits", "models"), observed)


def refused_routes(target: Target) -> Mapping[str, tuple[ProtectedRoute, Exchange]]:
    """The answers to the limited key on management, by route."""

    def observed() -> dict[str, tuple[ProtectedRoute, Exchange]]:
        public, gateway = target.environment.gateway.public_paths, target.limited
        routes = [
            route
            for route in MANAGEMENT
            if route.path not in OF_ITS_OWN and not is_declared(route.path, public)
        ]
        return {
            str(route): (route, gateway.request(route.method, route.path, json_body=route.body))
            for route in routes
        }

    return target.once(("limits", "routes"), observed)


def beside_the_body(target: Target) -> Mapping[str, Exchange]:
    """Requests whose body names a chat model that the key may use, and that name another one elsewhere; what
    it is -> the answer. Empty where there are no two such models."""
    chat = target.environment.aliases_of(ModelKind.CHAT)
    known = limits(target.environment)
    mine = [alias for alias in known.may if alias in chat]
    others = [alias for alias in known.may_not if alias in chat]
    if not (mine and others):
        return {}
    body = {"model": mine[0], "messages": [{"role": "user", "content": PROMPT}], "max_tokens": TOKENS}
    path, name = "/v1/chat/completions", quote(others[0], safe="")
    azure = f"/openai/deployments/{name}/chat/completions"
    asked = {
        "?model=": (f"{path}?{urlencode({'model': others[0]})}", []),
        "?deployment=": (f"{path}?{urlencode({'deployment': others[0]})}", []),
        "x-model": (path, [("x-model", others[0]), ("x-litellm-model", others[0])]),
        "engines in the path": (f"/engines/{name}/chat/completions", []),
        "deployments in the path": (f"{azure}?api-version=2024-06-01", []),
    }
    gateway = target.limited
    return {
        what: gateway.request("POST", at, json_body=body, headers=headers, tokens=4 * TOKENS)
        for what, (at, headers) in asked.items()
    }
