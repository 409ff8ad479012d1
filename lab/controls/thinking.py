"""Models that think before they answer, behind a gateway that tells their thoughts apart."""

from __future__ import annotations

import json

from lab.controls.model import Control
from lab.controls.streams import STREAMS
from lab.faults.model import After
from lab.message import Json, Reply, Request, edit_events, edit_json

WORDS = ("Okay", ", the user", " wants", " a text", ".")
BUDGET = 60
"""Tokens that are spent before a word is said: whoever allows no more gets no word."""
CHECKS = ("API-CHAT-00", "API-CHAT-01", "API-CHAT-05", "API-SDK-00", "API-TOOLS-00", *STREAMS)
THOUGHTS = (
    *(f"API-CHAT-{number}" for number in ("008", "009", "010", "012", "014", "050")),
    *(
        "API-STREAM-052",
        "API-STREAM-057",
        "API-STREAM-070",
        "API-STREAM-080",
        "API-STREAM-081",
        "API-SDK-007",
    ),
)
"""What looks at limits, texts and counts."""
THINKS = {"chat": {"abilities": ["exact", "count", "instructions", "recall", "reasoning"]}}


def _limit(request: Request) -> int | None:
    body = request.json
    limit = body.get("max_tokens") or body.get("max_completion_tokens")
    return limit if isinstance(limit, int) and not isinstance(limit, bool) else None


def _counted(document: Json, thought: int, spent: int | None) -> None:
    usage = document.get("usage")
    if isinstance(usage, dict) and usage.get("completion_tokens"):
        usage["completion_tokens"] = spent or usage["completion_tokens"] + thought
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
        usage["completion_tokens_details"] = {"reasoning_tokens": spent or thought}


def thinking(field: str) -> After:
    """An after-hook that puts thoughts before each answer. field: where they are told."""

    def after(request: Request, reply: Reply) -> Reply:
        if not request.at("/chat/completions"):
            return reply
        limit = _limit(request)
        spent = limit if limit is not None and 0 < limit <= BUDGET else None

        def unstreamed(document: Json) -> Json:
            for choice in document.get("choices", ()):
                choice["message"][field] = "".join(WORDS)
                if spent:
                    choice["message"].update(content="", tool_calls=None)
                    choice["finish_reason"] = "length"
            _counted(document, len(WORDS), spent)
            return document

        def chunks(given: list[Json]) -> list[Json]:
            first = next((chunk for chunk in given if chunk.get("choices")), None)
            if first is None:
                return given
            thoughts = []
            for number, word in enumerate(WORDS):
                thought = json.loads(json.dumps(first))
                thought.pop("usage", None)
                delta = {field: word, **({} if number else {"role": "assistant", "content": ""})}
                thought["choices"] = [{"index": 0, "delta": delta, "finish_reason": None}]
                thoughts.append(thought)
            for chunk in given:
                for choice in chunk.get("choices") or []:
                    choice["delta"].pop("role", None)
                    if spent:
                        choice["delta"] = {}
                        choice["finish_reason"] = "length" if choice.get("finish_reason") else None
                _counted(chunk, len(WORDS), spent)
            return [*thoughts, *given]

        changed = (
            edit_events(chunks) if request.streams else edit_json("/chat/completions", change=unstreamed)
        )
        return changed(request, reply)

    return after


THINKING_CONTROLS = (
    Control(
        "right-thinking-deepseek",
        "models think first, told in reasoning_content; limits of 60 tokens are spent before a word is said",
        after=thinking("reasoning_content"),
        checks=CHECKS,
        declares=THINKS,
        concerns=THOUGHTS,
    ),
    Control(
        "right-thinking-ollama",
        "the same, told in reasoning",
        after=thinking("reasoning"),
        checks=("API-CHAT-00", "API-CHAT-01", *STREAMS),
        declares=THINKS,
        concerns=THOUGHTS,
    ),
)
