"""Sentinels name checks that there are; what they wake judges as itself, and nobody else is accused."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.environment import ModelKind
from gateway_acceptance.plugin import waking
from gateway_acceptance.plugin.waking import Sentinel, Waking, checks_at
from gateway_acceptance.subjects import SUBJECTS, judged
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.exchange import Notebook
from gateway_acceptance.wire.watch import Watch
from suites.sentinels import SENTINELS
from tests.unit.declared import environment
from tests.unit.test_thinking import SPENT

HERE = __name__
LISTED = tomllib.loads((Path(__file__).parents[2] / "suites" / "profiles.toml").read_text(encoding="utf-8"))


@check("API-T-001", "a case that a sentinel stands behind", level=MUST, effect=READ, profile="smoke")
def host() -> None:
    """Never called."""


@check("API-T-002", "an owner that finds something", level=MUST, effect=READ)
def owner(target: Any, environment: Any) -> None:
    judged(owners=1)
    target.asked.append("owner")
    raise CheckFailed("it is broken")


@check("API-T-003", "an owner that finds nothing", level=MUST, effect=READ)
def content(target: Any) -> None:
    target.asked.append("content")


@check("API-T-004", "an owner with a mistake", level=MUST, effect=READ)
def mistaken(target: Any) -> None:
    raise KeyError("x")


@check("API-T-005", "an owner over all models", level=MUST, effect=READ)
def of_models(target: Any, chat_model: str) -> None:
    target.asked.append(chat_model)


@check("API-T-006", "an owner that only pytest can call", level=MUST, effect=READ)
def of_pytest(target: Any, tmp_path: Path) -> None:
    target.asked.append("pytest")


@check("API-T-007", "an owner whose model thought until its limit was spent", level=MUST, effect=READ)
def of_thoughts(target: Any) -> None:
    target.notebook.exchanges.append(SPENT)
    raise CheckFailed("expected HX-OK, got ''")


def a_target(used: float = 0.1) -> Any:
    env = environment()
    return SimpleNamespace(
        environment=env,
        asked=[],
        notebook=Notebook(agent="run 1; check API-T-001"),
        watch=Watch(env, "k", []),
        breaker=SimpleNamespace(trouble=lambda: None),
        budget=SimpleNamespace(share=lambda: used),
        gateway=None,
    )


def of(function: Any) -> Any:
    return next(mark.args[0] for mark in function.pytestmark if mark.name == "check")


def woken(
    *names: str,
    ask: Any = lambda _: False,
    red: bool = False,
    used: float = 0.1,
    selected: Collection[str] = (),
    otherwise: Sequence[str] = (),
) -> Any:
    target = a_target(used)
    wakes, then = ([f"{HERE}:{name}" for name in some] for some in (names, otherwise))
    sentinel = Sentinel("s", "API-T-001", wakes, ask, otherwise=then)
    waking = Waking(lambda: [sentinel], lambda _check, _name: True)
    SUBJECTS.begin()
    waking.after(of(host), target, red=red, selected=selected)
    waking.after(of(host), target, red=red, selected=selected)
    return target


def found(target: Any) -> list[tuple[str, list[str]]]:
    return [(breach.check, list(breach.problems)) for breach in target.watch.taken()]


@pytest.mark.parametrize("sentinel", SENTINELS, ids=lambda one: one.name)
def test_each_names_checks_that_there_are(sentinel: Sentinel) -> None:
    assert sentinel.after in LISTED["smoke"]
    names = [*sentinel.wakes, *sentinel.otherwise]
    assert [name for name in names if not list(checks_at(name))] == []


def test_names_are_their_own() -> None:
    assert len({one.name for one in SENTINELS}) == len(SENTINELS)


def test_what_is_woken_judges_as_itself_once() -> None:
    target = woken("owner", "content")
    assert target.asked == ["owner", "content"]
    assert found(target) == [("API-T-002", ["it is broken"])]
    assert target.notebook.agent == "run 1; check API-T-001"
    assert SUBJECTS.counts == {}, "it is no subject of the case that it stands behind"


def test_what_takes_longer_is_woken_where_the_others_find_nothing() -> None:
    assert woken("owner", otherwise=["content"]).asked == ["owner"]
    assert woken("content", otherwise=["owner"]).asked == ["content", "owner"]


def test_a_limit_that_was_spent_on_thoughts_is_held_against_nobody() -> None:
    assert found(woken("of_thoughts", "owner")) == [("API-T-002", ["it is broken"])]


def test_a_right_answer_wakes_nobody() -> None:
    assert woken("owner", ask=lambda _: True).asked == []


@pytest.mark.parametrize("verdict", [NotApplicable("none", declared="models"), CheckFailed("x")])
def test_what_is_not_declared_wakes_nobody_and_no_answer_does(verdict: Exception) -> None:
    def ask(_: Any) -> bool:
        raise verdict

    assert woken("content", ask=ask).asked == ([] if isinstance(verdict, NotApplicable) else ["content"])


def test_a_sentinel_that_falls_over_is_our_mistake() -> None:
    def ask(_: Any) -> bool:
        raise KeyError("x")

    assert woken("content", ask=ask).watch.mistakes == ["the sentinel 's' fell over: KeyError('x')"]


@pytest.mark.parametrize(("used", "asked"), [(0.5, ["content"]), (0.51, [])])
def test_half_of_the_budget_is_left_to_the_run_itself(used: float, asked: list[str]) -> None:
    assert woken("content", used=used).asked == asked


def test_where_something_was_found_nothing_is_woken() -> None:
    assert woken("content", red=True).asked == []


def test_what_the_run_judges_itself_is_not_woken() -> None:
    assert woken("owner", "content", selected={"API-T-003"}).asked == ["owner"]


def test_every_model_is_judged_and_a_mistake_is_ours() -> None:
    target = woken("of_models", "mistaken", "of_pytest")
    assert target.asked == target.environment.aliases_of(ModelKind.CHAT)
    assert found(target) == []
    assert target.watch.mistakes == ["API-T-004, woken, fell over: KeyError: 'x'"]


def test_no_more_is_woken_than_is_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "MOST_REQUESTS", 0)
    assert woken("owner").asked == []
