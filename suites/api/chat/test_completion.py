"""API-CHAT: chat completions."""

from collections.abc import Callable

from gateway_acceptance.check import MUST, SPEND, Level, check
from gateway_acceptance.environment.abilities import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import at_level
from gateway_acceptance.verdict import CheckFailed, NotApplicable, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import chat_completion_problems
from suites.api.exact import require_exact
from suites.api.observations import ECHO_TEXT, echoed, echoed_twice
from suites.api.reasoning import require_answered


@check(
    "API-CHAT-001",
    "a chat completion has the documented shape",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec="openai:CreateChatCompletionResponse",
)
def test_shape(
    target: Target, gateway: GatewayClient, chat_model: str, note: Callable[[str, object], None]
) -> None:
    """Schema and sums: ids, roles, finish reasons, usage that adds up."""
    answer = echoed(target, chat_model)
    _answered(answer)
    note(f"{chat_model}.latency_s", f"{answer.elapsed_s:.3f}")
    require(at_level(chat_completion_problems(answer.json()), Level.MUST), blame="gateway")


@check(
    "API-CHAT-002",
    "the validation prompt is answered exactly, and the same again, at temperature 0",
    level=MUST,
    effect=SPEND,
    claims=("FUN-01", "FUN-06"),
    profile="smoke",
    spec="openai:CreateChatCompletionRequest.temperature; environment: models",
)
def test_exact_and_deterministic(
    target: Target, gateway: GatewayClient, chat_model: str, in_smoke: bool
) -> None:
    """White space around the text is a model's habit and is forgiven. Answers are compared only where the
    same deployment gave both: temperature 0 does not reproduce across backends (ollama issue 5274). Smoke
    asks each alias once; what the official SDK is answered to the same question is compared by a rule over
    every exchange."""
    if not target.environment.can(chat_model, Ability.EXACT):
        raise NotApplicable(f"{chat_model} does not declare exact", declared="models.abilities")
    first = echoed(target, chat_model)
    second = first if in_smoke else echoed_twice(target, chat_model)[1]
    texts = [_content(answer) for answer in (first, second)]
    for text in texts:
        if text.strip() != ECHO_TEXT:
            require_answered(first, second)
            require_exact(target, chat_model)
            raise CheckFailed(f"expected exactly {ECHO_TEXT!r} from {chat_model}, got {text[:200]!r}")
    same_deployment = first.served_by == second.served_by and len(set(_deployments(target, chat_model))) == 1
    if same_deployment and texts[0] != texts[1]:
        raise CheckFailed(f"expected the same answer twice, got {texts[0]!r} and {texts[1]!r}")


def _deployments(target: Target, alias: str) -> list[str]:
    return [f"{served.backend}/{served.upstream}" for served in target.environment.deployments_of(alias)]


def _answered(answer: Exchange) -> None:
    if answer.status != 200:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:300]}")


def _content(answer: Exchange) -> str:
    _answered(answer)
    body = answer.json()
    try:
        content = body["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        raise CheckFailed(f"expected choices[0].message.content, got {answer.text[:300]}") from None
    if not isinstance(content, str):
        require_answered(answer)
        raise CheckFailed(f"expected text as content, got {content!r}")
    return content
