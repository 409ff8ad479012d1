"""Whether something beside the body chose who served, or what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.rule import media_type
from suites.api.steering.names import MOCKED

OK = 200


@dataclass(frozen=True, slots=True)
class AnswerWitness:
    """What an answer tells: the backend that a header names (empty for none), and its ``model``."""

    backend: str
    model: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two aliases, and what their answers tell."""

    first: str
    second: str
    of_first: AnswerWitness
    of_second: AnswerWitness

    @property
    def distinguishable(self) -> bool:
        """Whether any witness differs."""
        return self.of_first != self.of_second

    def led(self, answer: Exchange) -> bool:
        """Whether the second answered for the first, as any witness that tells them apart says."""
        if answer.status != OK:
            return False
        seen = answer_witness(answer)
        return (seen.backend != self.of_first.backend and seen.backend == self.of_second.backend) or (
            seen.model != self.of_first.model and seen.model == self.of_second.model
        )

    def is_of_neither(self, answer: Exchange) -> bool:
        """Whether a backend answered that serves none of the two, as a header says."""
        seen = answer_witness(answer).backend
        return (
            answer.status == OK and bool(seen) and seen not in (self.of_first.backend, self.of_second.backend)
        )


def answer_witness(answer: Exchange) -> AnswerWitness:
    """What an answer tells of who served it."""
    return AnswerWitness(answer.served_by, str(_document(answer).get("model", "")))


def led_astray(known: Pair, answers: Sequence[tuple[str, Exchange]]) -> list[Problem]:
    """The requests for the first model that the second one served. answers: (what stood beside the body, what
    came)."""
    return [
        Problem("", f"{what} chooses who serves: the body says {known.first}, {known.second} answered")
        for what, answer in answers
        if known.led(answer)
    ]


def changed(plain: Exchange, answer: Exchange, what: str) -> list[Problem]:
    """What something beside the body changed of an answer, against the plain one. A refusal is none."""
    if answer.status != OK:
        return []
    if media_type(answer.headers) == "text/event-stream":
        return [Problem("", f"{what} makes a stream of the answer")]
    if MOCKED in answer.text:
        return [Problem("", f"{what} makes up the answer, or a part of it")]
    before, after = _document(plain), _document(answer)
    found = []
    if len(before.get("choices") or []) != len(after.get("choices") or []):
        found.append(Problem("", f"{what} changes the number of choices"))
    elif _reasons(before) != _reasons(after):
        found.append(Problem("", f"{what} changes how the answer ends: {_reasons(after)}"))
    return found


def _reasons(document: dict[str, Any]) -> list[str]:
    choices = document.get("choices")
    return (
        [str(choice.get("finish_reason")) for choice in choices or [] if isinstance(choice, dict)]
        if isinstance(choices, list)
        else []
    )


def _document(answer: Exchange) -> dict[str, Any]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
