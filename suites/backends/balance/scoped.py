"""Weights that a key or its team has of its own: LiteLLM from 1.106.2 on draws by them before all others.

Source: LiteLLM's proxy_server.py, ``_get_hierarchical_router_settings`` (the key's settings, else its
team's), and router_strategy/simple_shuffle.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from gateway_acceptance.balance.expected_shares import SCOPED
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NoAnswer

KEY_INFO, TEAM_INFO = "/key/info", "/team/info?team_id="


def undeclared_weights(target: Target, alias: str) -> str:
    """Weights of the suite's own key or its team for an alias, in words, where the environment declares none;
    empty where there are none, or the gateway does not tell."""
    members = target.environment.group(alias).deployments
    if target.environment.gateway.product != "litellm" or any(
        getattr(member, SCOPED) is not None for member in members
    ):
        return ""
    key = _asked(target, KEY_INFO).get("info")
    settings = settings_of(key)
    team = key.get("team_id") if isinstance(key, Mapping) else None
    whose = "the suite's key has"
    if settings is None and isinstance(team, str) and team:
        settings = settings_of(_asked(target, TEAM_INFO + quote(team, safe="")).get("team_info"))
        whose = "the team of the suite's key has"
    weights = (settings or {}).get("weights")
    own = weights.get(alias) if isinstance(weights, Mapping) else None
    if not isinstance(own, Mapping) or not own:
        return ""
    weights = ", ".join(f"{name} {weight}" for name, weight in own.items())
    return f"{whose} weights of its own for {alias} (router_settings.weights: {weights}); declare {SCOPED}"


def settings_of(entry: object) -> Mapping[str, Any] | None:
    """The router settings of a key or team, as an object or as JSON text; None where it has none."""
    value = entry.get("router_settings") if isinstance(entry, Mapping) else None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, Mapping) and value else None


def _asked(target: Target, path: str) -> Mapping[str, Any]:
    """The object that a route answers with; empty where it answers otherwise."""
    try:
        answer = target.gateway.get(path)
        document = json.loads(answer.text) if answer.status == 200 else {}
    except (NoAnswer, ValueError, RecursionError):
        return {}
    return document if isinstance(document, Mapping) else {}
