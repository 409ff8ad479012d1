"""What is red on right gateways, before one release."""

from __future__ import annotations

import re

from lab.control_matrix import Controls, run_controls
from tests.live.conftest import ROOT

SILENCE = re.compile(r"no answer within|does not answer|timed out|, it took ")
"""All controls stand before one LiteLLM, and when that is silent or late, whoever just asks is red for it:
such a control is judged once more, by itself."""


def red_on_right_gateways(release: str, *, brief: bool = False) -> tuple[Controls, list[str]]:
    """Every control before this release (the default where it is empty), and what is red, in words."""
    found = run_controls(ROOT, [], release, print, brief=brief)
    alarms = list(found.alarms)
    silent = sorted({alarm.control for alarm in alarms if SILENCE.search(alarm.message)})
    if silent:
        again = run_controls(ROOT, silent, release, print, brief=brief)
        assert set(again.ran) == set(silent)
        alarms = [alarm for alarm in alarms if alarm.control not in silent] + list(again.alarms)
    return found, [f"{alarm.control} x {alarm.check}: {alarm.message}" for alarm in alarms]
