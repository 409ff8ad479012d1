"""Rules over what a balanced alias is answered: from a cache, at a second try, by whom two headers tell."""

from __future__ import annotations

from collections.abc import Iterator

from gateway_acceptance.environment import product_of
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.seen import Kind, SeenExchange
from gateway_acceptance.wire.watch import UniversalRule
from suites.backends.balance.sample import CACHE_HEADERS, FALLBACKS, RETRIES


def balanced(seen: SeenExchange) -> bool:
    """Whether a balanced alias answered, whatever the parameters."""
    return any(group.alias == seen.drawn for group in seen.environment.groups)


def cached(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of BACKEND-BAL-010: a header says that nobody was drawn."""
    for name, word in CACHE_HEADERS.items():
        value = seen.exchange.header(name)
        if balanced(seen) and value and word in value.lower():
            yield Problem("", f"1 answers came from a cache, they say: {name}: {value}")
            return


def tried_again(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of BACKEND-BAL-011: headers say that more than one try was made, or that another alias answered."""
    for name, text in ((RETRIES, "it tried more than once"), (FALLBACKS, "another alias gave them")):
        value = seen.exchange.header(name) or ""
        if balanced(seen) and value.isdecimal() and int(value) > 0:
            yield Problem("", f"the gateway says of 1 answers that {text}")


def contradicting(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of BACKEND-BAL-002: one deployment, by its id, is said to be on two backends."""
    header = product_of(seen.environment.gateway).deployment_id
    named = seen.exchange.header(header) if header else None
    if not named or not seen.exchange.served_by or not balanced(seen):
        return
    before = memory.first("backend of a deployment", named, seen.exchange.served_by)
    if before != seen.exchange.served_by:
        text = f"{header} means {before}, the other header {seen.exchange.served_by}"
        yield Problem("", f"the gateway's headers contradict each other: {text}")


ANY = frozenset({Kind.ANY})
BALANCE_RULES = (
    UniversalRule("BACKEND-BAL-002", ANY, contradicting),
    UniversalRule("BACKEND-BAL-010", ANY, cached),
    UniversalRule("BACKEND-BAL-011", ANY, tried_again),
)
