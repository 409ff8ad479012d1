"""What the suite's account may not see is not said to be absent, or changed: nobody knows."""

from __future__ import annotations

import copy
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.host.collect import base, service, tree
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import CheckFailed, Inconclusive, Untestable
from suites.host.configuration import test_secrets
from suites.host.deployment import test_deployment as deployment
from suites.host.deployment import test_repository as repository
from suites.host.distributions import test_python as python
from suites.host.resources import test_resources
from suites.host.tree import test_tree
from suites.host.unit import rules as unit_rules
from suites.host.unit import test_unit
from tests.unit import host_facts_deployment as deployed
from tests.unit import host_facts_service as serving
from tests.unit import test_host_tree as trees

DENIED = "Permission denied"
NOBODY = 65534


@pytest.fixture
def another_account(tmp_path: Path) -> Iterator[Path]:
    """A folder that an account without rights may enter, and this process is that account for a while."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another account")
    above = [tmp_path, *tmp_path.parents]
    modes = {folder: folder.stat().st_mode for folder in above}
    for folder in above:
        folder.chmod(modes[folder] | 0o011)
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "file").write_text("x")
    (tmp_path / "closed").chmod(0o700)
    os.seteuid(NOBODY)
    try:
        yield tmp_path
    finally:
        os.seteuid(0)
        for folder in above:
            folder.chmod(modes[folder])


def test_a_closed_way_is_told_apart_from_one_that_ends(another_account: Path) -> None:
    assert base.hidden(str(another_account / "closed" / "file")) == DENIED
    assert base.hidden(str(another_account / "closed" / "nothing")) == DENIED
    assert base.hidden(str(another_account / "nothing")) == ""
    assert base.hidden(str(another_account)) == ""
    line = f"hx.service: Command {another_account}/closed/file is not executable: {DENIED}"
    assert service.of_what_is_hidden(line)
    assert not service.of_what_is_hidden(line.replace("/closed", ""))
    assert not service.of_what_is_hidden("hx.service: unknown lvalue")


def test_a_file_that_is_not_readable_is_not_said_to_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, "-C", str(tmp_path), *words], check=True, capture_output=True)

    git("init", "-q")
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    git("add", ".")
    git("commit", "-q", "-m", "both")
    for name in ("one", "two"):
        (tmp_path / name).write_text("another")
    found = tree.repository({"tree": str(tmp_path)})
    assert (found["dirty"], found["unread"]) == ([" M one", " M two"], [])
    monkeypatch.setattr(tree, "unreadable", lambda path: path.endswith("/two"))
    found = tree.repository({"tree": str(tmp_path)})
    assert (found["dirty"], found["unread"]) == ([" M one"], ["two"])


def of_the_deployment(section: str, where: str | None = None, **fields: Any) -> MachineFacts:
    found = copy.deepcopy(deployed.sections())
    found.setdefault("tree", {"exists": True, "hidden": ""})
    (found[section] if where is None else found[section][where]).update(fields)
    return deployed.machine_facts(deployed.declared(), found)


HIDDEN: dict[str, Any] = {"exists": False, "hidden": DENIED}


@pytest.mark.parametrize(
    ("check", "facts"),
    [
        (deployment.test_deployment_script, of_the_deployment("files", deployed.SCRIPT, **HIDDEN)),
        (deployment.test_service_scripts, of_the_deployment("files", "scripts/stop.sh", **HIDDEN)),
        (deployment.test_syntax, of_the_deployment("files", "scripts/stop.sh", **HIDDEN)),
        (deployment.test_commands_asked, of_the_deployment("files", deployed.SCRIPT, **HIDDEN)),
        (deployment.test_executed, of_the_deployment("files", "config.yaml", **HIDDEN)),
        (deployment.test_executed, of_the_deployment("python", **HIDDEN)),
        (python.test_startup, of_the_deployment("python", **HIDDEN)),
        (repository.test_remote, of_the_deployment("repository", root=None, error="x", hidden=DENIED)),
    ],
)
def test_what_is_hidden_is_not_said_to_be_absent(
    check: Callable[[MachineFacts], None], facts: MachineFacts
) -> None:
    with pytest.raises(Untestable, match=r"cannot be seen by .*Permission denied; see HOST-TREE-003"):
        check(facts)


def test_a_hidden_tree_is_none_that_is_gone() -> None:
    hidden = {"exists": False, "entries": [], "hidden": DENIED}
    facts = trees.seen(lambda found: found["tree"].update(hidden))
    for check in (test_tree.test_directories_have_mode_755, test_tree.test_links_stay_inside):
        with pytest.raises(Untestable, match=r"/opt/hx/gateway cannot be seen .*see HOST-TREE-005"):
            check(facts)


def test_a_script_that_cannot_be_read_is_not_judged_by_its_text() -> None:
    with pytest.raises(Untestable, match=r"stop\.sh cannot be read \(Permission denied\)"):
        deployment.test_syntax(of_the_deployment("files", "scripts/stop.sh", error=DENIED))


def test_what_cannot_be_compared_with_the_commit_is_untestable() -> None:
    with pytest.raises(Untestable, match=r"1 files cannot be compared with the commit, .*: config\.yaml"):
        repository.test_clean(of_the_deployment("repository", dirty=[], unread=["config.yaml"]))
    with pytest.raises(CheckFailed, match="' M other': has a change"):
        repository.test_clean(of_the_deployment("repository", dirty=[" M other"], unread=["config.yaml"]))


def test_a_program_that_cannot_be_seen_is_not_said_to_be_wrong() -> None:
    line = f"hx.service: Command /opt/hx is not executable: {DENIED}"
    with pytest.raises(Untestable, match=r"cannot see what .* starts: .*HOST-TREE-003 and HOST-TREE-005"):
        test_unit.test_valid(serving.facts(unit={**serving.unit(), "verify_unseen": [line]}))
    with pytest.raises(CheckFailed, match="not executable"):
        test_unit.test_valid(serving.facts(unit={**serving.unit(), "verify": [line], "verify_unseen": []}))


def test_a_stopped_service_was_not_started_just_now() -> None:
    stopped = serving.unit()
    stopped["properties"] |= {
        "MainPID": "0",
        "NRestarts": "0",
        "Result": "success",
        "ActiveState": "inactive",
    }

    def judged(**properties: str) -> list[Any]:
        unit = {**stopped, "properties": {**stopped["properties"], **properties}}
        return unit_rules.not_stable(unit, {"pid": 0}, serving.NOW, 60, "hx.service")

    for properties in ({}, {"NRestarts": "3"}):
        with pytest.raises(Untestable, match=r"hx\.service has no process \(see HOST-UNIT-002\)"):
            judged(**properties)
    (again,) = judged(NRestarts="3", ActiveState="activating")
    assert "3 automatic restarts, and another one under way" in again.message
    (ended,) = judged(Result="exit-code", NRestarts="3")
    assert "its last result" in ended.message
    with pytest.raises(Inconclusive):
        unit_rules.not_stable(serving.unit(), {**serving.process(), "started": serving.NOW - 5}, serving.NOW,
                              60, "hx.service")  # fmt: skip


def test_what_is_not_there_to_be_read_is_one_checks_matter() -> None:
    with pytest.raises(Untestable, match=r"no process .see HOST-UNIT-002"):
        test_secrets.test_no_secret_on_the_command_line(serving.facts(process={"pid": 0}))
    with pytest.raises(Untestable, match=r"has loaded no .*see HOST-UNIT-001"):
        test_resources.test_below_the_tree(serving.facts(unit={**serving.unit(), "exists": False}))
