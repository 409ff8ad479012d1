"""API-SDK: embeddings. The SDK asks for base64 where nothing is said, and decodes it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.lazily import lazily
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed
from suites.api.observations import single
from suites.api.sdk.probes import as_shipped, reading

if TYPE_CHECKING:
    import openai
else:
    openai = lazily("openai")

TEXTS = ["a gateway stands before three servers", "the harbour lies still in the morning"]
TOLERANCE = 1e-6
"""Base64 carries 32-bit floats; what JSON says in more digits is rounded to them."""


@check(
    "API-SDK-015",
    "embeddings come with the declared dimensions where no encoding is asked for",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="openai-python:Embeddings.create",
)
def test_default_encoding(sdk: openai.OpenAI, environment: Environment, embedding_model: str) -> None:
    """The path that nearly every application takes: base64 on the wire, if the gateway can."""
    with reading("the vectors"):
        response = as_shipped(sdk).embeddings.create(model=embedding_model, input=TEXTS)
        lengths = [len(entry.embedding) for entry in response.data]
    dimensions = environment.model(embedding_model).dimensions
    if lengths != [dimensions] * len(TEXTS):
        raise CheckFailed(f"expected {len(TEXTS)} vectors of {dimensions} numbers, the SDK got {lengths}")
    if not all(_finite(number) for entry in response.data for number in entry.embedding):
        raise CheckFailed("expected finite numbers, the SDK decoded others", blame="gateway")


@check(
    "API-SDK-016",
    "embeddings are the same whether they come as base64 or as floats",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="openai:CreateEmbeddingRequest.encoding_format",
)
def test_encodings_agree(sdk: openai.OpenAI, environment: Environment) -> None:
    """A byte order or a width that is not little-endian 32 bits gives numbers that look like a vector."""
    model = single(environment, ModelKind.EMBEDDING).alias
    with reading("the vectors"):
        default = as_shipped(sdk).embeddings.create(model=model, input=TEXTS[0]).data[0].embedding
        floats = sdk.embeddings.create(model=model, input=TEXTS[0], encoding_format="float").data[0].embedding
    judged(numbers=len(default), vectors=2)
    if len(default) != len(floats) or not all(
        math.isclose(one, other, abs_tol=TOLERANCE) for one, other in zip(default, floats, strict=True)
    ):
        raise CheckFailed(
            f"expected the same vector twice, got {default[:3]}… by default and {floats[:3]}… as floats",
            blame="gateway",
        )


def _finite(number: object) -> bool:
    return isinstance(number, int | float) and math.isfinite(number)
