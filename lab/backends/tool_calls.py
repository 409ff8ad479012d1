"""Which tools a user asks for, and with what arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.backends.schema_instance import instance

_TO_ARGUMENTS = re.compile(r"""["'`]?\s*(?:with\s+)?(?:the\s+)?(?:arguments?\s*:?\s*)?""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """One call: the tool's name and its arguments."""

    name: str
    arguments: dict[str, Any]


def asked_for(text: str, tools: Sequence[Mapping[str, Any]]) -> tuple[ScriptedCall, ...]:
    """The calls that ``text`` asks for, in its order; none where it names no tool.

    ``Call the tool NAME with {json}`` gives these arguments. A tool that is only named is called once, with
    the smallest arguments that its parameters allow.
    """
    schemas = {
        function["name"]: function.get("parameters") or {}
        for tool in tools
        if isinstance(function := tool.get("function"), Mapping) and isinstance(function.get("name"), str)
    }
    if not schemas:
        return ()
    names = "|".join(re.escape(name) for name in sorted(schemas, key=len, reverse=True))
    mention = re.compile(rf"(?<![\w-])(?:{names})(?![\w-])")
    found: list[ScriptedCall | str] = []
    at = 0
    while match := mention.search(text, at):
        arguments, at = _arguments(text, match.end())
        found.append(match[0] if arguments is None else ScriptedCall(match[0], arguments))
    explicit = {call.name for call in found if isinstance(call, ScriptedCall)}
    calls: list[ScriptedCall] = []
    for call in found:
        if isinstance(call, ScriptedCall):
            calls.append(call)
        elif call not in explicit and call not in [done.name for done in calls]:
            calls.append(ScriptedCall(call, _smallest(schemas[call])))
    return tuple(calls)


def _arguments(text: str, at: int) -> tuple[dict[str, Any] | None, int]:
    """The JSON object that follows, and where the text goes on."""
    match = _TO_ARGUMENTS.match(text, at)
    start = match.end() if match else at
    if text[start : start + 1] != "{":
        return None, at
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
    except json.JSONDecodeError:
        return None, at
    return value, end


def _smallest(parameters: Mapping[str, Any]) -> dict[str, Any]:
    made = instance({"type": "object", **parameters})
    return made if isinstance(made, dict) else {}
