"""Vectors that stand for embeddings: a pure function of model and text, of unit length."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence

Vector = list[float]

DECIMALS = 8  # what a 32-bit float carries; keeps bodies as long as a real server's


def embed(model: str, text: str, dimensions: int) -> Vector:
    """The unit vector of ``text``: ``dimensions`` numbers drawn from a hash of model and text.

    The same on every backend and at every place of a batch; different texts have nearly orthogonal vectors.
    """
    key = f"{model}\0{text}".encode()
    raw = hashlib.shake_256(key).digest(4 * dimensions)
    return normalised([value / 2**31 - 1 for value in struct.unpack(f"<{dimensions}I", raw)])


def normalised(vector: Sequence[float]) -> Vector:
    """The vector scaled to length 1 (Ollama normalises what /api/embed answers); zeros stay zeros."""
    length = math.sqrt(math.fsum(value * value for value in vector)) or 1.0
    return [round(value / length, DECIMALS) for value in vector]


def shortened(vector: Sequence[float], dimensions: int | None) -> Vector:
    """The first ``dimensions`` numbers, normalised again; unchanged where none or too many are asked for."""
    if dimensions is None or not 0 < dimensions < len(vector):
        return list(vector)
    return normalised(vector[:dimensions])
