"""Any program of outages: Hypothesis draws it step by step, and looks for the smallest that breaks a rule."""

from __future__ import annotations

import io
import time
from collections.abc import Collection
from contextlib import redirect_stdout
from dataclasses import dataclass, field

from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from gateway_acceptance.disruptor import Disruptor, OutageKind
from gateway_acceptance.environment import Environment
from gateway_acceptance.outage.program import Program, RequestKind
from gateway_acceptance.plugin.counterexample import SPOKEN, drawing, seed_of_the_run
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.meter import Chance
from suites.backends.outage.programs import around, group_of, members
from suites.backends.outage.rules import RULES
from suites.backends.outage.stage import MOST_PATIENCE_S, SLACK_S, Ask, OutageStage, polls_within

PROGRAMS, STEPS = 4, 6
"""Programs that are drawn, and steps of each: with the requests of each step some 200 in all."""
MOST_ASKS = 7
"""Requests of a step: of the group four, of another alias two, and a look at the gateway."""
SECONDS = 14.0
"""After which no further step is begun; a step lasts as long as the gateway's patience at most."""
SHRINKING_S = 10.0
"""Further seconds for the search for a smaller program, after one broke a rule."""


Shown = tuple[str, str]
"""A rule and the topic of what broke it."""


class RuleBroken(AssertionError):  # noqa: N818
    """A program broke a rule: for Hypothesis, which looks for a smaller one."""


@dataclass
class Exploration:
    """What the machine is told, and what it has played. ignored: what is known to be broken."""

    target: Target
    disruptor: Disruptor
    ignored: frozenset[Shown]
    ends: float
    played: list[Program] = field(default_factory=list)
    broken: Shown | None = None
    stopped: Exception | None = None

    @property
    def over(self) -> bool:
        """Whether no further step is to be made."""
        enough = self.broken is None and len(self.played) >= PROGRAMS
        return enough or self.stopped is not None or time.monotonic() > self.ends

    def judge(self, program: Program) -> None:
        """Raises RuleBroken. Once something was broken, only that counts: the search has one aim."""
        self.played.append(program)
        for name, of in RULES.items():
            for one in of(program, self.target.environment, self.target.key):
                shown = (name, one.topic)
                if shown in self.ignored or self.broken not in (None, shown):
                    continue
                if self.broken is None:
                    self.broken, self.ends = shown, time.monotonic() + SHRINKING_S
                raise RuleBroken(*shown)


def explore(target: Target, disruptor: Disruptor, ignored: Collection[Shown]) -> list[Program]:
    """Play programs of all kinds of outages, on one backend or more, while requests flow; the same ones for
    the same seed. Raises what ended it early (NotPermitted and the like)."""
    exploration = Exploration(target, disruptor, frozenset(ignored), time.monotonic() + SECONDS)
    machine = seed(seed_of_the_run())(_machine(exploration))
    by_chance = target.notebook.meter.chance(Chance.WAIT, most_drawn(target.environment))
    with (
        by_chance,
        redirect_stdout(io.StringIO()),
    ):  # Hypothesis prints the program; the check says it in words
        try:
            run_state_machine_as_test(
                machine,
                settings=drawing(PROGRAMS, STEPS),
            )
        except (RuleBroken, Flaky):
            if exploration.broken is None and exploration.stopped is None:
                raise
    if exploration.stopped is not None:
        raise exploration.stopped
    return exploration.played


def most_drawn(environment: Environment) -> int:
    """Of all programs that are drawn, where none breaks a rule."""
    step = MOST_ASKS + sum(backend.counts is not None for backend in environment.backends)
    settling = len(environment.models) * (1 + polls_within(SLACK_S))
    return PROGRAMS * (STEPS * step + settling)


def _machine(exploration: Exploration) -> type[RuleBasedStateMachine]:
    target = exploration.target
    group = group_of(target)
    singles = {
        name: [model.alias for model in target.environment.models if model.backend == name]
        for name in members(group)
    }
    waits = target.environment.outage.patience_s <= MOST_PATIENCE_S
    kinds = [kind for kind in OutageKind if waits or not kind.keeps_waiting]

    class OutageMachine(RuleBasedStateMachine):
        """Rules are steps; each has requests under way while it changes something."""

        def __init__(self) -> None:
            super().__init__()
            self.stage = None if exploration.over else OutageStage(target, exploration.disruptor)
            self.away: set[str] = set()  # as drawn, played or not: what is drawn must not depend on the time

        @rule(kind=st.sampled_from(kinds), backend=st.sampled_from(members(group)))
        def take_down(self, kind: OutageKind, backend: str) -> None:
            """One more backend goes away, or another way than before."""
            self.away.add(backend)
            self.step(lambda stage: stage.take_down(kind, backend, *asks(stage, singles[backend][:1])))

        @precondition(lambda self: bool(self.away))
        @rule(data=st.data())
        def revive(self, data: st.DataObject) -> None:
            """One comes back."""
            backend = data.draw(st.sampled_from(sorted(self.away)))
            self.away.remove(backend)
            self.step(lambda stage: stage.revive(backend, *asks(stage, [])))

        @rule()
        def send(self) -> None:
            """Nothing changes."""
            self.step(lambda stage: stage.send(*asks(stage, [])))

        def step(self, make: object) -> None:
            if self.stage is None or exploration.over:
                return
            try:
                make(self.stage)  # type: ignore[operator]
            except SPOKEN as spoken:
                exploration.stopped = spoken

        def teardown(self) -> None:
            """All is given back, then the program is judged."""
            if self.stage is None:
                return
            with self.stage:
                if exploration.stopped is None and self.stage.program.steps:
                    exploration.judge(self.stage.settle())

    def asks(stage: OutageStage, aliases: list[str]) -> tuple[Ask, ...]:
        chats = [(RequestKind.CHAT, group.alias)] * 3 + [(RequestKind.CHAT, alias) for alias in aliases]
        return around(stage, *chats, (RequestKind.STREAM, group.alias))

    return OutageMachine
