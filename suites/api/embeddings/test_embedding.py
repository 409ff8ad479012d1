"""API-EMB: embeddings."""

from collections.abc import Callable

from gateway_acceptance.check import MUST, SPEND, Level, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.problem import at_level
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import embedding_problems, parse_json

TEXTS = ("a gateway stands before three servers", "seven models answer, each by its own name")


@check(
    "API-EMB-001",
    "embeddings have the declared dimensions, are finite, and differ where the texts differ",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    profile="smoke",
    spec="openai:CreateEmbeddingResponse",
)
def test_vectors(
    gateway: GatewayClient,
    environment: Environment,
    embedding_model: str,
    note: Callable[[str, object], None],
) -> None:
    """Two texts in one request, as floats."""
    answer = gateway.embeddings(embedding_model, TEXTS)
    if answer.status != 200:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:300]}")
    body, problems = parse_json(answer.body)
    dimensions = environment.model(embedding_model).dimensions
    problems += embedding_problems(body, inputs=len(TEXTS), dimensions=dimensions)
    require(at_level(problems, Level.MUST))
    note(f"{embedding_model}.dimensions", len(body["data"][0]["embedding"]))  # type: ignore[index]
    note(f"{embedding_model}.latency_s", f"{answer.elapsed_s:.3f}")
