"""What counts as detected before models that obey nobody."""

from __future__ import annotations

from typing import Any

import pytest

from lab.faults import FAULTS
from lab.mutation_matrix import CONTROL
from lab.weak_matrix import SHOWN_BY, evaluate, text

OTHER_IDS, MEMORY = FAULTS["completion-stream-ids"], FAULTS["chat-remembers"]


def record(verdict: str, message: str, check: str) -> dict[str, Any]:
    return {
        "checks": [{"id": check, "verdict": verdict, "cases": [{"verdict": verdict, "message": message}]}]
    }


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("expected one id in all chunks, got 2 in 17 chunks", True),  # as the fault says it
        ("expected one id in all chunks, got 17 in 17 chunks", False),  # as the release does by itself
    ],
)
def test_a_deviation_counts_where_the_fault_declares_it_and_says_it(message: str, found: bool) -> None:
    own = "expected one id in all chunks, got 17 in 17 chunks"
    runs = {
        CONTROL: record("deviation", own, "API-COMP-008"),
        OTHER_IDS.name: record("deviation", message, "API-COMP-008"),
    }
    weak = evaluate([OTHER_IDS], runs)
    assert (list(weak.detected), list(weak.missed)) == (
        ([OTHER_IDS.name], []) if found else ([], [OTHER_IDS.name])
    )


@pytest.mark.parametrize(
    ("control", "seen", "place"),
    [
        ("passed", "failed", "detected"),
        ("passed", "passed", "missed"),
        ("passed", "untestable", "missed"),
        ("failed", "failed", "missed"),
    ],
)
def test_a_failure_counts_where_the_healthy_gateway_is_green(control: str, seen: str, place: str) -> None:
    runs = {
        CONTROL: record(control, "m does not declare exact", "API-CHAT-063"),
        MEMORY.name: record(seen, "", "API-CHAT-063"),
    }
    assert getattr(evaluate([MEMORY], runs), place) == [MEMORY.name]


def test_a_check_that_needs_an_ability_is_not_missed() -> None:
    needs = record("not applicable", "m does not declare exact (models.abilities)", "API-CHAT-063")
    weak = evaluate([MEMORY], {CONTROL: needs, MEMORY.name: needs})
    assert (weak.able, weak.missed) == ([MEMORY.name], [])


def test_a_missed_fault_comes_with_what_its_checks_said() -> None:
    runs = {
        CONTROL: record("passed", "", "API-CHAT-063"),
        MEMORY.name: record("passed", "held for 2 replies", "API-CHAT-063"),
    }
    weak = evaluate([MEMORY], runs)
    assert f"MISSED {MEMORY.name}: API-CHAT-063 passed: held for 2 replies" in text(weak)
    nothing = evaluate([MEMORY], {CONTROL: record("passed", "", "API-CHAT-063")})
    assert f"MISSED {MEMORY.name}: API-CHAT-063: it did not run" in text(nothing)


@pytest.mark.parametrize("verdict", ["failed", "untestable", "inconclusive", "harness error"])
def test_every_red_of_the_healthy_control_is_an_alarm(verdict: str) -> None:
    red = record(verdict, "the suite's own fault\nand more", "API-CHAT-063")
    weak = evaluate([MEMORY], {CONTROL: red, MEMORY.name: record("failed", "", "API-CHAT-063")})
    assert weak.alarms == [f"API-CHAT-063 {verdict}: the suite's own fault"]
    assert "FALSE ALARM on the healthy control: API-CHAT-063" in text(weak)
    assert not weak.complete


def test_what_only_a_call_shows_needs_the_ability_to_call() -> None:
    calls = FAULTS["sdk-arguments-object"]
    needs = record("not applicable", "m does not declare tools (models.abilities)", "API-SDK-012")
    control = {"checks": [*needs["checks"], *record("passed", "", "API-CHAT-001")["checks"]]}
    weak = evaluate([calls], {CONTROL: control, calls.name: control})
    assert (weak.able, weak.missed) == ([calls.name], [])
    assert all(check in FAULTS[fault].detected_by for fault, check in SHOWN_BY)
