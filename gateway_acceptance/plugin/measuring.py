"""What each case of a run has sent, written down for the table of costs (``gateway-acceptance costs
--write``)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from gateway_acceptance.check import Check
from gateway_acceptance.plugin.parametrise import environment_of, parameters_of
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.wire.meter import Cost


def measure(item: pytest.Item, check: Check, duration_s: float, state: WorkerState) -> None:
    """One line of the file, where the run is measured: the case's own cost, and those that it shares. What a
    planted defect was asked for is none of the target's."""
    if state.measuring is None or state.planted is not None:
        return
    meter, prefix = state.notebook.meter, f"{environment_of(item)} / "
    meter.case.seconds += duration_s
    names = list(meter.case.uses)
    for name in names:  # what they use in turn is found while the list grows
        names += [one for one in meter.shared.get(name, Cost()).uses if one not in names]
    line = {
        "check": check.id,
        "parameters": parameters_of(item),
        "own": _written(meter.case, prefix),
        "shared": {
            name.removeprefix(prefix): _written(meter.shared[name], prefix)
            for name in names
            if name in meter.shared
        },
    }
    with state.measuring.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _written(cost: Cost, prefix: str) -> dict[str, Any]:
    return {**asdict(cost), "uses": sorted(name.removeprefix(prefix) for name in cost.uses)}
