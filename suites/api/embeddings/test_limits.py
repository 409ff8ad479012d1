"""API-EMB: inputs at the edge: empty, tokens, too long; and dimensions that are asked for."""

from http import HTTPStatus

from gateway_acceptance.check import MUST, RELEASE, SHOULD, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, NotApplicable, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.embeddings.probes import (
    INPUT_REFUSED,
    TEXTS,
    ask,
    batch,
    embedding_alias,
    refusal_problems,
    vectors,
)
from suites.api.embeddings.rules import Vector, misplaced, same

INPUT = "openai:CreateEmbeddingRequest.input"
DIMENSIONS = "openai:CreateEmbeddingRequest.dimensions"

TOKENS = (9906, 1917)
DECODED = {
    "Hello world": "OpenAI's cl100k tokenizer says for them",
    "9906 1917": "their digits are",
    "9906, 1917": "their digits are",
    "[9906, 1917]": "their JSON is",
}
"""What a gateway that cannot hand tokens on may have embedded instead."""

OPENAI_FAMILY = "text-embedding-"
"""Upstream models that cl100k is the own tokenizer of."""

LONG_WORDS = 9_000
"""More words than the longest window (8192 tokens) that OpenAI documents for an embedding model."""


@check(
    "API-EMB-017",
    "token arrays are refused, or embedded as the model's own tokens",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec=INPUT,
)
def test_token_arrays(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Token ids mean something in one vocabulary only. Decoded with another one they are another text, and
    nobody notices: frameworks send tokens by default. Both forms, one array and an array of arrays."""
    alias = embedding_alias(environment)
    if environment.deployments_of(alias)[0].upstream.startswith(OPENAI_FAMILY):
        raise NotApplicable(
            f"the tokens are {alias}'s own: its upstream is one of OpenAI's models",
            declared="models.upstream",
        )
    answers = {
        name: ask(target, alias, given, encoding_format="float")
        for name, given in (("an array of tokens", list(TOKENS)), ("arrays of tokens", [list(TOKENS)]))
    }
    texts: list[list[float]] = []
    if any(answer.status == HTTPStatus.OK for answer in answers.values()):
        texts = vectors(ask(target, alias, list(DECODED), encoding_format="float"), len(DECODED))
    require(
        [problem for name, answer in answers.items() for problem in _token_problems(name, answer, texts)],
        blame="gateway",
    )


def _token_problems(name: str, answer: Exchange, texts: list[list[float]]) -> list[Problem]:
    if answer.status != HTTPStatus.OK:
        return refusal_problems(name, answer)
    try:
        (vector,) = vectors(answer, 1)
    except CheckFailed as failure:
        return [Problem("embedding.tokens", f"{name}: {failure}")]
    for text, (decoded, why) in zip(texts, DECODED.items(), strict=True):
        if same(vector, text):
            return [
                Problem(
                    "embedding.tokens",
                    f"{name}: {list(TOKENS)} was embedded as the text {decoded!r}, which {why}",
                )
            ]
    return []


@check(
    "API-EMB-018",
    "an empty list of inputs is refused",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec=f"{INPUT} minItems",
)
def test_empty_list(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """There is nothing to embed; an error of the server's own would make clients try again."""
    require(refusal_problems("an empty list", ask(target, embedding_alias(environment), [])), blame="gateway")


@check(
    "API-EMB-019",
    "an empty text is refused",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-02",
    spec=f"{INPUT}: cannot be an empty string",
)
def test_empty_text(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """A vector of nothing is near to everything."""
    require(refusal_problems("an empty text", ask(target, embedding_alias(environment), "")), blame="gateway")


@check(
    "API-EMB-020",
    "an empty text among others is refused, or leaves the others in their places",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec=INPUT,
)
def test_empty_text_among_others(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """A text that is dropped moves every vector after it to another text."""
    alias = embedding_alias(environment)
    answer = ask(target, alias, [TEXTS[0], "", TEXTS[1], TEXTS[2]], encoding_format="float")
    if answer.status != 200:
        require(refusal_problems("an empty text among others", answer), blame="gateway")
        return
    found = vectors(answer, len(TEXTS) + 1)
    wrong = misplaced([found[0], *found[2:]], vectors(batch(target, alias), len(TEXTS)))
    if wrong:
        raise CheckFailed(f"expected each vector at its text's place beside an empty one, wrong are {wrong}")


@check(
    "API-EMB-021",
    "dimensions are honoured or refused, never ignored",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec=DIMENSIONS,
)
def test_dimensions(
    target: Target, gateway: GatewayClient, environment: Environment, embedding_model: str
) -> None:
    """A vector of another length than asked for does not fit the index that it is meant for."""
    own = environment.model(embedding_model).dimensions or 0
    asked = own // 2
    answer = ask(target, embedding_model, TEXTS[0], encoding_format="float", dimensions=asked)
    if answer.status in INPUT_REFUSED:
        require(refusal_problems(f"dimensions {asked}", answer), blame="gateway")
        return
    got = len(vectors(answer, 1)[0])
    if got != asked:
        ignored = ", as if nothing had been asked for" if got == own else ""
        raise CheckFailed(f"expected {asked} dimensions as asked for, or a refusal, got {got}{ignored}")


@check(
    "API-EMB-022",
    "dimensions that no vector of the model has are refused",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-02",
    spec=f"{DIMENSIONS} minimum",
)
def test_impossible_dimensions(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """None at all, and more than the model has."""
    alias = embedding_alias(environment)
    own = environment.model(alias).dimensions or 0
    found = [
        problem
        for asked in (0, own + 1)
        for problem in refusal_problems(f"dimensions {asked}", ask(target, alias, TEXTS[0], dimensions=asked))
    ]
    require(found, blame="gateway")


@check(
    "API-EMB-023",
    "an input longer than the model's window is refused, or embedded to its end",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-02",
    profile=RELEASE,
    spec=f"{INPUT}: must not exceed the max input tokens",
)
def test_long_input(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    """Two long texts that differ only in how they end. One vector for both: the end was cut off silently,
    and whoever searches for it finds nothing."""
    start = "word " * LONG_WORDS
    answer = ask(target, embedding_model, [start + text for text in TEXTS[:2]], encoding_format="float")
    if answer.status != 200:
        require(refusal_problems(f"{LONG_WORDS} words", answer), blame="gateway")
        return
    one, other = vectors(answer, 2)
    if _identical(one, other):
        raise CheckFailed(
            f"expected different vectors for texts of {LONG_WORDS} words with different ends, or a refusal, "
            "got one vector: the ends were cut off"
        )


def _identical(one: Vector, other: Vector) -> bool:
    """Not ``same``: five words after nine thousand turn an honest vector by very little."""
    return list(one) == list(other)
