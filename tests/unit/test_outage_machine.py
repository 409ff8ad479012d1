"""The machine of outages without a network: the stage and the clock are the test's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, cast

import pytest

from gateway_acceptance.disruptor import Disruptor, OutageKind
from gateway_acceptance.environment import load_environment
from gateway_acceptance.outage.program import Program
from gateway_acceptance.plugin.counterexample import DEFAULT_SEED, SEED_VARIABLE
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import NotPermitted
from gateway_acceptance.wire.meter import Meter
from suites.backends.outage import machine as outage_machine
from suites.backends.outage.machine import PROGRAMS, SECONDS, explore
from suites.backends.outage.rules import Broken

ROOT = Path(__file__).parents[2]
SEEDS = range(DEFAULT_SEED, DEFAULT_SEED + 20)


class Scene:
    """What every stage of a run shares: the clock, of which each step takes so much; after ``refuses`` steps
    nothing more is permitted; a program that has ``bad`` on ``llm-01`` breaks the rule ``no-harm``."""

    def __init__(self, *, step_s: float = 0.0, refuses: int = 10_000, bad: OutageKind | None = None) -> None:
        self.now, self.step_s, self.refuses, self.bad = 0.0, step_s, refuses, bad
        self.steps = 0

    def step(self) -> None:
        self.now += self.step_s
        self.steps += 1
        if self.steps > self.refuses:
            raise NotPermitted("the budget is used up", "no more requests")

    def no_harm(self, program: Program, *_: object) -> Iterator[Broken]:
        if program.steps:
            yield Broken("as ever", topic="known")
        if self.bad is not None and f"{self.bad.value} llm-01" in program.steps:
            yield Broken("harm", topic="harm")

    def explore(
        self, monkeypatch: pytest.MonkeyPatch, chosen: int, *ignored: tuple[str, str]
    ) -> list[Program]:
        scene = self

        class Stage:
            def __init__(self, *_: object) -> None:
                self.program = Program()

            def __enter__(self) -> Self:
                return self

            def __exit__(self, *_: object) -> None:
                pass

            def take_down(self, kind: OutageKind, backend: str, *_: object) -> None:
                self.note(f"{kind.value} {backend}")

            def revive(self, backend: str, *_: object) -> None:
                self.note(f"revive {backend}")

            def send(self, *_: object) -> None:
                self.note("send")

            def note(self, step: str) -> None:
                self.program.steps.append(step)
                scene.step()

            def settle(self) -> Program:
                return self.program

        clock = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr(outage_machine, "OutageStage", Stage)
        monkeypatch.setattr(outage_machine, "time", clock)
        monkeypatch.setattr(outage_machine, "around", lambda *_: ())
        monkeypatch.setattr(outage_machine, "RULES", {"no-harm": self.no_harm})
        monkeypatch.setenv(SEED_VARIABLE, str(chosen))
        environment = load_environment("local", ROOT, {})
        notebook = SimpleNamespace(meter=Meter())
        target = cast(Target, SimpleNamespace(environment=environment, key="k", notebook=notebook))
        return explore(target, cast(Disruptor, None), {("no-harm", "known"), *ignored})


def valid(program: Program) -> bool:
    """Whether only what is away is given back."""
    away: set[str] = set()
    for step in program.steps:
        what, _, backend = step.rpartition(" ")
        if what == "revive" and backend not in away:
            return False
        (away.discard if what == "revive" else away.add)(backend)
    return True


@pytest.mark.parametrize("chosen", SEEDS)
def test_all_programs_are_played_and_only_what_is_away_comes_back(
    monkeypatch: pytest.MonkeyPatch, chosen: int
) -> None:
    played = Scene().explore(monkeypatch, chosen)
    assert len(played) == PROGRAMS
    assert all(valid(program) for program in played)


@pytest.mark.parametrize("chosen", SEEDS)
@pytest.mark.parametrize("steps", [1, 3, 8, 13])
def test_time_that_runs_out_is_no_failure(monkeypatch: pytest.MonkeyPatch, chosen: int, steps: int) -> None:
    """Whatever was drawn when it did: what is drawn does not depend on it."""
    scene = Scene(step_s=SECONDS / steps)
    played = scene.explore(monkeypatch, chosen)
    assert 1 <= scene.steps <= steps + 1
    assert all(valid(program) for program in played)


@pytest.mark.parametrize("chosen", SEEDS)
@pytest.mark.parametrize("steps", [0, 3, 8])
def test_what_ended_it_early_is_what_is_raised(
    monkeypatch: pytest.MonkeyPatch, chosen: int, steps: int
) -> None:
    with pytest.raises(NotPermitted, match="the budget is used up"):
        Scene(refuses=steps).explore(monkeypatch, chosen)


def test_a_broken_rule_is_shrunk_to_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    found = 0
    for chosen in SEEDS:
        with monkeypatch.context() as patch:
            played = Scene(bad=OutageKind.KILL).explore(patch, chosen)
        broken: list[Any] = [program for program in played if "kill llm-01" in program.steps]
        if broken:
            found += 1
            assert min(len(program.steps) for program in broken) == 1
    assert found >= len(SEEDS) // 4


def test_what_is_known_to_be_broken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is shrunk, so exactly so many programs are played; the same rule broken anew is looked into."""
    extra = 0
    for chosen in SEEDS:
        with monkeypatch.context() as patch:
            assert len(Scene(bad=OutageKind.KILL).explore(patch, chosen, ("no-harm", "harm"))) == PROGRAMS
        with monkeypatch.context() as patch:
            extra += len(Scene(bad=OutageKind.KILL).explore(patch, chosen)) > PROGRAMS
    assert extra
