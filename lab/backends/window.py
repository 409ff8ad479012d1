"""What of a conversation the model sees: the context window, cut as Ollama cuts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lab.backends import tokens
from lab.backends.requests import Message

TURN_TOKENS = 4  # what a chat template writes around each turn


def cost(message: Message) -> int:
    """The tokens of one turn, its template included."""
    return TURN_TOKENS + tokens.count(message.content)


def fit(messages: Sequence[Message], limit: int) -> tuple[list[Message], int]:
    """The turns that fit into ``limit`` tokens, and how many tokens they have.

    First the oldest turns go, never a system message or the last turn; where that is not enough, the oldest
    tokens of what is left go too. Source: Ollama's server/prompt.go (chatPrompt) and its runner.
    """
    kept = list(messages)
    while sum(map(cost, kept)) > limit:
        oldest = next((at for at, turn in enumerate(kept[:-1]) if turn.role != "system"), None)
        if oldest is None:
            break
        del kept[oldest]
    surplus = sum(map(cost, kept)) - limit
    for at, turn in enumerate(kept):
        if surplus <= 0:
            break
        cut = min(surplus, tokens.count(turn.content))
        kept[at] = replace(turn, content=tokens.without_first(turn.content, cut))
        surplus -= cut
    return kept, min(limit, sum(map(cost, kept)))
