"""What a backend is asked past the gateway, and what it said: the same words for every protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Json = Mapping[str, Any]
Called = list[tuple[str, object]]
"""Names and parsed arguments of called tools, in the answer's order."""
JSON_MODE: Literal["json"] = "json"
COLD: Mapping[str, float] = {"temperature": 0}


@dataclass(frozen=True, slots=True)
class DirectChat:
    """A question to a chat model. messages and tools: in OpenAI's form; max_tokens: the answer's limit;
    sampling: ``temperature`` and ``seed``; form: ``JSON_MODE``, or the JSON Schema that the answer must keep;
    stream: whether the answer comes as a stream."""

    messages: Sequence[Json]
    max_tokens: int
    sampling: Mapping[str, float] = field(default_factory=lambda: COLD)
    tools: Sequence[Json] = ()
    form: Literal["json"] | Json | None = None
    stream: bool = False


@dataclass(frozen=True, slots=True)
class DirectAnswer:
    """What a backend said. text: empty where it has none; None where there is no message at all (a refusal,
    or an answer of another shape); prompt_tokens: as the backend counts them, None where it tells no number.
    """

    text: str | None = None
    calls: Called = field(default_factory=list)
    prompt_tokens: int | None = None

    @property
    def said(self) -> str:
        """The text; empty where there is none."""
        return self.text or ""


def plain_message(message: Json) -> Json:
    """A message for models whose templates know neither content parts nor developers: text alone, of a system
    where a developer spoke."""
    content, role = message.get("content"), message["role"]
    if isinstance(content, list):
        content = "".join(str(part["text"]) for part in content)
    return {**message, "role": "system" if role == "developer" else role, "content": content}


def parsed_arguments(arguments: object) -> object:
    """A call's arguments as they are meant: OpenAI's protocol writes them as JSON text. What is no JSON stays
    as it is; nothing at all is an empty object."""
    if not isinstance(arguments, str):
        return arguments or {}
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


def function_of(call: object) -> Json:
    """The ``function`` of a call; empty where there is none."""
    function = call.get("function") if isinstance(call, dict) else None
    return function if isinstance(function, dict) else {}
