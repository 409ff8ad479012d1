"""Raised where a model thought until its limit was spent (``wire/reasoning.py``)."""

from __future__ import annotations

from collections.abc import Iterable

from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import Untestable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.reasoning import DECLARE, spent_by


def require_answered(*answers: Exchange) -> None:
    """Raises Untestable where a model thought until its limit was spent. An answer of another form is left
    to the check."""
    for answer in answers:
        require_unspent(spent_by(answer))


def require_unspent(said: str, beside: Iterable[Problem] = ()) -> None:
    """Raises Untestable with what ``spent_on_reasoning`` said, where it said anything. beside: what else is
    wrong with the answer, which is told with it."""
    if said:
        more = "".join(f"; beside it, {problem}" for problem in beside)
        raise Untestable(said, f"{DECLARE}{more}")
