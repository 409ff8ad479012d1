"""Checks of identity, tree, ownership, access, secrets and account, on facts made by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from gateway_acceptance.environment.host import Host
from gateway_acceptance.host.facts import MachineFacts, NoFacts
from gateway_acceptance.host.privileges import privileges_of
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from suites.host.configuration import test_secrets
from suites.host.network import test_reach
from suites.host.tree import test_ownership, test_tree
from suites.host.user import test_access, test_identity, test_service_user

HOST = Host(
    uri="ssh://gateway",
    name="gw",
    address="203.0.113.9",
    clock_s=1,
    unit="hx.service",
    user="hx",
    tree="/opt/hx/gateway",
    directories=("config", "scripts"),
    service_scripts=("scripts/run",),
    documentation="config",
    virtual_environment="venv",
    secrets=("/etc/hx/env",),
    development_user="dev",
    development_paths=("config",),
)


def entry(path: str, kind: str = "f", mode: str = "0644", user: str = "root", group: str = "hx") -> Any:
    return {"path": path, "kind": kind, "mode": mode, "user": user, "group": group, "size": 1, "mtime": 1.0}


def link(path: str, **more: Any) -> Any:
    return {**entry(path, "l", "0777"), "target": "/elsewhere", "broken": False, "escapes": False, **more}


HEALTHY: dict[str, Any] = {
    "clock": {"first": 100.0, "last": 101.0},
    "machine": {"name": "gw.example", "addresses": ["127.0.0.1", "203.0.113.9"], "account": "probe"},
    "tree": {
        "exists": True,
        "entries": [
            entry(".", "d", "0755"),
            entry("config", "d", "0755"),
            entry("config/config.yaml"),
            entry("scripts", "d", "0755"),
            entry("scripts/run", mode="0755"),
            entry("scripts/more.sh", mode="0755"),
            link("config/current"),
        ],
        "ancestors": [entry("/", "d", "0755", group="root"), entry("/opt", "d", "0755", group="root")],
        "unreadable": [],
        "bytes": 10,
        "cut": False,
        "environment": {"files": 3, "directories": 1, "bytes": 9, "offenders": [], "offenders_total": 0},
    },
    "secrets": [
        {
            "path": "/etc/hx/env",
            "exists": True,
            "entry": entry("/etc/hx/env", mode="0600", group="root"),
            "parent": entry("/etc/hx", "d", "0755", group="root"),
        }
    ],
    "access": {
        "missing": {},
        **{
            name: []
            for name in ("unreadable", "unsearchable", "writable", "secrets_readable", "secrets_writable")
        },
    },
    "settings": {"names": ["LITELLM_MASTER_KEY"], "values": {}, "default_key": False},
    "literals": {
        "found": [{"path": "scripts/run", "line": 3, "what": "a known default key", "mode": "0755"}],
        "scanned": 3,
        "unread": [],
    },
    "unit": {
        "exists": True,
        "files": [{"path": "/etc/systemd/system/hx.service", "text": "[Service]\nUser=hx", "readable": True}],
    },
    "process": {"pid": 7, "cmdline": ["/venv/bin/litellm", "--port", "4000"]},
    "account": {
        "entry": {"name": "hx", "uid": 998, "gid": 998, "home": "/nonexistent", "shell": "/usr/sbin/nologin"},
        "primary": "hx",
        "groups": ["hx"],
        "processes": [{"pid": 7, "user": "hx", "comm": "litellm", "unit": "hx.service"}],
        "sys_uid_max": 999,
        "missing": {},
        "password": "locked",
        "sudo": [],
        "keys": [],
    },
}


def seen(change: Callable[[dict[str, Any]], object] | None = None, declared: Host = HOST) -> MachineFacts:
    sections = copy.deepcopy(HEALTHY)
    if change is not None:
        change(sections)
    wrapped = {
        name: value if "missing" in value and "needs" in value else {"value": value}
        for name, value in sections.items()
    }
    return MachineFacts("gateway", declared, wrapped, privileges_of(declared), 100.0, 101.0, "probe")


CHECKS = {
    function.__name__: function
    for module in (test_identity, test_tree, test_ownership, test_access, test_secrets, test_service_user)
    for name, function in vars(module).items()
    if name.startswith("test_")
}


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_healthy_machine_passes(name: str) -> None:
    CHECKS[name](seen())


def put(place: str, value: Any) -> Callable[[dict[str, Any]], object]:
    """Set the value at ``section.key.key``."""

    def change(sections: dict[str, Any]) -> None:
        *way, last = place.split(".")
        target: Any = sections
        for key in way:
            target = target[int(key)] if key.isdigit() else target[key]
        target[last] = value

    return change


def add(item: Any) -> Callable[[dict[str, Any]], object]:
    return lambda sections: sections["tree"]["entries"].append(item)


def without(path: str) -> Callable[[dict[str, Any]], object]:
    def change(sections: dict[str, Any]) -> None:
        kept = [item for item in sections["tree"]["entries"] if item["path"] != path]
        sections["tree"]["entries"] = kept

    return change


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("test_owns_its_address", put("machine.addresses", ["127.0.0.1"]), "does not own 203.0.113.9"),
        ("test_has_its_name", put("machine.name", "other.example"), "calls itself other.example"),
        ("test_clock_is_right", put("clock", {"first": 103.5, "last": 104.0}), "at least 3.0 s ahead"),
        ("test_clock_is_right", put("clock", {"first": 90.0, "last": 91.0}), "at least 10.0 s behind"),
        ("test_directories_are_there", without("scripts"), "the directory scripts is missing"),
        ("test_no_other_directories", add(entry("old", "d", "0755")), "old is not declared"),
        (
            "test_directories_have_mode_755",
            add(entry("old", "d", "0644")),
            "old has mode 0644, expected 0755",
        ),
        (
            "test_directories_have_mode_755",
            put("tree.exists", False),
            "there is no directory /opt/hx/gateway",
        ),
        ("test_links_stay_inside", add(link("a", broken=True)), "a is a broken link to /elsewhere"),
        ("test_links_stay_inside", add(link("a", escapes=True)), "a leads out of /opt/hx/gateway"),
        ("test_way_to_the_tree", put("tree.ancestors", [entry("/opt", "d", "0775")]), "others may write it"),
        (
            "test_way_to_the_tree",
            put("tree.ancestors", [entry("/opt", "d", "0755", "dev")]),
            "belongs to dev",
        ),
        ("test_way_to_the_tree", put("tree.ancestors", [entry("/opt", "d", "0750")]), "others cannot pass"),
        ("test_documentation_is_there", without("config/config.yaml"), "there is no file below config"),
        ("test_no_special_files", add(entry("pipe", "o")), "pipe is a pipe, socket or device"),
        ("test_owner_and_group", add(entry("x", user="dev")), "x belongs to dev:hx, expected root:hx"),
        ("test_files_have_mode_644", add(entry("x", mode="0600")), "x has mode 0600, expected 0644"),
        ("test_scripts_have_mode_755", add(entry("x.sh")), "x.sh has mode 0644, expected 0755"),
        ("test_nothing_writable_by_others", add(entry("x", mode="0666")), "x has mode 0666"),
        ("test_no_special_bits", add(entry("x", mode="4755")), "x has mode 4755"),
        (
            "test_nothing_writable_by_others",
            add(entry("$(x)", mode="0666")),
            r"fix: sudo chmod go-w '/opt/\S+/\$\(x\)'",
        ),
        ("test_owners_are_accounts", add(entry("x", user="4242")), "belongs to 4242:hx, which no account is"),
        ("test_no_development_ownership", add(entry("config/x", user="dev")), "dev owns 1 entries"),
        ("test_no_development_ownership", add(entry("x", user="dev")), "more than the development paths: x"),
        (
            "test_virtual_environment_is_roots",
            put("tree.environment", {"offenders": [entry("venv/x", mode="0666")], "offenders_total": 3}),
            "venv/x is root:hx 0666.*\n.*3 entries offend",
        ),
        ("test_can_read", put("access.unreadable", ["/opt/hx/gateway/x"]), "hx cannot read"),
        ("test_can_enter", put("access.unsearchable", ["/opt/hx/gateway/x"]), "hx cannot enter"),
        ("test_cannot_write", put("access.writable", ["/opt/hx/gateway/x"]), "hx can write"),
        ("test_cannot_read_secrets", put("access.secrets_readable", ["/etc/hx/env"]), "hx can read"),
        ("test_cannot_write_secrets", put("access.secrets_writable", ["/etc/hx/env"]), "hx can write"),
        ("test_files_are_there", put("secrets.0.exists", False), "/etc/hx/env is missing"),
        ("test_files_are_there", put("secrets.0.entry", entry("/etc/hx/env", "d")), "is no plain file"),
        ("test_root_alone_reads", put("secrets.0.entry.mode", "0640"), "0640, expected root:root 0600"),
        ("test_root_alone_reads", put("secrets.0.entry.user", "hx"), "hx:root 0600, expected"),
        ("test_directories_are_roots", put("secrets.0.parent.mode", "0777"), "others may write it"),
        ("test_directories_are_roots", put("secrets.0.parent.user", "hx"), "belongs to hx, expected root"),
        ("test_no_default_key", put("settings.default_key", True), "known to the world"),
        (
            "test_no_literal_secret",
            put("literals.found.0.path", "config/config.yaml"),
            "holds a known default key",
        ),
        ("test_no_literal_secret", put("literals.found.0.what", "a key"), "scripts/run line 3 holds a key"),
        (
            "test_no_secret_in_the_unit",
            put("unit.files.0.text", "Environment=API_KEY=<hidden>"),
            "hx.service holds a secret: Environment=API_KEY=<hidden>",
        ),
        (
            "test_no_secret_on_the_command_line",
            put("process.cmdline", ["x", "<secret of 20 characters>"]),
            "shows a secret: <secret of 20",
        ),
        ("test_is_a_system_account", put("account.entry.uid", 1000), "has the uid 1000"),
        ("test_is_a_system_account", put("account.entry.uid", 0), "has the uid 0"),
        ("test_is_a_system_account", put("account.entry", None), "has no account hx"),
        ("test_has_no_shell", put("account.entry.shell", "/bin/sh"), "has the shell /bin/sh"),
        ("test_has_no_password", put("account.password", "none"), "an empty password"),
        ("test_has_no_password", put("account.password", "set"), "has a password"),
        ("test_has_no_sudo_rule", put("account.sudo", ["(ALL) ALL"]), r"may run by sudo: \(ALL\) ALL"),
        ("test_has_no_authorized_keys", put("account.keys", ["/x/authorized_keys"]), "there is /x/auth"),
        ("test_is_in_declared_groups_only", put("account.groups", ["hx", "adm"]), "is in the group adm"),
        ("test_is_in_declared_groups_only", put("account.primary", "users"), "primary group of hx is users"),
        (
            "test_nothing_else_runs_as_it",
            put("account.processes", [{"pid": 9, "user": "hx", "comm": "sh", "unit": ""}]),
            r"sh \(pid 9, in no unit\) runs as hx outside hx.service",
        ),
    ],
)
def test_what_is_wrong_is_said(name: str, change: Callable[[dict[str, Any]], object], said: str) -> None:
    with pytest.raises(CheckFailed, match=said):
        CHECKS[name](seen(change))


@pytest.mark.parametrize("name", ["test_owner_and_group", "test_links_stay_inside", "test_no_literal_secret"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (put("tree.unreadable", ["logs: Permission denied"]), "cannot be seen .logs"),
        (put("tree.exists", False), "there is no directory"),
        (put("tree.cut", True), "too many entries"),
    ],
)
def test_what_was_not_seen_cannot_be_right(name: str, change: Callable[..., object], why: str) -> None:
    with pytest.raises(Untestable, match=why):
        CHECKS[name](seen(change))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("test_has_no_password", "password"),
        ("test_has_no_sudo_rule", "sudo"),
        ("test_has_no_authorized_keys", "keys"),
    ],
)
def test_without_the_right_it_is_untestable_and_names_the_rule(name: str, part: str) -> None:
    missing = put(f"account.missing.{part}", {"why": "sudo refuses it", "needs": part})
    with pytest.raises(Untestable, match=r"allow it there with the sudo rule: probe ALL=\(root\) NOPASSWD"):
        CHECKS[name](seen(missing))


def test_what_is_not_declared_is_not_judged() -> None:
    little = Host(uri="ssh://gateway", unit="hx.service", user="hx", tree="/opt/hx/gateway")
    for name in (
        "test_owns_its_address", "test_has_its_name", "test_directories_are_there",
        "test_no_other_directories", "test_documentation_is_there", "test_no_development_ownership",
        "test_virtual_environment_is_roots",
        "test_cannot_read_secrets", "test_cannot_write_secrets", "test_files_are_there",
    ):  # fmt: skip
        with pytest.raises(NotApplicable):
            CHECKS[name](seen(declared=little))


def test_a_machine_that_cannot_be_looked_at_fails_one_check() -> None:
    class Unreachable:
        @staticmethod
        def facts(name: str) -> MachineFacts:
            raise NoFacts(f"no route to {name}", "plug it in")

    class Target:
        machines = Unreachable()

    with pytest.raises(CheckFailed, match="gateway: no route to gateway; plug it in"):
        test_reach.test_facts_can_be_collected(Target(), "gateway")  # type: ignore[arg-type]


STRICT = HOST.model_copy(
    update={
        "owner_group": "root",
        "file_mode": "0640",
        "directory_mode": "0750",
        "script_mode": "0750",
    }
)
OF_THE_TREE = (
    test_tree.test_directories_have_mode_755,
    test_ownership.test_owner_and_group,
    test_ownership.test_files_have_mode_644,
    test_ownership.test_scripts_have_mode_755,
)


def tree_of(declared: Host, group: str, file_mode: str, directory_mode: str) -> MachineFacts:
    facts = copy.deepcopy(HEALTHY)
    for one in facts["tree"]["entries"]:
        one["group"] = group
        if one["kind"] != "l":
            runs = one["kind"] == "d" or one["path"].startswith("scripts/")
            one["mode"] = directory_mode if runs else file_mode
    sections = {name: {"value": value} for name, value in facts.items()}
    return MachineFacts("gateway", declared, sections, privileges_of(declared), 100.0, 101.0, "probe")


@pytest.mark.parametrize("judge", OF_THE_TREE)
def test_a_tree_is_as_it_is_declared(judge: Callable[[MachineFacts], None]) -> None:
    judge(tree_of(STRICT, "root", "0640", "0750"))
    judge(tree_of(HOST, "hx", "0644", "0755"))
    with pytest.raises(CheckFailed, match="fix: sudo"):
        judge(tree_of(HOST, "root", "0640", "0750"))
    with pytest.raises(CheckFailed, match="fix: sudo"):
        judge(tree_of(STRICT, "hx", "0644", "0755"))


@pytest.mark.parametrize(
    "wider",
    [
        {"file_mode": "0664"},
        {"file_mode": "0755"},
        {"file_mode": "644"},
        {"directory_mode": "0775"},
        {"directory_mode": "0644"},
        {"script_mode": "4755"},
    ],
)
def test_nothing_wider_can_be_declared(wider: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="with no right beyond"):
        Host.model_validate({**HOST.model_dump(), **wider})


def test_the_service_does_not_own_what_it_runs() -> None:
    with pytest.raises(ValueError, match=r"host\.owner hx is the service's own account"):
        Host.model_validate({**HOST.model_dump(), "owner": "hx"})
