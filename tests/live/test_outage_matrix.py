"""The proof that the checks of outages can fail, and that a killed run leaves nothing taken away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import httpx

from gateway_acceptance.disruptor import OutageKind
from lab.outage_matrix import run_outage_matrix
from lab.state import lab_folder
from tests.lab.test_outages import HOLDS
from tests.live.conftest import ROOT, Lab

BACK_S = 5


def test_every_fault_of_outages_is_found_and_the_control_is_green() -> None:
    matrix = run_outage_matrix(ROOT, [], "", print)
    assert not [f"{cell.fault} x {cell.check}: {cell.reason}" for cell in matrix.undetected]
    assert not matrix.alarms
    assert not matrix.uncovered
    assert matrix.complete
    assert len(matrix.control) >= 12


def test_the_lab_is_whole_again_after_its_user_was_killed(lab: Lab) -> None:
    url = lab.environment.backend("llm-01").url
    folder = lab_folder(ROOT, lab.environment)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(folder)],
        stdin=subprocess.PIPE,  # it holds until that ends
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "away\n", OutageKind.KILL
    assert not _answers(url)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    ends = time.monotonic() + BACK_S
    while not _answers(url):
        assert time.monotonic() < ends, f"{url} was not given back"


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/version", timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
