"""No check of a host passes on what the lab's machine really lacks. The counterpart of test_host_absence.py,
whose facts are written by hand: one machine, taken apart and put together again; every check judges each
look.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gateway_acceptance.environment import load_environment
from gateway_acceptance.host.facts import NoFacts
from gateway_acceptance.host.privileges import privileges_in
from gateway_acceptance.host.snapshot import take_snapshot
from gateway_acceptance.plugin.outcome import outcome_of, unless_vacuous
from gateway_acceptance.subjects import SUBJECTS
from gateway_acceptance.verdict import Verdict
from lab.deployment import TREE, UNIT, USER
from lab.hosts.machine import Leader, leader_of
from lab.hosts.provider import PROVIDER
from lab.state import lab_folder, stop
from tests.live.conftest import ROOT
from tests.unit.host_absent import Asked, Watched, asked_of, host_checks

ENVIRONMENT = load_environment("lab", ROOT, {})
GATEWAY, BACKEND, GROUP = "gateway", "llm-01", "hx-chat"
SCRIPT_BUDGET_S = 60
SECRETS = "/etc/hx-gateway/hx-litellm-gateway.env"
RULES = "/etc/sudoers.d/gateway-acceptance"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the lab of systemd hosts needs root")


@dataclass(frozen=True)
class Absence:
    """apply, revert: scripts of root; gone: the sections that then tell of nothing; empty for those that are
    missing in the look."""

    apply: str
    revert: str
    gone: Collection[str] = ()


def without(pattern: str) -> Absence:
    """The sudo rules that name this are gone."""
    return Absence(
        f"cp -a {RULES} /root/rules; grep -v '{pattern}' /root/rules > {RULES}; chmod 440 {RULES}",
        f"mv /root/rules {RULES}",
    )


def instead(program: str, text: str) -> Absence:
    """A program that says this and nothing else."""
    return Absence(
        f"mv {program} {program}.gone; printf '{text}' > {program}; chmod 755 {program}",
        f"mv {program}.gone {program}",
    )


STOPPED = f"systemctl stop {UNIT}"
STARTED = f"systemctl start {UNIT}"
IN_THE_TREE = ("tree", "files", "literals", "repository", "python")
ABSENT: Mapping[str, Absence] = {
    "the unit": Absence(
        f"{STOPPED}; mv /etc/systemd/system/{UNIT} /root/; systemctl daemon-reload",
        f"mv /root/{UNIT} /etc/systemd/system/; systemctl daemon-reload; {STARTED}",
        ("unit", "process"),
    ),
    "the process": Absence(STOPPED, STARTED, ("process",)),
    "the tree": Absence(f"mv {TREE} /root/tree", f"mv /root/tree {TREE}", IN_THE_TREE),
    "all of the tree": Absence(
        f"mv {TREE} /root/tree; mkdir {TREE}",
        f"rmdir {TREE}; mv /root/tree {TREE}",
        [section for section in IN_THE_TREE if section != "repository"],  # it begins above the tree
    ),
    "the secrets": Absence(
        f"mv {SECRETS} /root/secrets", f"mv /root/secrets {SECRETS}", ("secrets", "settings")
    ),
    "every socket": replace(instead("/usr/bin/ss", "#!/bin/sh\\n"), gone=("sockets",)),
    "the service's account": Absence(
        f"{STOPPED}; cp -a /etc/passwd /root/; sed -i '/^{USER}:/d' /etc/passwd",
        f"mv /root/passwd /etc/passwd; {STARTED}",
        ("account", "process"),
    ),
    "a journal that may be read": without("journalctl"),
    "find": replace(without("/usr/bin/find"), gone=("access",)),  # each of its parts is missing by itself
    "every right": Absence(f"mv {RULES} /root/rules", f"mv /root/rules {RULES}"),
}
CUT_OFF = instead("/usr/bin/python3", '#!/bin/sh\\necho "<<<facts eJyrVkrOyS9N"\\n')


@pytest.fixture(scope="module")
def gateway() -> Iterator[Leader]:
    state = PROVIDER.start(ENVIRONMENT, "", ROOT, print, owner=os.getpid())
    try:
        yield leader_of(lab_folder(ROOT, ENVIRONMENT), GATEWAY)
    finally:
        stop(state)


def run(gateway: Leader, script: str) -> None:
    done = gateway.run(script, timeout=SCRIPT_BUDGET_S)
    assert done.returncode == 0, done.stderr


def facts(name: str, sections: Mapping[str, Any]) -> Watched:
    machine = ENVIRONMENT.machines[name]
    return Watched(name, machine, sections, privileges_in(ENVIRONMENT, machine), account="hx-probe")


def verdicts(sections: Mapping[str, Any], backend: Mapping[str, Any]) -> dict[str, tuple[Verdict, set[str]]]:
    """What becomes of every check, and the sections that it read of the gateway's machine: a backend's are
    whole all the time."""
    found = {}
    for check, function in host_checks():
        SUBJECTS.begin()
        seen = facts(GATEWAY, sections)
        given = {"environment": ENVIRONMENT, "backend_name": BACKEND, "group": GROUP}
        error: BaseException | None = None
        try:
            asked_of(function, seen, facts(BACKEND, backend), otherwise=given)
        except Asked as raised:
            error = raised.__cause__
        found[check.id] = (unless_vacuous(outcome_of(error, "call"), SUBJECTS, []).verdict, seen.read)
    return found


@as_root
def test_no_check_passes_on_what_the_machine_lacks(gateway: Leader) -> None:
    backend = take_snapshot(ENVIRONMENT, BACKEND).sections
    healthy = verdicts(take_snapshot(ENVIRONMENT, GATEWAY).sections, backend)
    passed = {name for name, (verdict, _) in healthy.items() if verdict is Verdict.PASSED}
    assert len(passed) > 0.75 * len(healthy), "else what follows would hold for want of a machine"
    wrong = []
    for what, absence in ABSENT.items():
        try:
            run(gateway, absence.apply)
            sections = take_snapshot(ENVIRONMENT, GATEWAY).sections
        finally:
            run(gateway, absence.revert)
        gone = set(absence.gone) or {name for name, found in sections.items() if "value" not in found}
        assert gone, f"{what}: nothing is missing in the look"
        found = verdicts(sections, backend)
        concerned = {name: verdict for name, (verdict, read) in found.items() if read & gone}
        assert set(concerned) & passed, f"{what}: no check looks at {gone}"
        bad = (Verdict.PASSED, Verdict.HARNESS_ERROR)
        wrong += [f"{what}: {name} {verdict}" for name, verdict in concerned.items() if verdict in bad]
    assert wrong == []


@as_root
def test_a_look_that_is_cut_off_is_none(gateway: Leader) -> None:
    try:
        run(gateway, CUT_OFF.apply)
        with pytest.raises(NoFacts):
            take_snapshot(ENVIRONMENT, GATEWAY)
    finally:
        run(gateway, CUT_OFF.revert)
    assert take_snapshot(ENVIRONMENT, GATEWAY).sections
