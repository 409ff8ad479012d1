"""A list of models, as far as it is judged."""

from __future__ import annotations

from typing import Any

from gateway_acceptance.environment import Environment


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
