"""API-CHAT: requests at the same time do not meet."""

from collections.abc import Mapping

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.asking import balanced_chat
from suites.api.chat.concurrency import asked_at_once, mixed_up_at_once, streamed_at_once
from suites.api.exact import require_exact
from suites.api.extract import first_text


@check(
    "API-CHAT-042",
    "of several requests at once each gets its own answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="bounds.concurrency",
)
def test_no_cross_talk(target: Target, gateway: GatewayClient) -> None:
    """An answer that goes to somebody else is a leak: shared buffers and caches with too short a key."""
    answers = {asked: first_text(answer) for asked, answer in asked_at_once(target).items()}
    require([Problem("chat.mixed_up", seen) for seen in _mixed_up(target, answers)])


@check(
    "API-CHAT-043",
    "of several streams at once each spells its own answer",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="bounds.concurrency",
)
def test_no_cross_talk_in_streams(target: Target, gateway: GatewayClient) -> None:
    """Streams run side by side through one process: a chunk must not slip into another's."""
    answers = streamed_at_once(target)
    require([Problem("chat.mixed_up", seen) for seen in _mixed_up(target, answers)])


def _mixed_up(target: Target, answers: Mapping[str, str]) -> list[str]:
    alias = balanced_chat(target.environment)
    seen = mixed_up_at_once(target.environment, alias, answers)
    if seen:
        require_exact(target, alias)
    return seen
