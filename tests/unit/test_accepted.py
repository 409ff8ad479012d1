"""What becomes of a failure that the product's release shows by itself, or that an operator accepted."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway_acceptance.check import MUST, READ, Check
from gateway_acceptance.deviations import Deviation, Harm, Known
from gateway_acceptance.plugin.outcome import Outcome, accepted, learn
from gateway_acceptance.plugin.preflight import Preflight
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.waivers import Waiver
from tests.unit.declared import URL, environment
from tests.unit.test_record import PROFILES, a_waiver

CHECK = Check("API-A-001", "title", MUST, READ, (), PROFILES)
ITEM = cast("pytest.Item", SimpleNamespace(callspec=SimpleNamespace(params={"environment": "mini"})))
GATEWAY = {"url": URL, "key_variable": "MINI_KEY", "product": "litellm", "version": "1.0"}
KNOWN = Known(
    "litellm",
    "1.0",
    "",
    ("1.0",),
    deviations={"API-A-001": Deviation("API-A-001", "MUST", "title", frozenset({"got 500: <body>"}))},
)


def state(*waivers: Waiver, **fields: Any) -> WorkerState:
    made = WorkerState([environment(gateway=GATEWAY)], Path(), {"mini": waivers}, (), **fields)
    made._known["mini", "1.0"] = KNOWN
    return made


def failed(*problems: str) -> Outcome:
    return Outcome(Verdict.FAILED, "\n".join(problems), "gateway", problems=problems)


def test_what_the_release_shows_by_itself_is_a_deviation() -> None:
    outcome = accepted(failed('got 500: {"error": 1}', 'got 500: {"error": 2}'), CHECK, ITEM, state())
    assert (outcome.verdict, outcome.blame, outcome.waiver) == (Verdict.DEVIATION, "gateway", "")
    assert outcome.detail == "litellm 1.0 does so by itself (as 1.0)"


def test_one_problem_more_is_a_failure_and_is_told_first() -> None:
    outcome = accepted(failed('got 500: {"error": 1}', "got 418"), CHECK, ITEM, state())
    assert outcome.verdict is Verdict.FAILED
    assert outcome.problems == ("got 418", 'got 500: {"error": 1}')


def test_a_waiver_covers_the_rest() -> None:
    waiver = a_waiver().model_copy(update={"observed": "got 418"})
    outcome = accepted(failed('got 500: {"error": 1}', "got 418"), CHECK, ITEM, state(waiver))
    assert (outcome.verdict, outcome.waiver) == (Verdict.WAIVED, waiver.id)


def test_harm_is_no_deviation_whatever_the_release_does() -> None:
    harms = (Harm(("API-A-*",), "leaks"),)
    assert accepted(failed('got 500: {"a": 1}'), CHECK, ITEM, state(harms=harms)).verdict is Verdict.FAILED


def without_a_version(refused: str, *waivers: Waiver) -> WorkerState:
    """Of a gateway that tells its version to nobody whose key it refuses."""
    made = state(*waivers)
    gateway = {**GATEWAY, "version": None}
    made.environments = [environment(gateway=gateway)]
    found = Preflight(refused=refused, fix="correct it")
    made.targets["mini"] = cast("Target", SimpleNamespace(preflight=lambda: found))
    made._known["mini", "any"] = KNOWN
    return made


def test_whose_fault_it_is_hangs_on_the_key_where_only_that_tells_the_release() -> None:
    outcome = accepted(failed('got 500: {"a": 1}'), CHECK, ITEM, without_a_version("the key is refused"))
    assert (outcome.verdict, outcome.message) == (
        Verdict.UNTESTABLE,
        "Untestable: the key is refused; correct it",
    )
    assert 'got 500: {"a": 1}' in outcome.detail


@pytest.mark.parametrize(
    ("refused", "problem", "harms"),
    [
        ("the key is refused", "got 418", ()),  # no release does
        ("", 'got 500: {"a": 1}', ()),  # the key is accepted, and the release unknown all the same
        ("the key is refused", 'got 500: {"a": 1}', (Harm(("API-A-*",), "leaks"),)),
    ],
)
def test_what_no_key_would_explain_is_a_failure(refused: str, problem: str, harms: tuple[Harm, ...]) -> None:
    unknown = without_a_version(refused)
    unknown.harms = harms
    assert accepted(failed(problem), CHECK, ITEM, unknown).verdict is Verdict.FAILED


def test_while_a_release_is_learned_nothing_is_known_of_it(tmp_path: Path) -> None:
    learning = state(learning=tmp_path / "seen.jsonl")
    outcome = accepted(failed('got 500: {"a": 1}'), CHECK, ITEM, learning)
    assert outcome.verdict is Verdict.FAILED
    learn(outcome, CHECK, ITEM, learning)
    learn(Outcome(Verdict.UNTESTABLE, "no backend"), CHECK, ITEM, learning)
    [line] = (tmp_path / "seen.jsonl").read_text().splitlines()
    assert '"problems": ["got 500: <body>"]' in line
    assert '"version": "1.0"' in line
