"""What a chat model is asked to show its abilities by, and how its answers are read (docs/abilities.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator

from gateway_acceptance.environment import Ability

Json = Mapping[str, Any]
Message = Mapping[str, Any]
"""``choices[0].message`` of a chat completion."""

WORD, RULE, NAME = "HX-OK", "HX-RULE", "Wilhelmina"
COUNT_TO = 30
CALLS: dict[str, Json] = {
    "set_alarm": {"hour": 7, "label": "gym"},
    "play_song": {"title": "Valse"},
}
PLACE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "inhabitants": {"type": "integer"},
        "coastal": {"type": "boolean"},
    },
    "required": ["city", "inhabitants", "coastal"],
    "additionalProperties": False,
}


def message_text(message: Message) -> str:
    """The text of a message; empty where there is none."""
    content = message.get("content")
    return content if isinstance(content, str) else ""


def calls_of(message: Message) -> list[tuple[str, object]]:
    """Names and parsed arguments of the tools that a message calls; what has another form is no call."""
    found: list[tuple[str, object]] = []
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        try:
            found.append((call["function"]["name"], json.loads(call["function"]["arguments"])))
        except (KeyError, TypeError, ValueError):
            continue
    return found


def right_calls(message: Message) -> int:
    """How many of CALLS a message makes, each once; 0 where it calls anything else."""
    found = calls_of(message)
    wanted = [(name, dict(arguments)) for name, arguments in CALLS.items()]
    if len(found) > len(wanted) or any(call not in wanted for call in found):
        return 0
    return sum(call in found for call in wanted)


def counts(text: str) -> bool:
    """Whether the numbers of a text are those from 1 to COUNT_TO, in order."""
    return [int(number) for number in re.findall(r"[0-9]+", text)] == [*range(1, COUNT_TO + 1)]


def object_in(text: str) -> Json | None:
    """The JSON object that a text is, with nothing beside it; None where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def thoughts(answer: Json, message: Message) -> bool:
    """Whether an answer tells of reasoning: in its message, or in its usage."""
    if any(
        isinstance(message.get(name), str) and message[name] for name in ("reasoning_content", "reasoning")
    ):
        return True
    usage = answer.get("usage")
    details = usage.get("completion_tokens_details") if isinstance(usage, Mapping) else None
    tokens = details.get("reasoning_tokens") if isinstance(details, Mapping) else None
    return isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0


@dataclass(frozen=True, slots=True)
class AbilityProbe:
    """One request. shows: each ability, and whether a message shows it; tokens: the answer's own limit."""

    messages: Sequence[Json]
    shows: Mapping[Ability, Callable[[Message], bool]]
    tokens: int
    parameters: Json = field(default_factory=dict)


def _user(text: str) -> Json:
    return {"role": "user", "content": text}


def _tool(name: str, arguments: Json) -> Json:
    kinds = {
        key: {"type": "integer" if isinstance(value, int) else "string"} for key, value in arguments.items()
    }
    parameters = {"type": "object", "properties": kinds, "required": list(kinds)}
    return {"type": "function", "function": {"name": name, "description": name, "parameters": parameters}}


_IN_WORDS = " and ".join(f"Call the tool {name} with {json.dumps(CALLS[name])}" for name in CALLS)
OBJECT = AbilityProbe(
    [_user("Write one short sentence about the sea, as a JSON object with the key text.")],
    {Ability.JSON_OBJECT: lambda message: object_in(message_text(message)) is not None},
    96,
    {"response_format": {"type": "json_object"}, "seed": 11},
)
"""Open, so that it tells as well whether the same request brings the same answer."""
QUESTIONS = (
    AbilityProbe(
        [_user(f"Return exactly the text: {WORD}")],
        {Ability.EXACT: lambda message: message_text(message).strip() == WORD},
        16,
    ),
    AbilityProbe(
        [_user(f"Count from 1 to {COUNT_TO}")],
        {Ability.COUNT: lambda message: counts(message_text(message))},
        200,
    ),
    AbilityProbe(
        [{"role": "system", "content": f"Always answer with exactly: {RULE}"}, _user("Good morning.")],
        {Ability.INSTRUCTIONS: lambda message: message_text(message).strip() == RULE},
        32,
    ),
    AbilityProbe(
        [
            _user(f"My name is {NAME}"),
            {"role": "assistant", "content": "Good to meet you."},
            _user("What is my name?"),
        ],
        {Ability.RECALL: lambda message: NAME in message_text(message)},
        48,
    ),
    AbilityProbe(
        [_user(_IN_WORDS)],
        {
            Ability.TOOLS: lambda message: right_calls(message) >= 1,
            Ability.PARALLEL_TOOLS: lambda message: right_calls(message) == len(CALLS),
        },
        96,
        {"tools": [_tool(name, arguments) for name, arguments in CALLS.items()]},
    ),
    AbilityProbe(
        [_user("Describe Oslo as JSON: city, inhabitants, coastal.")],
        {
            Ability.JSON_SCHEMA: lambda message: Draft202012Validator(PLACE).is_valid(
                object_in(message_text(message))
            )
        },
        96,
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "place", "strict": True, "schema": PLACE},
            }
        },
    ),
    OBJECT,
)
MOST_REQUESTS = len(QUESTIONS) + 1
"""Of one model: each question once, and one of them again."""
UNASKED = (Ability.VISION, Ability.LOGPROBS)
"""No check needs them; they are declared by hand."""
REASONING_TOKENS = 2048
"""What a model that thinks may spend before it answers; the first question leaves room for it, and the others
where one is seen to think, or declared to."""
