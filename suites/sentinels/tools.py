"""Sentinel of tools: two calls in one answer, one with hard arguments, after the results of two others."""

from __future__ import annotations

import json

from gateway_acceptance.environment import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.wire.backends import Called
from suites.api.abilities import declared_able
from suites.api.chat.payloads import assistant
from suites.api.chat.probes import user
from suites.api.observations import room
from suites.api.tools.probes import (
    ALARM,
    ALARM_ARGUMENTS,
    HARD_ARGUMENTS,
    NORTH,
    RESULTS,
    SONG,
    SOUTH,
    TOKENS,
    call_of,
    calling_turn,
    same_calls,
)

EXPECTED: Called = [("set_alarm", dict(ALARM_ARGUMENTS)), ("play_song", dict(HARD_ARGUMENTS))]


def called(target: Target) -> bool:
    """Both calls as they were asked for, each with an id of its own, and finish_reason tool_calls; calls and
    results before them are taken."""
    alias = declared_able(target.environment, Ability.TOOLS, Ability.PARALLEL_TOOLS)[0].alias
    asked = f"{call_of('set_alarm', ALARM_ARGUMENTS)} and {call_of('play_song', HARD_ARGUMENTS)}"
    answer = target.gateway.chat(
        alias,
        [*RESULTS.messages, assistant(f"{NORTH} and {SOUTH}"), user(asked)],
        tools=[ALARM, SONG],
        temperature=0,
        max_tokens=room(target.environment, alias, 2 * TOKENS),
    )
    turn = calling_turn(answer, 2)
    ids = {json.dumps(call.get("id")) for call in turn.calls if call.get("id")}
    formal = all(call.get("type") == "function" for call in turn.calls) and "content" in turn.message
    right = same_calls(turn.called(), EXPECTED) and len(ids) == len(turn.calls)
    return right and formal and turn.reason == "tool_calls"


TOOL_SENTINELS = (
    Sentinel(
        "two calls",
        "API-STREAM-060",
        ("suites.api.tools.test_tools", "suites.api.sdk.test_structured"),
        called,
    ),
)
