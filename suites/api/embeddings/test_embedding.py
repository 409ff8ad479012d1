"""API-EMB: embeddings."""

from collections.abc import Callable

from gateway_acceptance.check import MUST, SPEND, Level, check
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import at_level
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import embedding_problems, parse_json
from suites.api.embeddings.probes import alone, beside


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
    target: Target,
    gateway: GatewayClient,
    environment: Environment,
    embedding_model: str,
    note: Callable[[str, object], None],
) -> None:
    """Several texts in one request: one of them twice, and one once more without what is not ASCII. Of the
    last model more than gateways hand on at once, if it takes so many. As floats, which of all models but one
    nobody asks for: they are the default. Of that one model a text alone before, as a string, and as the SDK
    asks. That the vectors are the same, and that usage grows, is judged of every exchange (API-EMB-003 to
    007, 011, 015), and by a sentinel."""
    dimensions = environment.model(embedding_model).dimensions
    problems = []
    if embedding_model == environment.aliases_of(ModelKind.EMBEDDING)[0]:
        read, unread = parse_json(_served(alone(target)).body)
        problems += [*unread, *embedding_problems(read, inputs=1, dimensions=dimensions)]
    answer, inputs = beside(target, embedding_model)
    body, unread = parse_json(_served(answer).body)
    problems += [*unread, *embedding_problems(body, inputs=inputs, dimensions=dimensions)]
    require(at_level(problems, Level.MUST))
    note(f"{embedding_model}.dimensions", len(body["data"][0]["embedding"]))  # type: ignore[index]
    note(f"{embedding_model}.latency_s", f"{answer.elapsed_s:.3f}")


def _served(answer: Exchange) -> Exchange:
    if answer.status != 200:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:300]}")
    return answer
