"""Which programs a rule is held against: none that was played may break it unseen."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from gateway_acceptance.disruptor import Disruptor, OutageKind
from gateway_acceptance.outage.program import Program, RequestKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.exchange import Notebook
from suites.backends.outage import evaluation as outage_judged
from suites.backends.outage.evaluation import obeyed
from tests.unit.outage_seen import ENVIRONMENT, KEY, answered, asked, away, exchange, program, refused, stream

NOBODY = cast(Disruptor, None)
SUFFERED = "gateway suffered"


def well() -> Program:
    return program(answered(by="two"))


def dead() -> Program:
    """The gateway's liveness route breaks once a stream was broken off."""
    alive = asked(
        exchange(500, {}), way=RequestKind.LIVENESS, alias="/health/liveliness", mark="", expects=""
    )
    return program(alive, spans=away("one", kind=OutageKind.DROP))


def too_patient() -> Program:
    raise NotApplicable("outage.patience_s is 60", declared="outage.patience_s")


def run(
    monkeypatch: pytest.MonkeyPatch, drawn: list[Program] | None = None, **fixed: Callable[[], Program]
) -> Target:
    """A run with these fixed programs; what the machine was told to pass over is in ``told``."""
    told: list[tuple[str, str]] = []

    def explore(_: object, __: object, ignored: set[tuple[str, str]]) -> list[Program]:
        told.extend(ignored)
        return drawn or []

    played = {name.replace("_", "-"): lambda *_, make=make: make() for name, make in fixed.items()}
    monkeypatch.setattr(outage_judged, "FIXED", played)
    monkeypatch.setattr(outage_judged, "explore", explore)
    only = SimpleNamespace(environment=ENVIRONMENT, key=KEY, notebook=Notebook(), told=told)
    only.once_per_run = lambda _, observe: observe()
    return cast(Target, only)


def test_a_rule_that_another_fixed_program_breaks_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine does not look for it any more, so nobody else would say it."""
    target = run(monkeypatch, all_dead=well, dropped=dead, silent=well)
    with pytest.raises(CheckFailed, match="/health/liveliness answered 500"):
        obeyed(target, NOBODY, SUFFERED, ["all-dead", "silent"], waivable=False)
    assert target.told == [(SUFFERED, "liveness")]  # type: ignore[attr-defined]


def test_a_program_that_cannot_be_played_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for programs in ({"dropped": dead}, {"drawn": [dead()]}):
        target = run(monkeypatch, **{"all_dead": well, "silent": too_patient, **programs})  # type: ignore[arg-type]
        with pytest.raises(CheckFailed, match="/health/liveliness answered 500"):
            obeyed(target, NOBODY, SUFFERED, ["all-dead", "silent"], waivable=False)


def test_where_none_of_its_programs_can_be_played_a_rule_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = run(monkeypatch, all_dead=well, silent=too_patient)
    with pytest.raises(NotApplicable, match="patience_s is 60"):
        obeyed(target, NOBODY, SUFFERED, ["silent"], waivable=False)
    assert len(obeyed(target, NOBODY, SUFFERED, ["all-dead", "silent"], waivable=False)) == 1


def telling() -> Program:
    """An error tells the address of a backend."""
    return program(refused({"error": {"message": "cannot reach 127.0.0.2:11434"}}))


def breaking() -> Program:
    """A stream that had begun tells a stack trace."""
    return program(stream("one ", finish=None, done=False, frame="Traceback (most recent call last)"))


@pytest.mark.parametrize("where", ["dropped", "silent", "drawn"])
def test_what_is_accepted_of_one_kind_hides_none_of_another(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """An address in every error, as a waiver may accept it, and a trace in one program only: of the rule's
    own, of another rule's, a drawn one."""
    programs = {"all_dead": telling, "dropped": telling, "silent": telling}
    if where in programs:
        programs[where] = breaking
    target = run(monkeypatch, [breaking()] if where == "drawn" else [], **programs)
    with pytest.raises(CheckFailed) as caught:
        obeyed(target, NOBODY, "information leak", ["all-dead", "dropped"], waivable=True)
    address, trace = sorted(problem.message for problem in caught.value.problems)
    assert "address of a backend in an error (503): 127.0.0.2" in address
    assert "stack trace in an error in mid-stream" in trace
    assert len(target.notebook.exchanges) == 2


def test_a_kind_is_told_once_in_the_smallest_program(monkeypatch: pytest.MonkeyPatch) -> None:
    long = program(refused({"error": {"message": "cannot reach 127.0.0.2:11434"}}, step=3))
    long.steps[:0] = ["kill two", "revive two"]
    target = run(monkeypatch, all_dead=lambda: long, dropped=telling)
    with pytest.raises(CheckFailed) as caught:
        obeyed(target, NOBODY, "information leak", ["all-dead", "dropped"], waivable=True)
    (only,) = caught.value.problems
    assert only.message.startswith("kill one: address of a backend")
    assert only.message.endswith("more like it)")


def test_all_that_was_looked_at_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    target = run(monkeypatch, [well(), well()], all_dead=well, silent=well)
    assert len(obeyed(target, NOBODY, SUFFERED, ["silent"], waivable=False)) == 4


def test_where_nothing_is_accepted_the_first_that_breaks_it_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unplayed() -> Program:
        pytest.fail("nobody needs it any more")

    target = run(monkeypatch, all_dead=telling, dropped=unplayed)
    with pytest.raises(CheckFailed, match="address of a backend"):
        obeyed(target, NOBODY, "information leak", ["all-dead", "dropped"], waivable=False)
