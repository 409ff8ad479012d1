"""How many errors an outage may cost: by hand, by SciPy's numbers, and at the edges."""

import math

import pytest

from gateway_acceptance.outage.expected import failing, most, smallest_found, tail


@pytest.mark.parametrize(
    ("dead", "retries", "chance"),
    [(1 / 3, 0, 1 / 3), (1 / 3, 1, 1 / 9), (0.5, 2, 0.125), (0, 3, 0), (1, 9, 1)],
)
def test_a_request_fails_when_every_attempt_draws_a_dead_one(
    dead: float, retries: int, chance: float
) -> None:
    assert failing(dead, retries) == pytest.approx(chance)


@pytest.mark.parametrize(
    ("errors", "requests", "probability", "expected"),
    # scipy.stats.binom.sf(errors - 1, requests, probability)
    [(0, 10, 0.3, 1.0), (11, 10, 0.3, 0.0), (10, 10, 0.5, 2.0**-10), (2, 3, 0.5, 0.5)],
)
def test_the_tail_is_exact(errors: int, requests: int, probability: float, expected: float) -> None:
    assert tail(errors, requests, probability) == pytest.approx(expected)


@pytest.mark.parametrize("probability", [0.0, 1 / 9, 1 / 3, 2 / 3, 1.0])
def test_the_limit_is_the_smallest_that_keeps_alpha(probability: float) -> None:
    limit = most(90, probability, 0.0001)
    assert tail(limit + 1, 90, probability) <= 0.0001
    assert limit == 0 or tail(limit, 90, probability) > 0.0001


def test_what_ninety_requests_find() -> None:
    found = smallest_found(90, 1 / 3, 0.0001, 0.9)
    assert found is not None
    limit = most(90, 1 / 3, 0.0001)
    assert tail(limit + 1, 90, found) >= 0.9 > tail(limit + 1, 90, found - 0.01)
    assert math.isclose(found, 0.60, abs_tol=0.02)  # docs/outage.md


def test_nothing_is_found_where_everything_may_fail() -> None:
    assert smallest_found(90, 1.0, 0.0001, 0.9) is None
