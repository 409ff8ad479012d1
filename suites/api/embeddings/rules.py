"""Vectors compared: in direction, and bit for bit."""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Sequence

Vector = Sequence[float]

SAME_COSINE = 0.999
"""From here on two vectors are one: batches of another size make a runner round differently."""

UNIT_TOLERANCE = 1e-3
"""How far a length may be from 1: half-precision runners round each component by up to 0.05 %."""


def length(vector: Vector) -> float:
    """The Euclidean norm."""
    return math.sqrt(math.fsum(map(operator.mul, vector, vector)))


def unit(vector: Vector) -> list[float]:
    """The vector scaled to length one; zeros stay zeros."""
    scale = length(vector) or 1.0
    return [value / scale for value in vector]


def cosine(one: Vector, other: Vector) -> float:
    """The cosine similarity; 0 where the dimensions differ or a vector is zero."""
    return _cosine(one, other, length(one) * length(other))


def _cosine(one: Vector, other: Vector, lengths: float) -> float:
    """lengths: the product of both."""
    if len(one) != len(other) or not lengths:
        return 0.0
    return math.fsum(map(operator.mul, one, other)) / lengths


def same(one: Vector, other: Vector) -> bool:
    """Whether two vectors are the same up to what rounding does: direction and length."""
    if len(one) != len(other):
        return False
    first, second = length(one), length(other)
    longer = max(first, second)
    if not longer:
        return True
    alike = _cosine(one, other, first * second) >= SAME_COSINE
    return alike and abs(first - second) <= (1 - SAME_COSINE) * longer


def float32(vector: Vector) -> bytes:
    """The vector as little-endian 32-bit floats, which is what base64 carries.

    Raises OverflowError for a component that no 32-bit float holds.
    """
    return struct.pack(f"<{len(vector)}f", *vector)


def bits_that_differ(one: Vector, other: Vector) -> int:
    """How many components differ as 32-bit floats; all of the longer one's where the dimensions differ."""
    if len(one) != len(other):
        return max(len(one), len(other))
    left, right = float32(one), float32(other)
    return sum(left[at : at + 4] != right[at : at + 4] for at in range(0, len(left), 4))


def misplaced(got: Sequence[Vector], expected: Sequence[Vector]) -> list[int]:
    """The places whose vector is not the expected one."""
    return [at for at, (one, other) in enumerate(zip(got, expected, strict=True)) if not same(one, other)]


def pairs_that_are_same(vectors: Sequence[Vector]) -> list[tuple[int, int]]:
    """Pairs of places with one vector."""
    return [
        (first, second)
        for first in range(len(vectors))
        for second in range(first + 1, len(vectors))
        if same(vectors[first], vectors[second])
    ]
