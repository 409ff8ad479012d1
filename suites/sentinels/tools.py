"""Sentinels of tools and streams: two calls in one answer, one with hard arguments, after the results of two
others; and ids."""

from __future__ import annotations

import json

from gateway_acceptance.environment import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.wire.backends import Called
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.sender import tokens_needed
from suites.api.abilities import declared_able
from suites.api.chat.payloads import assistant
from suites.api.chat.probes import user
from suites.api.extract import choices_of, refused
from suites.api.observations import room
from suites.api.streams.probes import StreamKind, observed
from suites.api.tools.probes import (
    ALARM,
    ALARM_ARGUMENTS,
    HARD_ARGUMENTS,
    HORN,
    NORTH,
    RESULTS,
    SONG,
    SOUTH,
    TOKENS,
    UNDECLARED,
    call_of,
    calling_turn,
    same_calls,
)
from suites.sentinels.beside import STEERED, asked_beside, carried_by_tools, same_server, steered_plainly

CHAT = "/v1/chat/completions"
BEFORE = [
    *RESULTS.messages,
    assistant(f"{NORTH} and {SOUTH}"),
    user(f"Is there a tool {UNDECLARED}?"),
    assistant("No, there is none."),
]
"""Calls and results, and the name of a tool that is not declared."""
EXPECTED: Called = [("set_alarm", dict(ALARM_ARGUMENTS)), ("play_song", dict(HARD_ARGUMENTS))]


def called(target: Target) -> bool:
    """Both calls as they were asked for, each with an id of its own, and finish_reason tool_calls; calls and
    results before them are taken, a tool without parameters beside them too, and none is called that is only
    spoken of. Beside the question stands what steers; a gateway that refuses that is
    asked without it."""
    alias = declared_able(target.environment, Ability.TOOLS, Ability.PARALLEL_TOOLS)[0].alias
    asked = f"{call_of('set_alarm', ALARM_ARGUMENTS)} and {call_of('play_song', HARD_ARGUMENTS)}"
    limit = room(target.environment, alias, 2 * TOKENS)
    question = {
        "model": alias,
        "messages": [*BEFORE, user(asked)],
        "tools": [ALARM, SONG, HORN],
        "temperature": 0,
        "max_tokens": limit,
    }
    tokens = tokens_needed(json.dumps(question), limit)
    if carried_by_tools(target):
        answer, others_called = asked_beside(target, question, tokens)
        if others_called or not (refused(answer) or same_server(target, answer)):
            return False
        if not refused(answer):
            return rightly_called(answer)
        if not steered_plainly(target):  # another model, which calls no tools, refuses as well
            return False
    return rightly_called(target.gateway.request("POST", CHAT, json_body=question, tokens=tokens))


def rightly_called(answer: Exchange) -> bool:
    """Raises CheckFailed."""
    turn = calling_turn(answer, 2)
    ids = {json.dumps(call.get("id")) for call in turn.calls if call.get("id")}
    formal = all(call.get("type") == "function" for call in turn.calls) and "content" in turn.message
    right = same_calls(turn.called(), EXPECTED) and len(ids) == len(turn.calls)
    return right and formal and turn.reason == "tool_calls" and len(choices_of(answer)) == 1


def streams_apart(target: Target) -> bool:
    """No two of smoke's streams have an id in common; of a thousand ids, as Ollama draws them, two may."""
    seen = [observed(target, kind) for kind in (StreamKind.USAGE, StreamKind.CUT)]
    ids = [{str(chunk.get("id")) for chunk in one.stream.chunks} for one in seen if one is not None]
    return not set.intersection(*ids) - {"", "None"}


TOOL_SENTINELS = (
    Sentinel(
        "two calls",
        "API-STREAM-060",
        ("suites.api.tools.test_tools", "suites.api.sdk.test_structured", *STEERED),
        called,
    ),
    Sentinel(
        "streams with ids of their own",
        "API-STREAM-080",
        ("suites.api.streams.test_text:test_ids_differ",),
        streams_apart,
    ),
)
