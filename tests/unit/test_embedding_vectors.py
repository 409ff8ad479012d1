"""Vectors compared."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suites.api.embeddings.rules import (
    bits_that_differ,
    cosine,
    float32,
    length,
    misplaced,
    pairs_that_are_same,
    same,
    unit,
)

NUMBERS = st.floats(min_value=-1, max_value=1, width=32).filter(lambda value: value == 0 or abs(value) > 1e-6)
VECTORS = st.lists(NUMBERS, min_size=1, max_size=20)


def test_length_and_cosine() -> None:
    assert length([3.0, 4.0]) == 5.0
    assert cosine([1.0, 0.0], [0.0, 2.0]) == 0.0
    assert cosine([1.0, 1.0], [2.0, 2.0]) == pytest.approx(1.0)
    assert cosine([1.0], [1.0, 0.0]) == 0.0
    assert cosine([0.0], [1.0]) == 0.0


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VECTORS)
def test_a_vector_is_the_same_as_itself_and_as_its_rounding(vector: list[float]) -> None:
    assert same(vector, vector)
    assert same(vector, [value * (1 + 1e-4) for value in vector])
    assert bits_that_differ(vector, vector) == 0


@pytest.mark.parametrize(
    "other", [[0.0, 1.0], [-1.0, 0.0], [1.0, 0.1], [2.0, 0.0], [1.0], [1.0, 0.0, 0.0], [0.0, 0.0]]
)
def test_another_direction_length_or_dimension_is_another_vector(other: list[float]) -> None:
    assert not same([1.0, 0.0], other)


def test_unit_keeps_the_direction_alone() -> None:
    assert unit([3.0, 4.0]) == pytest.approx([0.6, 0.8])
    assert unit([0.3, 0.4]) == pytest.approx([0.6, 0.8])
    assert unit([0.0, 0.0]) == [0.0, 0.0]


def test_zeros_are_the_same() -> None:
    assert same([0.0, 0.0], [0.0, 0.0])


def test_bits() -> None:
    assert float32([1.0]) == b"\x00\x00\x80\x3f"
    assert bits_that_differ([0.1, 0.2], [0.1, 0.2]) == 0
    assert bits_that_differ([0.1, 0.2], [0.1, math.nextafter(0.2, 1)]) == 0  # one 32-bit float
    assert bits_that_differ([0.1, 0.2], [0.1, 0.2000001]) == 1
    assert bits_that_differ([0.0], [-0.0]) == 1
    assert bits_that_differ([1.0], [1.0, 2.0]) == 2


def test_places_and_pairs() -> None:
    x, y, z = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]
    assert misplaced([x, y, z], [x, z, y]) == [1, 2]
    assert misplaced([x, y], [x, y]) == []
    assert pairs_that_are_same([x, y, x, z, y]) == [(0, 2), (1, 4)]
    assert pairs_that_are_same([x, y, z]) == []
