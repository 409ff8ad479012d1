"""How many client errors an outage may cost: the retries that are declared say it.

Each attempt draws a deployment anew, with replacement (LiteLLM issue 27362: one that refuses connections is
never taken out), so that a request fails with the probability p_dead^(1 + retries). Fewer errors are no
fault: a gateway may notice who is dead.
"""

from __future__ import annotations

import math


def failing(dead: float, retries: int) -> float:
    """The most probable a client error may be. dead: the share of the deployments that are away, 0 to 1."""
    return min(1.0, max(0.0, dead)) ** (1 + retries)


def tail(errors: int, requests: int, probability: float) -> float:
    """The probability of at least so many errors among independent requests (exact binomial)."""
    return math.fsum(
        math.comb(requests, number) * probability**number * (1 - probability) ** (requests - number)
        for number in range(max(0, errors), requests + 1)
    )


def most(requests: int, probability: float, alpha: float) -> int:
    """The largest number of errors that is no contradiction: more than that come from a right gateway with a
    probability of at most alpha."""
    return next(errors for errors in range(requests + 1) if tail(errors + 1, requests, probability) <= alpha)


def smallest_found(requests: int, probability: float, alpha: float, power: float) -> float | None:
    """The smallest true probability of an error, in steps of 0.01, that is found with this power; None where
    there is none."""
    limit = most(requests, probability, alpha)
    rates = (number / 100 for number in range(math.ceil(probability * 100), 101))
    return next((rate for rate in rates if tail(limit + 1, requests, rate) >= power), None)
