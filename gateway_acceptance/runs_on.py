"""On what each check runs: every alias, the first that is able, every group, or no model at all.

What a check is run over stands in its arguments. Whether one without such an argument asks a model was
measured (``suites/costs.json``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gateway_acceptance.costs import Costs, Priced
from gateway_acceptance.environment import Environment

OVER = {
    "chat_model": "every chat alias, balanced groups among them",
    "embedding_model": "every embedding alias",
    "group": "every balanced group",
    "backend": "every backend that may be asked",
    "backend_name": "every backend, from the gateway's machine",
    "machine": "every machine",
    "machine_name": "every machine",
    "backend_host": "every backend's machine",
    "directive": "every hardening directive of every machine",
    "default_key": "every known default key",
}
"""Argument of a check -> what it is run over."""
HOST = "the gateway's machine"
ALL, FIRST, NONE, UNSEEN = (
    "every alias of its kind, in one case",
    "one alias, the first that is declared, and shown, to be able; what is to be refused, with any",
    "the gateway itself: no model is asked",
    "not measured yet",
)
ORDER = (*dict.fromkeys(OVER.values()), ALL, FIRST, HOST, NONE, UNSEEN)


def runs_on(check: str, axes: Collection[str], costs: Costs, measured: Environment) -> str:
    """What a check with these arguments runs on, in words. measured: the environment of the costs."""
    for axis, words in OVER.items():
        if axis in axes:
            return words
    kinds = costs.checks.get(check)
    if "host" in axes or check.startswith("HOST-"):
        return HOST
    if kinds is None:
        return UNSEEN
    prices = [*kinds.values()]
    shared = [costs.shared[name] for price in prices for name in price.uses if name in costs.shared]
    named = {alias for alias in measured.aliases for price in prices if _names(price, alias)}
    if len(named) > 1:
        return ALL
    return FIRST if named or any(one.tokens for one in (*prices, *shared)) else NONE


def _names(price: Priced, alias: str) -> bool:
    return any(alias in name for name in price.uses)


def table_of(on: Mapping[str, str]) -> list[tuple[str, Sequence[str]]]:
    """What is run on, and the checks that are: in the order of ``ORDER``, empty ones left out."""
    rows = [(words, sorted(check for check, what in on.items() if what == words)) for words in ORDER]
    return [(words, checks) for words, checks in rows if checks]
