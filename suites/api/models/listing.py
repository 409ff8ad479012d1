"""A list of models, as far as it is judged."""

from __future__ import annotations

from typing import Any

from gateway_acceptance.environment import Environment
from gateway_acceptance.wire.exchange import Exchange
from suites.api.extract import CLOCKS_S


def asked_now(created: object, answer: Exchange) -> bool:
    """Whether a creation is the time at which it was asked for, by clocks that may differ."""
    return type(created) is int and abs(created - answer.sent_at) <= CLOCKS_S


def judged_list(body: Any, environment: Environment) -> Any:
    """The list without what nobody judges where it repeats itself: LiteLLM lists names of its price list for
    ``openai/*``, some of them twice."""
    entries = body.get("data") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        return body
    seen: set[str] = set()
    kept = []
    for entry in entries:
        name = entry.get("id") if isinstance(entry, dict) else None
        repeated = isinstance(name, str) and name in seen and environment.unjudged(name)
        if not repeated:
            kept.append(entry)
        if isinstance(name, str):
            seen.add(name)
    return {**body, "data": kept}
