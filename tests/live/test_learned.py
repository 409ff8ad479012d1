"""Each file of deviations is what its release shows: learned again, clean, in the lab.

Installs every release that a file is kept of, once, with the network that this needs.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway_acceptance.deviations import file_name, releases
from lab.deviations import LEARN_BUDGET_S, PRODUCT, UPSTREAMS
from lab.patience import patient
from tests.live.conftest import ROOT

INSTALL_BUDGET_S = 300


LEARNED = [
    (*pair, upstream) for upstream in ("", *UPSTREAMS) for pair in releases(PRODUCT, upstream=upstream)
]


@pytest.mark.parametrize(
    ("version", "variant", "upstream"), LEARNED, ids=["-".join(filter(None, one)) for one in LEARNED]
)
def test_its_file_says_what_it_does(version: str, variant: str, upstream: str) -> None:
    learn = ["deviations", "learn", "--check", "--beside", "--version", version, "--variant", variant]
    learn += ["--upstream", upstream]
    done = subprocess.run(
        [sys.executable, "-c", "from gateway_acceptance.cli.main import main; main()", *learn],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(INSTALL_BUDGET_S + LEARN_BUDGET_S),
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{PRODUCT} {file_name(version, variant)}: as its file says" in done.stdout
