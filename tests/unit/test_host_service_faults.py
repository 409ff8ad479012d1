"""The faults of the service: each check has one, and each script is a script."""

from __future__ import annotations

import re
import subprocess
from types import ModuleType

import pytest

from gateway_acceptance.check import Check
from lab.faults.host_hardening import HOST_HARDENING_FAULTS
from lab.faults.host_service import KEPT, drop_in, kept, no_drop_in, put_back
from lab.faults.host_unit import HOST_UNIT_FAULTS
from lab.faults.model import Fault
from suites.host.network import test_network
from suites.host.process import test_process
from suites.host.unit import test_hardening, test_unit

FAULTS = {fault.name: fault for fault in (*HOST_UNIT_FAULTS, *HOST_HARDENING_FAULTS)}


def checks_of(module: ModuleType) -> set[str]:
    """The ids that a module declares."""
    found = set()
    for function in vars(module).values():
        for mark in getattr(function, "pytestmark", ()):
            if mark.name == "check":
                assert isinstance(mark.args[0], Check)
                found.add(mark.args[0].id)
    return found


@pytest.mark.parametrize("module", [test_unit, test_process, test_hardening, test_network])
def test_every_check_has_a_fault(module: ModuleType) -> None:
    ids = checks_of(module)
    assert len(ids) >= 5
    assert ids <= {name for fault in FAULTS.values() for name in fault.detected_by}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_changes_something_and_takes_it_back(fault: Fault) -> None:
    assert fault.change is not None
    assert fault.change.apply or fault.change.declares
    assert bool(fault.change.apply) == bool(fault.change.revert)
    for script in (fault.change.apply, fault.change.revert):
        done = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    for pattern in fault.detected_by.values():
        re.compile(pattern)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_that_restarts_the_service_says_so(fault: Fault) -> None:
    assert fault.change is not None
    touches = re.search(
        r"systemctl (restart|start|stop|kill) .*hx-", fault.change.apply + fault.change.revert
    )
    assert bool(touches) == fault.change.restarts


def test_scripts_take_back_what_they_made() -> None:
    assert "[Service]\nA=1\nB=2\nEOF" in drop_in("A=1", "B=2")
    assert drop_in("A=1", restart=True).endswith("systemctl restart hx-litellm-gateway.service\n")
    assert "rm /run/systemd/system/" in no_drop_in()
    assert kept("/etc/a") == f"mkdir -p {KEPT}\ncp -a /etc/a {KEPT}/\n"
    assert put_back("/etc/a") == f"cp -a {KEPT}/a /etc/a\nrm {KEPT}/a\n"
