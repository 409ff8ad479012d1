"""What the backends' models say: a pure function of the model's name and of what it sees.

A few instructions are obeyed to the letter, so that a check can know the answer; everything else gets a few
plausible sentences drawn from a hash.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lab.backends.requests import Message, Prompt
from lab.backends.schema_instance import instance
from lab.backends.tool_calls import ScriptedCall, asked_for

UNKNOWN_NAME = "I do not know your name."
UNKNOWN_CODE_WORD = "I do not know the code word."
MAX_COUNT = 20_000  # "Count from 1 to N" stops here
SLOW_TOKEN_S = 0.02  # the delay per token where the user says "Speak slowly": 50 tokens a second

_EXACT = re.compile(r"(?:return exactly the text|reply with exactly):[ \t]*(\S[^\r\n]*)", re.IGNORECASE)
_ALWAYS = re.compile(r"always answer with exactly:[ \t]*(\S[^\r\n]*)", re.IGNORECASE)
_COUNT = re.compile(r"count from 1 to (\d+)", re.IGNORECASE)
_ASKS_CODE_WORD = re.compile(r"what is the code word\s*\?", re.IGNORECASE)
_CODE_WORD = re.compile(r"the code word is[ \t]+([\w'’-]+)", re.IGNORECASE)
_SLOWLY = re.compile(r"\bspeak slowly\b", re.IGNORECASE)
_ASKS_NAME = re.compile(r"what is my name\s*\?", re.IGNORECASE)
_NAME = re.compile(r"my name is[ \t]+([\w'’-]+)", re.IGNORECASE)

_SUBJECTS = (
    "The river", "A patient gardener", "The old lighthouse", "Every careful reader", "The night train",
    "A small workshop", "The mountain path", "The harbour", "A good map", "The autumn wind",
    "The baker's apprentice", "An open window", "The village clock", "A quiet library", "The first snow",
    "The bridge",
)  # fmt: skip
_VERBS = (
    "follows", "remembers", "carries", "changes", "reveals", "protects", "measures", "welcomes",
    "outlasts", "explains", "gathers", "crosses", "answers", "shapes", "repeats", "returns to",
)  # fmt: skip
_OBJECTS = (
    "the same slow rhythm", "what the valley keeps", "a long and winding road", "the light of early morning",
    "more than it first appears to", "the work of many hands", "an almost forgotten story",
    "the edge of the town", "each season in turn", "the distance between two shores",
    "a simple and useful idea", "the names of the stars",
    "the sound of falling water", "what was left behind", "the shape of the coast",
    "a promise made long ago",
)  # fmt: skip


def reply(model: str, prompt: Prompt, seen: Sequence[Message]) -> tuple[str, tuple[ScriptedCall, ...]]:
    """The model's whole answer, before any limit: a text, or tool calls with an empty text.

    ``seen`` are the turns within the context window. Raises ValueError where ``prompt.format`` is a schema
    without a finite instance.
    """
    asked = next((turn.content for turn in reversed(seen) if turn.role == "user"), "")
    results = _tool_results(seen)
    if prompt.format is not None and not results:
        if calls := asked_for(asked, prompt.tools):
            return "", calls
        return _formatted(model, prompt, seen, asked), ()
    if results:
        return "The tool answered: " + "\n".join(results), ()
    if match := _EXACT.search(asked):
        return match[1].strip(), ()
    if calls := asked_for(asked, prompt.tools):
        return "", calls
    return _plain(model, prompt, seen, asked), ()


def chatter(model: str, prompt: Prompt, seen: Sequence[Message]) -> str:
    """What a model says that talks and does not obey: the same to the same question at temperature 0."""
    return _sentences(model, prompt, seen)


def pace(turns: Sequence[Message]) -> float:
    """Seconds between two tokens that the last user message asks for; real models need no asking."""
    asked = next((turn.content for turn in reversed(turns) if turn.role == "user"), "")
    return SLOW_TOKEN_S if _SLOWLY.search(asked) else 0.0


def _tool_results(seen: Sequence[Message]) -> list[str]:
    """The tool results at the end of the conversation, in order."""
    results = []
    for turn in reversed(seen):
        if turn.role != "tool":
            break
        results.append(turn.content)
    return results[::-1]


def _formatted(model: str, prompt: Prompt, seen: Sequence[Message], asked: str) -> str:
    if calls := asked_for(asked, _described_tools(seen)):
        return json.dumps({"name": calls[0].name, "arguments": calls[0].arguments}, ensure_ascii=False)
    if isinstance(prompt.format, dict):
        said = _plain(model, prompt, seen, asked)
        return json.dumps(instance(prompt.format, said), ensure_ascii=False)
    if (match := _EXACT.search(asked)) and _is_object(match[1]):
        return match[1].strip()
    return json.dumps({"answer": _plain(model, prompt, seen, asked)}, ensure_ascii=False)


def _described_tools(seen: Sequence[Message]) -> list[Mapping[str, Any]]:
    """Tools that a gateway wrote into the prompt instead of sending them, one Python or JSON object a line.

    LiteLLM does so for ``ollama/`` models, with JSON mode, and reads ``{"name", "arguments"}`` as the call.
    """
    tools: list[Mapping[str, Any]] = []
    for line in "\n".join(turn.content for turn in seen).splitlines():
        if line.startswith("{") and "function" in line:
            try:
                tool = ast.literal_eval(line.strip())
            except (ValueError, SyntaxError):
                continue
            if isinstance(tool, dict) and tool.get("type") == "function":
                tools.append(tool)
    return tools


def _plain(model: str, prompt: Prompt, seen: Sequence[Message], asked: str) -> str:
    system = "\n".join(turn.content for turn in seen if turn.role == "system")
    if rules := _ALWAYS.findall(system):
        return str(rules[-1]).strip()
    if _ASKS_CODE_WORD.search(asked):
        return _said(_CODE_WORD, seen) or UNKNOWN_CODE_WORD
    if _ASKS_NAME.search(asked):
        return _said(_NAME, [turn for turn in seen if turn.role == "user"]) or UNKNOWN_NAME
    if match := _COUNT.search(asked):
        return " ".join(str(number) for number in range(1, min(int(match[1]), MAX_COUNT) + 1))
    return _sentences(model, prompt, seen)


def _said(pattern: re.Pattern[str], turns: Sequence[Message]) -> str | None:
    """What the latest turn that matches says."""
    found = [word for turn in turns for word in pattern.findall(turn.content)]
    return str(found[-1]).rstrip("'’-") if found else None


def _sentences(model: str, prompt: Prompt, seen: Sequence[Message]) -> str:
    """Three to six sentences from a hash of model, turns, seed, and whether the temperature is 0."""
    options = prompt.options
    key = [model, [(turn.role, turn.content) for turn in seen], options.seed, options.temperature != 0]
    drawn = hashlib.sha256(json.dumps(key).encode()).digest()
    sentences = []
    for number in range(3 + drawn[31] % 4):
        subject, verb, thing = drawn[3 * number : 3 * number + 3]
        sentences.append(f"{_SUBJECTS[subject % 16]} {_VERBS[verb % 16]} {_OBJECTS[thing % 16]}.")
    return " ".join(sentences)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except json.JSONDecodeError:
        return False
