"""What a chat model is declared to be able to do. What is not declared is not asked (docs/abilities.md)."""

from __future__ import annotations

import difflib
from enum import StrEnum
from typing import Annotated

from pydantic.functional_validators import BeforeValidator


class Ability(StrEnum):
    """The words of ``abilities``; the field's own where it has some. Values stand in environment files."""

    EXACT = "exact"
    COUNT = "count"
    INSTRUCTIONS = "instructions"
    RECALL = "recall"
    SEED = "seed"
    TOOLS = "tools"
    PARALLEL_TOOLS = "parallel_tools"
    JSON_OBJECT = "json_object"
    JSON_SCHEMA = "json_schema"
    REASONING = "reasoning"
    VISION = "vision"
    LOGPROBS = "logprobs"


MEANS: dict[Ability, str] = {
    Ability.EXACT: "repeats a short text exactly when it is asked to",
    Ability.COUNT: "counts from 1 to 30",
    Ability.INSTRUCTIONS: "heeds a system message",
    Ability.RECALL: "repeats what was said earlier in the conversation",
    Ability.SEED: "answers the same again at temperature 0 or with the same seed",
    Ability.TOOLS: "calls the tool that it is asked to call",
    Ability.PARALLEL_TOOLS: "calls two tools at once",
    Ability.JSON_OBJECT: "answers in JSON in JSON mode",
    Ability.JSON_SCHEMA: "answers as a JSON schema demands",
    Ability.REASONING: "thinks before it answers, and spends tokens of the answer's limit on it",
    Ability.VISION: "reads images",
    Ability.LOGPROBS: "gives log probabilities",
}
"""What a declared ability promises, as it is said after the model's name."""

ASSUMED = frozenset(MEANS) - {Ability.REASONING, Ability.VISION, Ability.LOGPROBS}
"""Of a model whose ``abilities`` are not declared: asked for as long as any model shows it."""


def _known(value: object) -> object:
    words = [ability.value for ability in Ability]
    if isinstance(value, str) and value not in words:
        close = difflib.get_close_matches(value, words, n=1, cutoff=0.5)
        hint = f", did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"is the unknown ability {value!r}{hint}; known are: {', '.join(words)}")
    return value


KnownAbility = Annotated[Ability, BeforeValidator(_known)]
"""An ability, or a sentence with the nearest word that is one."""
