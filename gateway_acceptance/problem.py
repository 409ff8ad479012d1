"""A problem: one violated rule, as a pure validator reports it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway_acceptance.check import Level


@dataclass(frozen=True, slots=True)
class Problem:
    """One violation of one rule.

    rule: a stable name (``stream.done.missing``, ``chat_completion.choices.minItems``); message: expected and
    seen, in words; where: JSON pointer or frame number; level: MUST or SHOULD; source: where the rule
    comes from (specification pointer, SDK type, documented behaviour).
    """

    rule: str
    message: str
    where: str = ""
    level: Level = Level.MUST
    source: str = ""

    def __str__(self) -> str:
        place = f" at {self.where}" if self.where else ""
        source = f" [{self.source}]" if self.source else ""
        rule = f"{self.rule}: " if self.rule else ""
        return f"{rule}{self.message}{place}{source}"


def at_level(problems: Iterable[Problem], level: Level) -> list[Problem]:
    """Only the problems whose rule has this level."""
    return [problem for problem in problems if problem.level is level]
