"""API-EMB: vectors belong to their texts, whatever else is in the request."""

from gateway_acceptance.check import MUST, RELEASE, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.embeddings.probes import (
    TEXTS,
    ask,
    batch,
    direct_vectors,
    embedding_alias,
    single,
    vectors,
)
from suites.api.embeddings.rules import UNIT_TOLERANCE, length, misplaced, pairs_that_are_same, same, unit

SPEC = "openai:CreateEmbeddingResponse"

MANY = 64
"""Texts of one request: more than the batches that gateways and backends cut requests into by default."""

MANY_ALONE = (0, 31, 63)
"""The places of them that are asked for alone: both ends, and the middle."""

UNUSUAL = (
    "Grüße aus dem Süden",
    "你好，世界",
    "שלום עולם",
    "family 👨‍👩‍👧 and flag 🇩🇪",
    "𝔞𝔰𝔱𝔯𝔞𝔩 text",
    'tabs\tand\nlines\r\nand "quotes" and \\ and </script>',
    "e\u0301 is not \u00e9",
    "?",
)
"""Text that a careless hop breaks: several scripts, astral characters, controls, escapes, combining marks."""


@check(
    "API-EMB-002",
    "vectors have length one where the model promises it",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="environment: models.unit_norm",
)
def test_unit_norm(
    target: Target, gateway: GatewayClient, environment: Environment, embedding_model: str
) -> None:
    """Clients that use the dot product as similarity rely on it. Ollama normalises what /api/embed answers,
    but not what the older /api/embeddings does; the promise is the environment's ``unit_norm``. Asked of one
    text: that a batch has the same vectors is API-EMB-007."""
    if not environment.model(embedding_model).unit_norm:
        raise NotApplicable(
            f"the environment does not promise unit vectors of {embedding_model} (unit_norm)",
            declared="models.unit_norm",
        )
    (vector,) = vectors(single(target, embedding_model), 1)
    found = length(vector)
    if abs(found - 1) > UNIT_TOLERANCE:
        raise CheckFailed(f"expected vectors of length 1 ± {UNIT_TOLERANCE}, got length {found:.6f}")


@check(
    "API-EMB-003",
    "a batch in another order has the same vectors in that order",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec=SPEC,
)
def test_permutation(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    """A vector at another text's place poisons an index without any error."""
    straight = vectors(batch(target, embedding_model), len(TEXTS))
    turned = ask(target, embedding_model, [TEXTS[1], TEXTS[2], TEXTS[0]], encoding_format="float")
    wrong = misplaced(vectors(turned, len(TEXTS)), [straight[1], straight[2], straight[0]])
    if wrong:
        raise CheckFailed(f"expected each vector at its text's place after a permutation, wrong are {wrong}")


@check(
    "API-EMB-004",
    "the same text has the same vector",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="openai:Embedding.embedding; environment: models.upstream",
)
def test_repeated(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    """Between requests, and two times in one: what was indexed yesterday must be found today."""
    first = vectors(single(target, embedding_model), 1)[0]
    again = ask(target, embedding_model, [TEXTS[0], TEXTS[1], TEXTS[0]], encoding_format="float")
    one, _, two = vectors(again, 3)
    if not same(one, two):
        raise CheckFailed("expected one vector for a text that stands in a request twice, got two")
    if not same(first, one):
        raise CheckFailed("expected the same vector for the same text in a second request, got another")


@check(
    "API-EMB-005",
    "different texts have different vectors, each pair of them",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="openai:Embedding.embedding: the vector of its own input",
)
def test_distinct(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    """A batch that is answered with one text's vector twice has lost a text."""
    pairs = pairs_that_are_same(vectors(batch(target, embedding_model), len(TEXTS)))
    if pairs:
        raise CheckFailed(f"expected {len(TEXTS)} different vectors, the same one is at the places {pairs}")


@check(
    "API-EMB-006",
    "a string has the vector of a list of one",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="openai:CreateEmbeddingRequest.input",
)
def test_string_is_list_of_one(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    """SDKs and frameworks use both forms for the same index."""
    alone = vectors(single(target, embedding_model), 1)[0]
    listed = ask(target, embedding_model, [TEXTS[0]], encoding_format="float")
    if not same(vectors(listed, 1)[0], alone):
        raise CheckFailed("expected the same vector for a string and for a list of it, got another")


@check(
    "API-EMB-007",
    "a text has the same vector in a batch and alone",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="openai:CreateEmbeddingRequest.input: multiple inputs in a single request",
)
def test_batch_is_singles(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    """Documents are indexed in batches, questions come alone. The last text too: batches are cut at ends."""
    together = vectors(batch(target, embedding_model), len(TEXTS))
    last = ask(target, embedding_model, TEXTS[-1], encoding_format="float")
    alone = [vectors(single(target, embedding_model), 1)[0], vectors(last, 1)[0]]
    wrong = misplaced(alone, [together[0], together[-1]])
    if wrong:
        raise CheckFailed(f"expected the vectors of the batch for its texts alone, {len(wrong)} of 2 differ")


@check(
    "API-EMB-008",
    "a batch of 64 texts is answered whole and in order",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    profile=RELEASE,
    spec="openai:CreateEmbeddingRequest.input maxItems",
)
def test_large_batch(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """OpenAI takes 2048 texts at once; what a gateway splits it must put together again."""
    alias = embedding_alias(environment)
    texts = [f"{TEXTS[number % 3]}, number {number} of many" for number in range(MANY)]
    together = vectors(ask(target, alias, texts, encoding_format="float"), MANY)
    alone = [vectors(ask(target, alias, texts[place], encoding_format="float"), 1)[0] for place in MANY_ALONE]
    wrong = misplaced([together[place] for place in MANY_ALONE], alone)
    if wrong:
        places = [MANY_ALONE[at] for at in wrong]
        raise CheckFailed(f"expected each vector at its text's place, wrong are {places} of {MANY}")


@check(
    "API-EMB-009",
    "the model embeds exactly the text that the client sent",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="openai:CreateEmbeddingRequest.input: the text to embed",
)
def test_text_arrives_unchanged(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Held against the backend's own vectors: mojibake, stripped characters and added prefixes turn them
    silently. Their length is another matter (API-EMB-002): only one of Ollama's endpoints normalises."""
    alias = embedding_alias(environment)
    through = vectors(ask(target, alias, UNUSUAL, encoding_format="float"), len(UNUSUAL))
    changed = misplaced(list(map(unit, through)), list(map(unit, direct_vectors(target, alias, UNUSUAL))))
    if changed:
        shown = ", ".join(ascii(UNUSUAL[place]) for place in changed)
        raise CheckFailed(f"expected the backend's own vectors, got others for {shown}", blame="gateway")
