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
from suites.api.embeddings.probes import ask

TEXTS = (
    "a gateway stands before three servers",
    "seven models answer, each by its own name",
    "Grüße aus dem Süden, 你好 שלום 𝔞𝔰𝔱𝔯𝔞𝔩 e\u0301",
)
"""That have no word in common; the last of them with letters of several scripts."""
TURNED = (TEXTS[1], TEXTS[2], TEXTS[0])


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
    """Three texts in one request, as floats, which of all models but one nobody asks for: they are the
    default. Of that one model once more, turned round and as the SDK asks: that
    the vectors are the same, each at its text's place, is judged of every exchange (API-EMB-003, 011)."""
    first = embedding_model == environment.aliases_of(ModelKind.EMBEDDING)[0]
    answer = ask(target, embedding_model, TEXTS, **({"encoding_format": "float"} if first else {}))
    body, problems = parse_json(_served(answer).body)
    dimensions = environment.model(embedding_model).dimensions
    problems += embedding_problems(body, inputs=len(TEXTS), dimensions=dimensions)
    if first:
        turned = gateway.embeddings(embedding_model, TURNED, encoding_format="base64")
        read, unread = parse_json(_served(turned).body)
        problems += [*unread, *embedding_problems(read, inputs=len(TEXTS), dimensions=dimensions)]
    require(at_level(problems, Level.MUST))
    note(f"{embedding_model}.dimensions", len(body["data"][0]["embedding"]))  # type: ignore[index]
    note(f"{embedding_model}.latency_s", f"{answer.elapsed_s:.3f}")


def _served(answer: Exchange) -> Exchange:
    if answer.status != 200:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:300]}")
    return answer
