"""A sample of faults against all checks of their suite: what is red beside the named ones is declared."""

from __future__ import annotations

import os

import pytest

from lab.all_checks import run_all_checks, text
from lab.host_matrix import run_hosts_by_all
from tests.live.conftest import ROOT


def test_faults_of_gateway_and_backends() -> None:
    found = run_all_checks(ROOT, [], "", print)
    assert found.complete, text(found)


@pytest.mark.skipif(os.geteuid() != 0, reason="the lab of systemd hosts needs root")
def test_faults_of_machines() -> None:
    found = run_hosts_by_all(ROOT, [], "", print)
    assert found.complete, text(found)
