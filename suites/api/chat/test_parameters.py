"""API-CHAT: parameters that nobody needs, and that clients send all the same."""

from collections.abc import Mapping

from gateway_acceptance.check import MUST, SPEND, Level, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import at_level
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import error_problems
from suites.api.asking import balanced_chat
from suites.api.exact import require_exact
from suites.api.extract import first_text
from suites.api.observations import ECHO_PROMPT, ECHO_TOKENS, room, strays, wanted_of

REQUEST = "openai:CreateChatCompletionRequest"
UNKNOWN = {"x_acceptance_unknown": {"nested": [1, None, "text"]}}
DEFAULTS = {
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logprobs": False,
    "n": 1,
    "response_format": {"type": "text"},
    "stream": False,
    "top_p": 1,
    "user": "hx-acceptance",
}
NULLS = dict.fromkeys(
    (
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "n",
        "presence_penalty",
        "seed",
        "stop",
        "stream",
        "top_logprobs",
        "top_p",
    )
)


@check(
    "API-CHAT-040",
    "an unknown parameter is ignored or refused, and never an internal error",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ErrorResponse",
)
def test_unknown(target: Target, gateway: GatewayClient) -> None:
    """Newer clients know parameters that a gateway does not."""
    answer = _echo_with(target, UNKNOWN)
    status = answer.status or 0
    if 400 <= status < 500:
        return require(at_level(error_problems(status, answer.headers, answer.body), Level.MUST))
    return _require_echo(target, answer)


@check(
    "API-CHAT-041",
    "optional parameters at their defaults change nothing",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=REQUEST,
)
def test_defaults(target: Target, gateway: GatewayClient) -> None:
    """Clients with typed requests send them all."""
    _require_echo(target, _echo_with(target, DEFAULTS))


@check(
    "API-CHAT-044",
    "null is no value: optional parameters that are null change nothing",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{REQUEST}: nullable",
)
def test_nulls(target: Target, gateway: GatewayClient) -> None:
    """Serialisers write null for what was not set; the specification allows it for all of these."""
    _require_echo(target, _echo_with(target, NULLS))


def _echo_with(target: Target, parameters: Mapping[str, object]) -> Exchange:
    alias = balanced_chat(target.environment)
    limit = room(target.environment, alias, ECHO_TOKENS)
    return target.gateway.chat(alias, ECHO_PROMPT, temperature=0, max_tokens=limit, **parameters)


def _require_echo(target: Target, answer: Exchange) -> None:
    text, alias = first_text(answer), balanced_chat(target.environment)
    if strays(target.environment, alias, text):
        require_exact(target, alias)
        wanted = wanted_of(target.environment, alias)
        raise CheckFailed(f"expected exactly {wanted}, got {text[:200]!r}")
