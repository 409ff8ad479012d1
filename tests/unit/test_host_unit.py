"""The rules of units, on facts made by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, Inconclusive, Untestable
from suites.host.unit import rules as unit_rules
from suites.host.unit import test_unit as checks
from suites.host.user.facts import Assignment, assignments, last, merged, started_argv
from tests.unit.host_facts_service import ARGV, FRAGMENT, NOW, STARTED, declared, facts, process, unit

CHECKS: dict[str, Callable[[MachineFacts], None]] = {
    name: function
    for name, function in vars(checks).items()
    if name.startswith("test_") and callable(function)
}


def with_property(name: str, value: str) -> dict[str, Any]:
    made = unit()
    made["properties"][name] = value
    return made


def with_drop_in(text: str) -> dict[str, Any]:
    made = unit()
    path = f"{FRAGMENT}.d/fault.conf"
    entry = {**made["files"][0]["entry"], "path": path}
    made["files"].append({"path": path, "text": text, "entry": entry, "readable": True})
    return made


def spoilt(**keys: Any) -> dict[str, Any]:
    return {**unit(), **keys}


def with_entry(**keys: Any) -> dict[str, Any]:
    made = unit()
    made["files"][0]["entry"] |= keys
    return made


@pytest.mark.parametrize("name", CHECKS)
def test_a_healthy_unit_is_green(name: str) -> None:
    CHECKS[name](facts())


GONE = spoilt(exists=False, properties={"LoadState": "not-found"})


@pytest.mark.parametrize("name", sorted(CHECKS.keys() - {"test_installed", "test_active"}))
def test_without_a_unit_one_check_says_so(name: str) -> None:
    with pytest.raises(Untestable, match=r"has loaded no hx\.service \(see HOST-UNIT-001\)"):
        CHECKS[name](facts(unit=GONE))


@pytest.mark.parametrize(
    ("name", "made", "said"),
    [
        ("test_installed", GONE, "has LoadState not-found, expected loaded"),
        (
            "test_installed",
            with_property("FragmentPath", "/run/systemd/transient/hx.service"),
            "outlives a boot",
        ),
        ("test_active", with_property("ActiveState", "failed"), r"has failed \(running, success\)"),
        ("test_active", with_property("SubState", "auto-restart"), r"active \(auto-restart"),
        (
            "test_enabled",
            spoilt(enabled="disabled"),
            "has disabled, expected enabled; fix: sudo systemctl enable",
        ),
        ("test_enabled", spoilt(enabled="static"), "has static, and no unit starts it, expected enabled"),
        ("test_stable", with_property("MainPID", "29"), "has 29, then 30"),
        ("test_stable", with_property("Result", "exit-code"), "last result: has exit-code"),
        ("test_valid", spoilt(verify=["hx.service:3: Unknown key"]), "Unknown key"),
        ("test_reloaded", with_property("NeedDaemonReload", "yes"), "edited and not reloaded.*daemon-reload"),
        ("test_restarted", with_entry(mtime=STARTED + 9), "a change 9 s after the process's start"),
        (
            "test_command",
            with_property("ExecStart", "{ argv[]=/usr/bin/litellm --config=x ; }"),
            r"program: has /usr/bin/litellm[\s\S]*expected the configuration",
        ),
        ("test_command", with_property("ExecStart", ""), "ExecStart: has nothing"),
        (
            "test_working_directory",
            with_property("WorkingDirectory", "/"),
            "WorkingDirectory: has /, expected /opt",
        ),
        ("test_user", with_property("User", ""), r"User: has no User \(root\), expected hx"),
        ("test_user", with_property("Group", "adm"), "Group: has adm, expected hx"),
        (
            "test_restart_policy",
            with_property("Restart", "on-abort"),
            "has on-abort, expected on-failure or always",
        ),
        ("test_dependencies", with_property("After", "basic.target"), r"add After=network-online\.target"),
        ("test_dependencies", with_property("Wants", ""), r"add Wants=network-online\.target"),
        (
            "test_drop_ins",
            with_drop_in("[Service]\nUser=root"),
            "fault.conf: User: has 'root', expected 'hx'",
        ),
        (
            "test_drop_ins",
            with_drop_in("[Service]\nProtectSystem=full"),
            "has 'full', expected 'strict'; fix: sudo rm",
        ),
        (
            "test_drop_ins",
            with_drop_in("[Service]\nSystemCallFilter=@mount"),
            "SystemCallFilter: has '@service",
        ),
        ("test_drop_ins", with_drop_in("[Service]\nExecStart=\nExecStart=/bin/x"), "ExecStart: has '/bin/x'"),
        ("test_unit_files_are_roots", with_entry(user="agent0"), "has owner agent0, expected root"),
        ("test_unit_files_are_roots", with_entry(mode="0664"), "has mode 0664, expected 0644"),
        (
            "test_no_secret_in_the_unit",
            with_drop_in("[Service]\nEnvironment=KEY=<hidden>"),
            "Environment: has KEY=",
        ),
    ],
)
def test_what_is_wrong_is_told(name: str, made: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckFailed, match=said):
        CHECKS[name](facts(unit=made))


@pytest.mark.parametrize(
    "text",
    [
        "[Service]\nEnvironment=OLLAMA_HOST=0.0.0.0",
        "[Service]\nProtectSystem=strict",
        "[Service]\n# ProtectSystem=no",
        "[Service]\nMemoryMax=1G",
        "[Service]\nSystemCallFilter=\nSystemCallFilter=@service\nSystemCallFilter=~@privileged",
    ],
)
def test_drop_ins_that_undo_nothing(text: str) -> None:
    checks.test_drop_ins(facts(unit=with_drop_in(text)))


def test_a_drop_in_that_makes_it_as_declared_is_welcome() -> None:
    made = with_drop_in("[Service]\nPrivateTmp=true")
    with pytest.raises(CheckFailed, match="PrivateTmp"):
        checks.test_drop_ins(facts(unit=made))
    checks.test_drop_ins(facts(declared(hardening={"PrivateTmp": "yes"}), unit=made))


def stable(age: float, restarts: int) -> list[Problem]:
    made = with_property("NRestarts", str(restarts))
    return unit_rules.not_stable(made, {**process(), "started": NOW - age}, NOW, 60, "hx.service")


def test_stability_is_a_matter_of_the_window() -> None:
    assert stable(age=61, restarts=3) == []
    assert "3 automatic restarts, the last 5 s ago" in str(stable(age=5, restarts=3)[0])
    with pytest.raises(Inconclusive, match="was started 5 s ago and has not restarted"):
        stable(age=5, restarts=0)


def test_a_stopped_service_is_not_stable() -> None:
    assert unit_rules.not_stable(unit(), {"pid": 0}, NOW, 60, "hx.service") != []


def test_a_configuration_that_is_newer_than_the_process() -> None:
    changed = {"config/config.yaml": {"entry": {"path": "config/config.yaml", "mtime": STARTED + 60}}}
    with pytest.raises(CheckFailed, match=r"config\.yaml, changed and not restarted"):
        checks.test_restarted(facts(files=changed))


def test_a_configuration_may_be_named_relative_to_the_working_directory() -> None:
    host = declared(configuration="work/config.yaml")
    for word in ("--config config.yaml", "--config=./config.yaml"):
        made = with_property("ExecStart", f"{{ argv[]={ARGV.split()[0]} {word} ; }}")
        assert unit_rules.other_command(made, host) == []


def test_a_unit_file_that_may_not_be_read_is_untestable() -> None:
    made = unit()
    made["files"][0] |= {"readable": False, "text": "", "error": "Permission denied"}
    with pytest.raises(Untestable, match=r"Permission denied.*chmod a\+r /etc/systemd/system/hx\.service"):
        checks.test_drop_ins(facts(unit=made))


def test_assignments_add_up_as_in_systemd() -> None:
    lines = [Assignment("f", "L", value) for value in ("a b", "", "c", "~d e")]
    assert merged(lines, "L") == "c ~d ~e"
    assert last(lines, "L") == "~d e"
    assert last([], "L") == ""
    assert [line.name for line in assignments(unit())][:2] == ["After", "User"]
    assert started_argv(unit()) == ARGV.split()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("EnvironmentFile=/etc/hx/hx.env", []),
        ("EnvironmentFile=-/etc/default/more", ["/etc/default/more"]),
        ("EnvironmentFile=/etc/default/more\nEnvironmentFile=\nEnvironmentFile=/etc/hx/hx.env", []),
        ("LoadCredential=key:/root/key", ["/root/key"]),
        ("LoadCredential=key", ["key"]),
    ],
)
def test_files_of_variables_that_nobody_declared(text: str, seen: list[str]) -> None:
    made = {"files": [{"path": "/etc/hx.service", "text": text, "readable": True}]}
    problems = unit_rules.undeclared_files(made, ["/etc/hx/hx.env"], "hx.service")
    assert len(problems) == len(seen)
    for problem, path in zip(problems, seen, strict=True):
        assert f"has {path}, expected /etc/hx/hx.env" in problem.message


@pytest.mark.parametrize(
    ("path", "fix"),
    [
        ("/etc/systemd/system/hx.service", r"sudo systemctl restart hx\.service$"),
        (
            "/etc/systemd/system/hx.service.d/x.conf",
            r"decide .*if not: sudo rm /etc/.*x\.conf && sudo systemctl d",
        ),
        ("/etc/systemd/system.control/hx.service.d/50-CPUQuota.conf", "if not: sudo systemctl revert hx"),
    ],
)
def test_a_changed_drop_in_is_not_put_in_force_unseen(path: str, fix: str) -> None:
    (problem,) = unit_rules.not_restarted([{"path": path, "mtime": 90.0}], 10.0, "hx.service")
    assert re.search(fix, problem.message)


def test_a_program_that_cannot_be_executed_may_lie_on_a_noexec_mount() -> None:
    line = "hx.service: Command /opt/hx/venv/bin/litellm is not executable: Permission denied"
    found = unit_rules.fix_of_verify(line)
    assert "findmnt -no TARGET,OPTIONS -T /opt/hx/venv/bin/litellm" in found
    assert unit_rules.fix_of_verify("hx.service:3: Unknown key name") == "correct the line"
