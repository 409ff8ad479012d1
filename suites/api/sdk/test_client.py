"""API-SDK: the official client, as an application uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.lazily import lazily
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.reasoning import spent_on_reasoning
from suites.api.abilities import chat_models
from suites.api.exact import require_exact
from suites.api.observations import ECHO_PROMPT, ECHO_TOKENS, balanced_or_first, room, strays, wanted_of
from suites.api.reasoning import require_unspent
from suites.api.sdk.probes import reading

if TYPE_CHECKING:
    import openai
else:
    openai = lazily("openai")


@check(
    "API-SDK-001",
    "the official SDK gets a validated chat completion",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec="openai-python:ChatCompletion",
)
def test_sdk_chat(target: Target, sdk: openai.OpenAI, environment: Environment, in_smoke: bool) -> None:
    """Strict validation: by default the SDK takes ``{}`` for a completion. In smoke it asks an alias with a
    single deployment, whose answer is to be the same again (API-CHAT-002)."""
    alias = balanced_or_first(environment)
    singles = chat_models(environment)
    if in_smoke and singles:
        alias = singles[0].alias
    completion = target.once(
        ("sdk", alias),
        lambda: sdk.chat.completions.create(
            model=alias,
            messages=[{"role": "user", "content": ECHO_PROMPT}],
            temperature=0,
            max_tokens=room(environment, alias, ECHO_TOKENS),
        ),
    )
    with reading("the completion"):
        content = completion.choices[0].message.content if completion.choices else None
    if strays(environment, alias, content):
        message = completion.choices[0].message.model_dump() if completion.choices else {}
        usage = completion.usage.model_dump() if completion.usage else None
        reason = completion.choices[0].finish_reason if completion.choices else None
        require_unspent(spent_on_reasoning(content, reason, [message], usage))
        require_exact(target, alias)
        raise CheckFailed(
            f"expected the SDK to read {wanted_of(environment, alias)}, it read {content!r} with "
            f"finish_reason {reason!r}"
        )
