"""A release without a file of deviations, one defect of ours in front: with ``--twin`` just that is red, in a
check that the release passes by itself or in one that it does not.

Installs LiteLLM 1.108.0 once, with the network that this needs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_acceptance.deviations import releases
from gateway_acceptance.verdict import RED
from lab.faults import FAULTS
from lab.mutation_matrix import standing
from lab.patience import patient
from tests.live.conftest import ROOT

RELEASE = "1.108.0"
FAULTS_TRIED = ("usage-does-not-add-up", "model-entries-bare", "default-key-accepted")
"""The first two in what the release keeps; the last in API-AUTH-004, which it does not. Each breaks just
what it is detected by."""
BUDGET_S = 900


@pytest.mark.parametrize("fault", FAULTS_TRIED)
def test_exactly_the_defect_is_red(fault: str, tmp_path: Path) -> None:
    assert (RELEASE, "") not in releases("litellm"), "choose another one: this one has a file"
    with standing(ROOT, [FAULTS[fault]], RELEASE, print) as lab:
        (ill,) = [one for one in lab.environments if one.name == fault]
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
    record = json.loads((tmp_path / fault / "latest" / "record.json").read_text(encoding="utf-8"))
    verdicts = {check["id"]: check["verdict"] for check in record["checks"]}
    red = {check for check, verdict in verdicts.items() if verdict in [one.value for one in RED]}
    assert red == set(FAULTS[fault].detected_by), done.stdout
    assert record["target"]["product_version"] == RELEASE
    assert record["deviations"]["judged_by"] == [RELEASE]
    assert "started beside this run" in record["deviations"]["note"]
    assert "deviation" in verdicts.values(), "the release shows something by itself"
