"""API-EMB: how vectors cross the wire, and what is said beside them."""

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.backends import full_name
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.embeddings.probes import (
    TEXTS,
    ask,
    batch,
    embedding_alias,
    in_base64,
    raw_vectors,
    refusal_problems,
    single,
    usage,
    vectors,
)
from suites.api.embeddings.rules import bits_that_differ, same
from suites.api.extract import SNAPSHOT
from suites.api.observations import upstreams_of

FORMAT = "openai:CreateEmbeddingRequest.encoding_format"
USAGE = "openai:CreateEmbeddingResponse.usage"


@check(
    "API-EMB-010",
    "vectors asked for in base64 come in base64",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec=FORMAT,
)
def test_base64(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    """The official SDKs ask for it whenever the application says nothing, and some decode unseen."""
    (value,) = raw_vectors(in_base64(target, embedding_model), 1)
    if not isinstance(value, str):
        raise CheckFailed(f"expected a base64 string, got a {type(value).__name__}")


@check(
    "API-EMB-011",
    "float and base64 say the same vector, bit for bit",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="openai-python:Embeddings.create decodes little-endian float32",
)
def test_base64_is_float(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    """Whatever form the answer has. Where the model itself does not repeat its bits, the direction counts."""
    floats = vectors(single(target, embedding_model), 1)[0]
    (value,) = vectors(in_base64(target, embedding_model), 1)
    differing = bits_that_differ(value, floats)
    if not differing:
        return
    again = vectors(ask(target, embedding_model, TEXTS[0], encoding_format="float"), 1)[0]
    if not bits_that_differ(again, floats) or not same(value, floats):
        raise CheckFailed(
            f"expected the same 32-bit floats in base64 as in the list, {differing} of {len(floats)} differ"
        )


@check(
    "API-EMB-012",
    "vectors are lists of floats where no format is asked for",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec=f"{FORMAT}.default",
)
def test_default_format(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """The documented default; clients without an SDK read nothing else."""
    (value,) = raw_vectors(ask(target, embedding_alias(environment), TEXTS[0]), 1)
    if not isinstance(value, list):
        raise CheckFailed(f"expected a list of floats by default, got a {type(value).__name__}")


@check(
    "API-EMB-013",
    "an unknown encoding_format is refused",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-02",
    spec=f"{FORMAT}.enum",
)
def test_unknown_format(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Who asks for a format wants to decode it."""
    answer = ask(target, embedding_alias(environment), TEXTS[0], encoding_format="hex")
    require(refusal_problems("encoding_format hex", answer), blame="gateway")


@check(
    "API-EMB-014",
    "usage counts the prompt, and the total is the prompt",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec=USAGE,
)
def test_usage(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    """An embedding completes nothing: total_tokens is prompt_tokens. Batches: API-EMB-015."""
    counted = usage(single(target, embedding_model))
    prompt, total = counted["prompt_tokens"], counted["total_tokens"]
    if prompt < 1:
        raise CheckFailed(f"expected at least one token for a text, got prompt_tokens {prompt}")
    if total != prompt:
        raise CheckFailed(f"expected total_tokens to be prompt_tokens, got {total} and {prompt}")


@check(
    "API-EMB-015",
    "a longer input has more tokens, and no more than bytes",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec=USAGE,
)
def test_usage_grows(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    """Costs are computed from it. A text and two more against the text alone; a token is a byte at least,
    beside the two marks that models put around each text."""
    alone = usage(single(target, embedding_model))["prompt_tokens"]
    together = usage(batch(target, embedding_model))["prompt_tokens"]
    most = sum(len(text.encode()) + 2 for text in TEXTS)
    if not alone < together <= most:
        raise CheckFailed(
            f"expected more than {alone} and at most {most} prompt_tokens for three texts, got {together}"
        )


@check(
    "API-EMB-016",
    "the answer names the model that was asked for, or the one behind it",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-02",
    spec="openai:CreateEmbeddingResponse.model",
)
def test_model_name(target: Target, gateway: GatewayClient, embedding_model: str) -> None:
    """Accounting by model compares names. OpenAI itself resolves an alias; a provider's prefix is part of no
    name that anybody declared."""
    body = single(target, embedding_model).json()
    named = body.get("model") if isinstance(body, dict) else None
    behind = upstreams_of(target.environment, embedding_model)
    known = (embedding_model, *behind, *map(full_name, behind))
    if named not in known and SNAPSHOT.sub("", str(named)) not in known:
        raise CheckFailed(
            f"expected the model {embedding_model!r} or {behind[0]!r}, got {named!r}", blame="gateway"
        )
