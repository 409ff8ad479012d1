"""What the findings of machines print is run on the fault that they found: afterwards both are gone."""

from __future__ import annotations

import os

import pytest

from lab.fix_matrix import run_fixes, text
from tests.live.conftest import ROOT


@pytest.mark.skipif(os.geteuid() != 0, reason="the lab of systemd hosts needs root")
def test_every_printed_fix_fixes() -> None:
    found = run_fixes(ROOT, [], "", print)
    assert found.complete, text(found)
