"""Verdicts: what became of a check, worst last, and the exceptions by which a check speaks one.

Source of the set and its order: docs/architecture.md, "Words".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from gateway_acceptance.problem import Problem
from gateway_acceptance.subjects import SUBJECTS

_KEY = re.compile(r"[a-z_]+(\.[A-Za-z_]+)*")


class Verdict(StrEnum):
    """What became of a check (or of one parametrised case of it, or of a claim)."""

    PASSED = "passed"
    DEVIATION = "deviation"
    WAIVED = "waived"
    NOT_APPLICABLE = "not applicable"
    NOT_PERMITTED = "not permitted"
    INCONCLUSIVE = "inconclusive"
    UNTESTABLE = "untestable"
    FAILED = "failed"
    HARNESS_ERROR = "harness error"

    @property
    def rank(self) -> int:
        """Position in the lattice: 0 is best, higher is worse."""
        return _ORDER.index(self)

    @property
    def red(self) -> bool:
        """True where the verdict must keep a run from being green."""
        return self in RED

    @property
    def executed(self) -> bool:
        """True where the check really ran to a statement about the target."""
        return self in EXECUTED


_ORDER: Sequence[Verdict] = tuple(Verdict)

RED = frozenset({Verdict.INCONCLUSIVE, Verdict.UNTESTABLE, Verdict.FAILED, Verdict.HARNESS_ERROR})
"""Inconclusive is red as well: what could not be decided is not proven."""

EXECUTED = frozenset(
    {Verdict.PASSED, Verdict.DEVIATION, Verdict.WAIVED, Verdict.INCONCLUSIVE, Verdict.FAILED}
)
PROVEN = frozenset({Verdict.PASSED, Verdict.DEVIATION, Verdict.WAIVED})
"""By which a claim counts as proven: nothing of it is red."""


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The worst of some verdicts, or None where there are none (never a vacuous green).

    What the environment declares that it does not have says nothing of what it has: not applicable counts
    only where there is nothing else. What was not permitted is a gap; it ranks worse than passed, so it
    shows.
    """
    found = list(verdicts)
    judged = [verdict for verdict in found if verdict is not Verdict.NOT_APPLICABLE]
    return max(judged or found, key=lambda verdict: verdict.rank, default=None)


class CheckFailed(AssertionError):  # noqa: N818
    """The target broke what the check states.

    problems: every violation seen, not only the first. blame: ``gateway``, ``backend``, ``model`` or empty
    where it was not located. alarm: one sentence, for what outweighs everything else that a run can find (a
    door that is open to the world): it becomes the first reason and the headline.
    """

    def __init__(self, problems: Sequence[Problem] | str, *, blame: str = "", alarm: str = "") -> None:
        self.problems = [Problem(rule="", message=problems)] if isinstance(problems, str) else list(problems)
        self.blame, self.alarm = blame, alarm
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NoAnswer(CheckFailed):
    """The target gave no HTTP answer: refused, reset, silent past the deadline, or not HTTP."""


class Untestable(Exception):  # noqa: N818  (a verdict, not an error of ours)
    """A prerequisite is missing: red, never a skip. ``provide`` says how to supply it.

    root: the check whose own failure explains that nothing is there to judge, and saw: what it says of it.
    Where the operator accepted just that failure, they declared that there is none: not applicable.
    """

    def __init__(self, missing: str, provide: str = "", *, root: str = "", saw: str = "") -> None:
        self.missing, self.provide = missing, provide or f"see {root}"
        self.root, self.saw = root, saw
        super().__init__(f"Untestable: {missing}; {self.provide}")


class Inconclusive(Exception):  # noqa: N818
    """The statistics could not decide within the budget."""


class NotApplicable(Exception):  # noqa: N818
    """The environment declares that it has no such feature. declared: the key of the environment file that
    says so (``models.abilities``, ``host.listens``), which the message need not repeat. Raises ValueError
    for anything that is no key: what was only observed is never not applicable."""

    def __init__(self, message: str, *, declared: str) -> None:
        if not _KEY.fullmatch(declared):
            raise ValueError(f"{declared!r} is no key of an environment file")
        self.declared = declared
        super().__init__(message if declared in message else f"{message} ({declared})")


class NotPermitted(Exception):  # noqa: N818
    """The environment's policy forbids the effect, or its budget is used up."""


def require(
    problems: Sequence[Problem],
    *,
    blame: str = "",
    alarm: str = "",
    judged: Mapping[str, int] | None = None,
) -> None:
    """Fail the check with all problems, if there are any. alarm: as of ``CheckFailed``; judged: the subjects
    that they were looked for in, as of ``subjects.judged``."""
    SUBJECTS.state(judged or {})
    if problems:
        raise CheckFailed(problems, blame=blame, alarm=alarm)
