"""What the answers of chat say, read for the rules over every exchange: text, usage, limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway_acceptance.wire.backends import full_name
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.reasoning import reasoning_in, reasoning_tokens
from gateway_acceptance.wire.rule import is_index
from gateway_acceptance.wire.seen import SeenExchange
from suites.api.extract import names


def choice_of(seen: SeenExchange) -> Mapping[str, Any]:
    """The only choice; empty where there is another number of them."""
    choices = seen.document.get("choices")
    if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], dict):
        return choices[0]
    return {}


def text_of(seen: SeenExchange) -> str:
    """The text of the only choice; empty where there is none."""
    message = choice_of(seen).get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""


def plain(seen: SeenExchange) -> bool:
    """Whether the answer is text and nothing beside it: no call, no thoughts, of a model that has none."""
    message = choice_of(seen).get("message")
    if not isinstance(message, dict) or seen.environment.thinks(seen.alias):
        return False
    return not (message.get("tool_calls") or reasoning_in(message) or reasoning_tokens(usage_of(seen)))


def usage_of(seen: SeenExchange) -> Mapping[str, Any]:
    """The usage; empty where it is none."""
    usage = seen.document.get("usage")
    return usage if isinstance(usage, dict) else {}


def count_of(seen: SeenExchange, name: str) -> int | None:
    """A count of the usage; None where it is no integer from 0."""
    value = usage_of(seen).get(name)
    return value if is_index(value) and isinstance(value, int) else None


def limit_of(seen: SeenExchange) -> tuple[str, int | None]:
    """The limit that was asked for, by its name; None where there is none, or it is none that can be kept."""
    for name in ("max_tokens", "max_completion_tokens"):
        value = seen.asked.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return name, value
    return "max_tokens", None


def answers_asked(seen: SeenExchange) -> int:
    """``n`` of the request; 0 where it is no number of answers."""
    asked = seen.asked.get("n", 1)
    if asked is None:
        return 1
    return asked if isinstance(asked, int) and not isinstance(asked, bool) and asked > 0 else 0


def of_another(seen: SeenExchange, memory: Memory) -> str:
    """What an answer names that shows another model to have given it, where the environment does not say what
    stands behind the alias; empty where nothing does.

    That answers name another declared alias may be meant so: an alias of an alias, a router. It is not where
    they also name the alias itself: then sometimes the one answers, and sometimes the other.
    """
    alias, named = seen.alias, seen.document.get("model")
    balanced = any(group.alias == alias for group in seen.environment.groups)
    if balanced or not isinstance(named, str):
        return ""
    if names(named, alias, ()) or names(alias, named, ()) or full_name(named) == full_name(alias):
        memory.first("named as itself", alias, named)
        other = memory.known("named as another", alias)
        return f"{named!r}, and {other!r} before, which is another declared model" if other else ""
    if named not in seen.environment.aliases:
        return ""
    memory.first("named as another", alias, named)
    itself = memory.known("named as itself", alias)
    return f"{named!r}, which is another declared model, and {itself!r} before" if itself else ""


def upstreams_of(seen: SeenExchange) -> list[str]:
    """The upstream models behind the alias, one for each deployment; empty where not all are declared."""
    deployments = seen.environment.deployments_of(seen.alias)
    return [served.upstream for served in deployments] if all(one.declared for one in deployments) else []
