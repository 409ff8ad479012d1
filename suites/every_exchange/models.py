"""Rules over every list of models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway_acceptance.check import Level
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.schema import model_list_problems
from gateway_acceptance.wire.seen import Kind, SeenExchange
from gateway_acceptance.wire.watch import UniversalRule
from suites.api.models.listing import asked_now, judged_list

CREATED_TOLERANCE_S = 300
"""As clocks may differ."""


def _entries(seen: SeenExchange) -> list[dict[str, Any]]:
    data = seen.document.get("data")
    return [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []


def shape(seen: SeenExchange, _: Memory) -> list[Problem]:
    """As of API-MODELS-002."""
    return at_level(model_list_problems(judged_list(seen.body, seen.environment)), Level.MUST)


def declared(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-MODELS-001."""
    listed = [str(entry.get("id")) for entry in _entries(seen)]
    wrong = seen.environment.otherwise_listed(listed)
    if listed and wrong:
        text = (
            f"expected the {len(seen.environment.listed)} declared models, {len(listed)} are listed; "
            + "; ".join(wrong)
        )
        yield Problem("", text)


def stable(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-MODELS-010."""
    ids = frozenset(str(entry.get("id")) for entry in _entries(seen))
    lists = memory.last("models", ids, 2)
    if len(lists) == 2 and lists[0] != lists[1]:
        changed = ", ".join(sorted(lists[0] ^ lists[1]))
        yield Problem("", f"expected the same models twice, only one list has: {changed}")


def created(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-MODELS-011."""
    latest = seen.exchange.sent_at + seen.exchange.elapsed_s + CREATED_TOLERANCE_S
    wrong = {
        str(entry.get("id")): entry.get("created")
        for entry in _entries(seen)
        if type(entry.get("created")) is not int or not 0 <= entry["created"] <= latest
    }
    if wrong:
        yield Problem("", f"expected Unix seconds from 0 to {latest:.0f}, got {wrong}")


def as_listed(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-MODELS-005, of the model that it asks for, where that was listed before. Who says the time of
    asking says it in both places."""
    if Kind.MODELS in seen.kinds:
        entries = {str(entry.get("id")): entry for entry in _entries(seen)}
        memory.last("listed", (entries, seen.exchange), 1)
        return
    known, name = memory.latest("listed"), seen.document.get("id")
    first = (seen.environment.listed or seen.environment.aliases)[0]
    entry = known[0].get(first) if known and name == first else None
    if entry is None:
        return
    there = known[1]
    fields = {name: seen.document.get(name) for name in ("created", "owned_by")}
    expected = {name: entry.get(name) for name in ("created", "owned_by")}
    if asked_now(fields["created"], seen.exchange) and asked_now(expected["created"], there):
        fields["created"] = expected["created"]
    if fields != expected:
        yield Problem("", f"expected {expected}, as listed, got {fields}")


MODELS = frozenset({Kind.MODELS})
MODEL_RULES = (
    UniversalRule("API-MODELS-001", MODELS, declared),
    UniversalRule("API-MODELS-002", MODELS, shape),
    UniversalRule("API-MODELS-005", frozenset({Kind.MODELS, Kind.MODEL}), as_listed),
    UniversalRule("API-MODELS-010", MODELS, stable),
    UniversalRule("API-MODELS-011", MODELS, created),
)
