"""Vectors in what a gateway or a backend answers, whatever else it answers."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_acceptance.wire.schema import embedding_vector


def openai_vectors(document: object) -> list[list[float]] | None:
    """Of an embedding response, in order; None where it is none, or one of them is no vector."""
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        return None
    return _all_vectors([one.get("embedding") if isinstance(one, dict) else None for one in data])


def ollama_vectors(document: object) -> list[list[float]] | None:
    """Of ``/api/embed``, in order; None where it is no answer of it."""
    data = document.get("embeddings") if isinstance(document, dict) else None
    return _all_vectors(data) if isinstance(data, list) else None


def _all_vectors(values: Sequence[object]) -> list[list[float]] | None:
    found = [embedding_vector(value) for value in values]
    vectors = [vector for vector in found if vector is not None]
    return vectors if len(vectors) == len(found) else None
