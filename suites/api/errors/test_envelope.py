"""API-ERR: bad input gets an answer that a client can act on."""

import secrets

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import envelope_broken


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
    """400 or 404 with the envelope: OpenAI answers 404, LiteLLM 400; both say whose fault it is."""
    answer = gateway.chat(f"no-such-model-{secrets.token_hex(4)}", "hello", max_tokens=1)
    if answer.status not in (400, 404):
        raise CheckFailed(
            f"expected 400 or 404 for a model that does not exist, got {answer.status}: {answer.text[:200]}",
            blame="gateway",
        )
    require(envelope_broken(answer.status, answer.headers, answer.body), blame="gateway")
