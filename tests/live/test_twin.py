"""A release without a file of deviations, one defect of ours in front: with ``--twin`` just that is red.

Installs LiteLLM 1.108.0 once, with the network that this needs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from gateway_acceptance.deviations import releases
from gateway_acceptance.verdict import RED
from lab.faults import FAULTS
from lab.mutation_matrix import standing
from lab.patience import patient
from tests.live.conftest import ROOT

RELEASE = "1.108.0"
FAULT = "usage-does-not-add-up"
BUDGET_S = 900


def test_exactly_the_defect_is_red(tmp_path: Path) -> None:
    assert (RELEASE, "") not in releases("litellm"), "choose another one: this one has a file"
    with standing(ROOT, [FAULTS[FAULT]], RELEASE, print) as lab:
        (ill,) = [one for one in lab.environments if one.name == FAULT]
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-m", "smoke", "-p", "no:cacheprovider", "--no-report"),
                *("--twin", f"--env={ill.source}", f"--runs={tmp_path}"),
            ],
            cwd=ROOT,
            env={**os.environ, **lab.variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(BUDGET_S),
            stdin=subprocess.DEVNULL,
        )
    record = json.loads((tmp_path / FAULT / "latest" / "record.json").read_text(encoding="utf-8"))
    verdicts = {check["id"]: check["verdict"] for check in record["checks"]}
    red = {check for check, verdict in verdicts.items() if verdict in [one.value for one in RED]}
    assert red == set(FAULTS[FAULT].detected_by), done.stdout
    assert record["target"]["product_version"] == RELEASE
    assert record["deviations"]["judged_by"] == [RELEASE]
    assert "started beside this run" in record["deviations"]["note"]
    assert "deviation" in verdicts.values(), "the release shows something by itself"
