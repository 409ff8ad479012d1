"""Embedding requests that several checks look at, and how their vectors are read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gateway_acceptance.check import Level
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.schema import embedding_vector, error_problems
from gateway_acceptance.wire.sender import tokens_needed

PATH = "/v1/embeddings"

TEXTS = (
    "a gateway stands before three servers",
    "seven models answer, each by its own name",
    "the harbour lies still in the early light",
)
"""Texts that no model takes for one another."""

BEYOND_ASCII = "Grüße aus dem Süden, 你好 שלום 𝔞𝔰𝔱𝔯𝔞𝔩 e\u0301"
"""With letters of several scripts, and no word of the others."""
OF_ASCII = BEYOND_ASCII.encode("ascii", "ignore").decode()
"""What is left of it on a way that carries nothing else: another text to any model."""
BATCH = (*TEXTS[:2], OF_ASCII, TEXTS[0], BEYOND_ASCII)
"""What moves in it shows: no order but this one has the same text at the first and the fourth place."""
PARTS = 32
"""Texts of the requests that gateways cut a batch into: one more shows how they are put together."""

INPUT_REFUSED = (400, 413, 422)


def embedding_alias(environment: Environment) -> str:
    """The alias that stands for all embedding models. Raises NotApplicable where there is none."""
    aliases = environment.aliases_of(ModelKind.EMBEDDING)
    if not aliases:
        raise NotApplicable("the environment declares no embedding model", declared="models")
    return aliases[0]


def ask(target: Target, alias: str, given: object, **parameters: Any) -> Exchange:
    """An embedding request with exactly these parameters; ``encoding_format`` only where it is given."""
    body = {"model": alias, "input": given, **parameters}
    tokens = tokens_needed(json.dumps(given, ensure_ascii=False), 0)
    return target.gateway.request("POST", PATH, json_body=body, tokens=tokens)


def batch(target: Target, alias: str) -> Exchange:
    """TEXTS in one request, as floats."""
    return target.once(
        ("embeddings", alias, "batch"), lambda: ask(target, alias, TEXTS, encoding_format="float")
    )


def single(target: Target, alias: str) -> Exchange:
    """The first of TEXTS alone, as a string, as floats."""
    return target.once(
        ("embeddings", alias, "single"), lambda: ask(target, alias, TEXTS[0], encoding_format="float")
    )


def in_base64(target: Target, alias: str) -> Exchange:
    """The first of TEXTS alone, as a string, asked for in base64."""
    return target.once(
        ("embeddings", alias, "base64"), lambda: ask(target, alias, TEXTS[0], encoding_format="base64")
    )


def alone(target: Target) -> Exchange:
    """The last of BATCH alone, as a string, in base64, of the first of all embedding models."""
    alias = embedding_alias(target.environment)
    return target.once(
        ("embeddings", "alone"), lambda: ask(target, alias, BEYOND_ASCII, encoding_format="base64")
    )


def batch_for(environment: Environment, alias: str) -> Sequence[str]:
    """BATCH, and behind it, for the last of several embedding models, more texts than a part of it holds."""
    aliases = environment.aliases_of(ModelKind.EMBEDDING)
    more = PARTS + 1 - len(BATCH) if alias == aliases[-1] != aliases[0] else 0
    return [*BATCH, *(f"number {number}" for number in range(more))]


def beside(target: Target, alias: str) -> tuple[Exchange, int]:
    """The answer to ``batch_for`` it in one request, and how many texts that were: as floats where the first
    of all embedding models is asked, else without any format. Who refuses so many at once is asked for
    BATCH alone: that a large batch is served is API-EMB-008."""
    texts = batch_for(target.environment, alias)
    format_ = {"encoding_format": "float"} if alias == embedding_alias(target.environment) else {}
    answer = target.once(("embeddings", alias, "beside"), lambda: ask(target, alias, texts, **format_))
    if len(texts) > len(BATCH) and answer.status in INPUT_REFUSED:
        texts = BATCH
        answer = target.once(("embeddings", alias, "few"), lambda: ask(target, alias, BATCH, **format_))
    return answer, len(texts)


def raw_vectors(answer: Exchange, inputs: int) -> list[object]:
    """The ``embedding`` of each entry as it was sent. Raises CheckFailed where there is not one per input."""
    if answer.status != 200:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:300]}")
    body = answer.json()
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or len(data) != inputs:
        raise CheckFailed(f"expected {inputs} vectors from {answer.url}, got {answer.text[:300]}")
    return [entry.get("embedding") if isinstance(entry, dict) else None for entry in data]


def vectors(answer: Exchange, inputs: int) -> list[list[float]]:
    """The vectors of an answer, floats and base64 alike. Raises CheckFailed where one cannot be read."""
    found = []
    for place, value in enumerate(raw_vectors(answer, inputs)):
        vector = embedding_vector(value)
        if not vector:
            raise CheckFailed(f"expected a vector at /data/{place}/embedding, got {str(value)[:120]}")
        found.append(vector)
    return found


def usage(answer: Exchange) -> dict[str, Any]:
    """The usage of an answer. Raises CheckFailed where prompt_tokens or total_tokens is no integer."""
    if answer.status != 200:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:300]}")
    body = answer.json()
    found = body.get("usage") if isinstance(body, dict) else None
    counts = (
        [found.get(name) for name in ("prompt_tokens", "total_tokens")] if isinstance(found, dict) else []
    )
    if not counts or not all(type(count) is int for count in counts):
        raise CheckFailed(f"expected usage with prompt_tokens and total_tokens, got {found!r}")
    assert isinstance(found, dict)
    return found


def refusal_problems(what: str, answer: Exchange, statuses: Sequence[int] = INPUT_REFUSED) -> list[Problem]:
    """What is wrong with the answer to an input that had to be refused."""
    if answer.status in statuses:
        return at_level(error_problems(answer.status or 0, answer.headers, answer.body), Level.MUST)
    expected = ", ".join(map(str, statuses))
    return [
        Problem(
            "embedding.refusal",
            f"{what}: expected a refusal ({expected}), got {answer.status}: {answer.text[:90]}",
        )
    ]


def direct_vectors(target: Target, alias: str, texts: Sequence[str]) -> list[list[float]]:
    """What the model's own backend makes of the texts, past the gateway.

    Raises Untestable where the backend may not be asked; CheckFailed, blamed on it, where it gives none.
    """
    served = target.environment.deployments_of(alias)[0]
    backend = target.backend(served.backend)
    answer = backend.embedding(served.upstream, list(texts))
    found = backend.vectors(answer) if answer.status == 200 else None
    if found is None or len(found) != len(texts):
        raise CheckFailed(
            f"{served.backend} itself answers {answer.status}: {answer.text[:200]}", blame="backend"
        )
    return found
