"""How a rule is held against programs: the fixed ones first, then whatever the machine comes up with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway_acceptance import subjects
from gateway_acceptance.disruptor import Disruptor
from gateway_acceptance.lazily import lazily_from
from gateway_acceptance.outage.program import Program
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from suites.backends.outage.programs import FIXED, play
from suites.backends.outage.rules import RULES, Broken

if TYPE_CHECKING:
    from suites.backends.outage.machine import explore
else:
    (explore,) = lazily_from("suites.backends.outage.machine", "explore")

EVIDENCE = 3
"""Exchanges that a failure shows."""


def obeyed(
    target: Target, disruptor: Disruptor, name: str, fixed: Sequence[str], *, waivable: bool
) -> list[Program]:
    """Hold a rule against fixed programs of its own and, where they all obey, against all others of the run.
    Returns all that were evaluated. waivable: evaluate all in any case, for what a waiver accepts of one
    program must not hide another violation in the next. Raises CheckFailed with each kind of violation, in
    the smallest program that shows it, in words, and what was seen; NotApplicable where none of these fixed
    programs can be played."""
    evaluated: list[Program] = []
    absent: NotApplicable | None = None
    for program in fixed:
        try:
            evaluated.append(_fixed(target, disruptor, program))
        except NotApplicable as reason:  # the others are evaluated all the same
            absent = absent or reason
        if not waivable:
            _require(target, name, evaluated[-1:])
    shown = bool(evaluated)
    playable = _playable(target, disruptor)
    evaluated += [played for program, played in playable.items() if program not in fixed]
    evaluated += _drawn(target, disruptor)
    _require(target, name, evaluated)
    subjects.judged(events=sum(len(program.seen) for program in evaluated), programs=len(evaluated))
    if absent is not None and not shown:
        raise absent
    target.notebook.exchanges.clear()  # hundreds, all well
    return evaluated


def everything(target: Target, disruptor: Disruptor) -> list[Program]:
    """All programs of the run."""
    return [*_playable(target, disruptor).values(), *_drawn(target, disruptor)]


def _fixed(target: Target, disruptor: Disruptor, name: str) -> Program:
    if name == "measured":
        return play(target, disruptor).program
    return target.once_per_run(f"outage-{name}", lambda: FIXED[name](target, disruptor))


def _playable(target: Target, disruptor: Disruptor) -> dict[str, Program]:
    found = {}
    for name in FIXED:
        try:
            found[name] = _fixed(target, disruptor, name)
        except NotApplicable:  # of that program; the check that stands on it says so
            continue
    return found


def _drawn(target: Target, disruptor: Disruptor) -> list[Program]:
    """The machine's programs. What a fixed program shows already is not looked for again: it would be found
    in every program, and hide the others."""

    def play_them() -> list[Program]:
        known = _playable(target, disruptor).values()
        shown = {
            (name, one.topic) for name in RULES for program in known for one in _broken(target, name, program)
        }
        return explore(target, disruptor, shown)

    return target.once_per_run("outage-drawn", play_them)


def _broken(target: Target, name: str, program: Program) -> list[Broken]:
    return list(RULES[name](program, target.environment, target.key))


def _require(target: Target, name: str, programs: Sequence[Program]) -> None:
    found = [(program.words(one.seen), one) for program in programs for one in _broken(target, name, program)]
    if not found:
        return
    smallest: dict[str, tuple[str, Broken]] = {}
    for words, one in sorted(found, key=lambda pair: len(pair[0])):
        smallest.setdefault(one.topic, (words, one))
    problems = [Problem("", f"{words}: {one.words}") for words, one in smallest.values()]
    more = len(found) - len(problems)
    if more:
        last = problems[-1]
        problems[-1] = Problem("", f"{last.message} (and {more} more like it)")
    target.notebook.exchanges[:] = [
        one.seen.exchange
        for _, one in smallest.values()
        if one.seen is not None and one.seen.exchange is not None
    ][:EVIDENCE]
    raise CheckFailed(problems, blame="gateway")
