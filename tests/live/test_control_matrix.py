"""No check is red on a gateway that is right in another way; more of each: mutation-matrix --controls."""

from __future__ import annotations

from lab.control_matrix import run_controls
from lab.controls import CONTROLS
from tests.live.conftest import ROOT

LEAST = 20


def test_right_gateways_are_free_of_red() -> None:
    found = run_controls(ROOT, [], "", print, brief=True)
    assert [f"{alarm.control} x {alarm.check}: {alarm.message}" for alarm in found.alarms] == []
    assert set(found.ran) == set(CONTROLS)
    assert len(found.ran) >= LEAST
    assert found.complete
