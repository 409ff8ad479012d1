"""API-ERR: bad input gets an answer that a client can act on."""

import secrets

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import envelope_broken
from suites.api.errors.probes import NOT_FOUND
from suites.api.errors.rules import forbids_the_model


@check(
    "API-ERR-001",
    "an unknown model is refused",
    level=MUST,
    effect=READ,
    claims="FUN-01",
    profile="smoke",
    spec="openai:guides/error-codes 404",
)
def test_unknown_model(gateway: GatewayClient) -> None:
    """400 or 404 with the envelope: OpenAI answers 404, LiteLLM 400; both say whose fault it is. 403 that
    names the model says it too, where the key may use some models alone."""
    model = f"no-such-model-{secrets.token_hex(4)}"
    answer = gateway.chat(model, "hello", max_tokens=1)
    if answer.status not in NOT_FOUND and not forbids_the_model(answer.status, answer.text, model):
        raise CheckFailed(
            f"expected 400 or 404 for a model that does not exist, got {answer.status}: {answer.text[:200]}",
            blame="gateway",
        )
    require(envelope_broken(answer.status or 0, answer.headers, answer.body), blame="gateway")
