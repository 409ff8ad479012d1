"""One account of alpha: what each statistical test of a run may spend, so that all of them together keep
to it.

``balance.alpha`` is for the shares and the independence of every balanced group, and for the shares of
those that are left in an outage; ``outage.alpha`` for the number of errors in an outage. Each part is a
Bonferroni part, fixed before the first draw: every test is reported by itself, before the others are
known. What is not of balance is small, and stands beside them. Times (latency, pace, deadlines) are held
against declared bounds: nothing of that is drawn, so it spends no alpha. What a model says is drawn as well,
with probabilities that nobody knows: checks rest on it only where the model, asked directly, shows it first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.model import SIMPLE_SHUFFLE, Environment

LITELLM = "litellm"
"""The product that gives every answer an id of its own making, which nothing repeats by chance."""
MORE_THAN_ONE = 1e-5
"""How often the search for a second backend (smoke) may call a gateway unbalanced that draws as declared."""
NOT_DRAWN, REVIVALS = 1e-6, 2
"""How often a backend that is back may just not be drawn, and how many a run with outages waits for."""
SAME_SHORT_ID = 2.5e-9
"""Of each answer whose id is one of a thousand (Ollama's own, which LiteLLM replaces): how often so many ids
are the same by chance (suites/every_exchange/ids.py). An answer is a request of the policy's at most."""
PART_OF_GENERATED = 0.1
"""Of the alpha for independence, what generated requests may spend; the sample's patterns share the rest."""
SHARES, INDEPENDENCE, GENERATED = "shares", "independence", "generated requests"
SURVIVORS, SECOND_BACKEND, OUTAGE_ERRORS = "shares in an outage", "a second backend", "errors in an outage"
REVIVED, SHORT_IDS = "a backend that is back", "ids of answers"


@dataclass(frozen=True, slots=True)
class AlphaEntry:
    """One test. about: the group, empty where it is of the whole environment; alpha: the most probable its
    false alarm may be."""

    test: str
    about: str
    alpha: float


def ledger(environment: Environment) -> list[AlphaEntry]:
    """What every statistical test of a whole run may spend, in the order in which they run."""
    found = []
    for group in environment.groups:
        found.append(AlphaEntry(SECOND_BACKEND, group.alias, MORE_THAN_ONE))
        if group.strategy == SIMPLE_SHUFFLE:
            part = alpha_of_each(environment)
            found += [
                AlphaEntry(SHARES, group.alias, part),
                AlphaEntry(INDEPENDENCE, group.alias, part * (1 - PART_OF_GENERATED)),
                AlphaEntry(GENERATED, group.alias, part * PART_OF_GENERATED),
            ]
    if has_outages(environment):
        found.append(AlphaEntry(SURVIVORS, "", alpha_of_each(environment)))
        found.append(AlphaEntry(OUTAGE_ERRORS, "", environment.outage.alpha))
        found.append(AlphaEntry(REVIVED, "", NOT_DRAWN * REVIVALS))
    if environment.gateway.product != LITELLM:
        found.append(AlphaEntry(SHORT_IDS, "", SAME_SHORT_ID * environment.policy.requests))
    return found


def alpha_of_each(environment: Environment) -> float:
    """The equal part of ``balance.alpha`` that each test of this environment has."""
    return equal_part(environment.balance.alpha, len(environment.groups), outages=has_outages(environment))


def equal_part(alpha: float, groups: int, *, outages: bool) -> float:
    """Of alpha two parts for each group (shares, independence), and one for those that are left in an outage,
    where the policy permits outages. Raises ValueError without a group."""
    if groups < 1:
        raise ValueError("alpha is shared by at least one group")
    return alpha / (2 * groups + outages)


def second_within(shares: Iterable[float]) -> int:
    """Requests within which a right gateway shows a second backend of these shares (two are positive, sum 1)
    with a probability of at least 1 - ``MORE_THAN_ONE``."""
    positive, draws = [share for share in shares if share > 0], 1
    if len(positive) < 2:
        raise ValueError("one backend alone shows no second one")
    while math.fsum(share**draws for share in positive) > MORE_THAN_ONE:
        draws += 1
    return draws


def has_outages(environment: Environment) -> bool:
    """Whether the policy permits to take backends away."""
    return Effect.DISRUPT in environment.policy.effects


def in_words(entries: Sequence[AlphaEntry]) -> str:
    """The account for people: the sum, and each part."""
    parts = ", ".join(f"{one.test} {one.about} {one.alpha:.2g}".replace("  ", " ") for one in entries)
    return f"{total(entries):.2g} at most ({parts})"


def total(entries: Sequence[AlphaEntry]) -> float:
    """The most probable any false alarm of a whole run may be (union bound)."""
    return sum(entry.alpha for entry in entries)
