"""Directives as declared, as loaded and as lived, on facts made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from suites.host.unit import test_hardening as checks
from suites.host.unit.directives import calls_beyond, same
from suites.host.unit.live_directives import CAPABILITIES, LIMITS, TRACES, live
from tests.unit.host_facts_service import TREE, declared, facts, mount, process, unit

ALL_CAPABILITIES = f"{(1 << len(CAPABILITIES)) - 1:016x}"


def hardened(name: str, value: str, **sections: Any) -> MachineFacts:
    return facts(declared(hardening={name: value}), **sections)


def status(**keys: str) -> dict[str, Any]:
    return {**process(), "status": {**process()["status"], **keys}}


def mounts(*own: dict[str, Any]) -> dict[str, Any]:
    """A process whose view is the machine's, but for some mounts."""
    machine = [
        mount("/", "rw"), mount("/proc", "rw", kind="proc"), mount("/sys", "rw", kind="sysfs"),
        mount("/dev", "rw", kind="devtmpfs"), mount("/tmp", "rw", kind="tmpfs"),
    ]  # fmt: skip
    return {**process(), "mounts": [*machine, *own]}


def test_where_only_processes_are_in_proc_its_settings_cannot_be_written() -> None:
    """ProcSubset=pid: there is no /proc/sys at all, so nothing is mounted over it."""
    own = {**mount("/proc", "rw", kind="proc"), "super": ["rw", "hidepid=invisible", "subset=pid"]}
    seen = mounts(own, mount("/sys", "ro", kind="sysfs"))
    checks.test_in_force((hardened("ProtectKernelTunables", "yes", process=seen), "ProtectKernelTunables"))


def shared(kind: str) -> dict[str, Any]:
    """A process in a namespace of pid 1."""
    links = process()["links"]
    return {**process(), "links": {**links, f"ns/{kind}": links["init"][f"ns/{kind}"]}}


HEALTHY = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "SystemCallFilter": "@service",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "true",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectControlGroups": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "PrivateNetwork": "yes",
    "PrivateUsers": "yes",
    "PrivateIPC": "yes",
    "PrivateMounts": "yes",
    "ProtectProc": "invisible",
    "UMask": "0027",
    "LimitNOFILE": "1024:16384",
    "LimitCORE": "infinity",
    "MemoryMax": "2G",
    "TasksMax": "256",
    "ReadOnlyPaths": "-/usr /etc",
    "ReadWritePaths": f"{TREE}/logs",
    "User": "hx",
    "Group": "hx",
    "SupplementaryGroups": "",
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_process_lives_by_it(name: str) -> None:
    checks.test_in_force((hardened(name, HEALTHY[name]), name))


@pytest.mark.parametrize(
    ("name", "wanted", "made", "said"),
    [
        ("NoNewPrivileges", "yes", status(NoNewPrivs="0"), "has NoNewPrivs 0, expected NoNewPrivs 1"),
        ("SystemCallFilter", "@service", status(Seccomp="0"), "has Seccomp 0, expected Seccomp 2"),
        ("RestrictNamespaces", "yes", status(Seccomp="0"), "has Seccomp 0"),
        (
            "RestrictRealtime",
            "yes",
            status(Seccomp_filters="1"),
            "has 1 filters of system calls, as pid 1 has",
        ),
        (
            "CapabilityBoundingSet",
            "CAP_CHOWN",
            status(CapBnd="0000000000000003"),
            "CapBnd with dac_override,",
        ),
        ("CapabilityBoundingSet", "~CAP_CHOWN", status(CapBnd="0000000000000003"), "CapBnd with chown,"),
        ("CapabilityBoundingSet", "", status(CapBnd="ffffffffffffffff"), "unnamed ones"),
        ("AmbientCapabilities", "", status(CapAmb="0000000000000400"), "net_bind_service"),
        ("ProtectKernelModules", "yes", status(CapBnd=ALL_CAPABILITIES), "CapBnd with sys_module"),
        ("ProtectKernelLogs", "yes", status(CapBnd=ALL_CAPABILITIES), "CapBnd with syslog"),
        ("ProtectClock", "yes", status(CapBnd=ALL_CAPABILITIES), "CapBnd with sys_time wake_alarm"),
        ("ProtectSystem", "strict", mounts(mount("/usr", "ro")), "has / writable.*\n.*has /etc writable"),
        ("ProtectSystem", "full", mounts(mount("/usr", "ro")), "has /etc writable"),
        ("ProtectSystem", "yes", mounts(), "has /usr writable"),
        ("ProtectHome", "yes", mounts(), "as everybody sees them, expected hidden"),
        ("ProtectHome", "read-only", mounts(mount("/home", "ro")), "has /root writable"),
        ("PrivateTmp", "yes", mounts(), r"has /tmp of the machine.*\n.*has /var/tmp of the machine"),
        ("PrivateDevices", "yes", mounts(), "has /dev of the machine"),
        ("ProtectKernelTunables", "yes", mounts(), "has /proc/sys writable"),
        ("ProtectControlGroups", "yes", mounts(), "has /sys/fs/cgroup writable"),
        ("ProtectHostname", "yes", shared("uts"), r"the machine's own uts:\[0\]"),
        ("PrivateNetwork", "yes", shared("net"), "expected a net namespace of its own"),
        ("ProtectProc", "invisible", mounts(), "has /proc with rw, expected hidepid=invisible"),
        ("ProcSubset", "pid", mounts(), "expected subset=pid"),
        ("UMask", "0077", process(), "has Umask 0027, expected 0077"),
        ("LimitNOFILE", "65536", process(), "has Max open files 16384, expected 65536"),
        ("LimitCORE", "0", process(), "has Max core file size unlimited, expected 0"),
        ("MemoryMax", "1G", process(), "has memory limit 2147483648, expected 1G"),
        ("TasksMax", "infinity", process(), "has pids limit 256"),
        ("ReadOnlyPaths", f"{TREE}/logs", process(), "logs writable, expected mounted read-only"),
        ("ReadWritePaths", f"{TREE}/config", process(), "config read-only, expected writable"),
        ("User", "hx", status(Uid="0\t0\t0\t0"), r"has uids 0 0 0 0, expected 999 \(hx\)"),
        ("Group", "adm", process(), "has group hx, expected adm"),
        ("SupplementaryGroups", "video", process(), "expected video too"),
    ],
)
def test_what_the_process_does_not_live_by(name: str, wanted: str, made: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckFailed, match=said):
        checks.test_in_force((hardened(name, wanted, process=made), name))


@pytest.mark.parametrize(
    ("name", "value"),
    [("RemoveIPC", "yes"), ("KeyringMode", "private"), ("ProtectHome", "no"), ("ProtectProc", "default"),
     ("ProcSubset", "all")],
)  # fmt: skip
def test_what_leaves_no_trace_is_not_applicable(name: str, value: str) -> None:
    with pytest.raises(NotApplicable, match="leaves no trace in /proc"):
        checks.test_in_force((hardened(name, value), name))


def test_every_trace_is_tried_above() -> None:
    filters = {name for name, predicate in TRACES.items() if predicate is TRACES["SystemCallFilter"]}
    assert TRACES.keys() - filters - LIMITS.keys() - HEALTHY.keys() == {"ProcSubset"}


@pytest.mark.parametrize(("part", "name"), [("mounts", "ProtectSystem"), ("links", "ProtectHostname")])
def test_what_sudo_refuses_is_untestable(part: str, name: str) -> None:
    needs = {"mounts": "mountinfo", "links": "links"}[part]
    made = {**process(), "missing": {part: {"why": "sudo refuses it", "needs": needs}}}
    with pytest.raises(Untestable, match=r"sudo rule: probe ALL=\(root\) NOPASSWD: /usr/bin/(cat|readlink)"):
        checks.test_in_force((hardened(name, HEALTHY[name], process=made), name))


def test_a_limit_that_no_kernel_keeps_is_untestable() -> None:
    made = {**process(), "cgroup_limits": {}}
    with pytest.raises(Untestable, match="keeps no memory limit"):
        checks.test_in_force((hardened("MemoryMax", "1G", process=made), "MemoryMax"))


def test_without_a_process_nothing_is_lived() -> None:
    with pytest.raises(Untestable, match="has no process"):
        checks.test_in_force((hardened("UMask", "0027", process={"pid": 0}), "UMask"))


@pytest.mark.parametrize(
    ("name", "one", "other", "equal"),
    [
        ("ProtectHome", "true", "yes", True),
        ("ProtectHome", "read-only", "yes", False),
        ("UMask", "027", "0027", True),
        ("UMask", "0", "0027", False),
        ("MemoryMax", "2G", "2147483648", True),
        ("MemoryMax", "infinity", "", True),
        ("TasksMax", "10", "1", False),
        ("LimitNOFILE", "1024:65536", "65536", True),
        ("RestrictAddressFamilies", "AF_UNIX AF_INET", "AF_INET AF_UNIX", True),
        ("RestrictAddressFamilies", "AF_INET", "~AF_INET", False),
        ("RestrictAddressFamilies", "~AF_INET AF_UNIX", "~AF_UNIX ~AF_INET", True),
        ("RestrictNamespaces", "true", "yes", True),
        ("CapabilityBoundingSet", "CAP_CHOWN", "cap_chown", True),
        ("CapabilityBoundingSet", "", "cap_chown", False),
        ("SystemCallFilter", "@a ~@b:EPERM @c", "@a ~@b ~@c", True),
        ("ProtectSystem", "strict", "full", False),
    ],
)
def test_values_are_compared_by_meaning(name: str, one: str, other: str, equal: bool) -> None:
    assert same(name, one, other) is equal


def loaded(name: str, value: str) -> dict[str, Any]:
    made = unit()
    made["properties"][name] = value
    return made


@pytest.mark.parametrize(
    ("name", "wanted", "shown"),
    [
        ("ProtectSystem", "strict", "strict"),
        ("CapabilityBoundingSet", "", ""),
        ("IPAddressDeny", "any", "::/0 0.0.0.0/0"),
        ("SystemCallFilter", "@service ~@privileged", "read write"),
        ("SystemCallFilter", "@service ~@privileged", "read"),
    ],
)
def test_what_is_loaded_as_declared(name: str, wanted: str, shown: str) -> None:
    checks.test_loaded((hardened(name, wanted, unit=loaded(name, shown)), name))


@pytest.mark.parametrize(
    ("name", "wanted", "shown", "said"),
    [
        (
            "ProtectSystem",
            "strict",
            "full",
            "ProtectSystem as loaded: has full, expected strict; fix: set",
        ),
        ("ProtectSystm", "strict", "", "has nothing, expected strict"),
        ("CapabilityBoundingSet", "", "cap_chown", "has cap_chown, expected nothing"),
        ("SystemCallFilter", "@service ~@privileged", "read write reboot", "has allowed: reboot, expected"),
        ("SystemCallFilter", "@service", "", "has allowed: all of them"),
    ],
)
def test_what_is_loaded_otherwise(name: str, wanted: str, shown: str, said: str) -> None:
    with pytest.raises(CheckFailed, match=said):
        checks.test_loaded((hardened(name, wanted, unit=loaded(name, shown)), name))


@pytest.mark.parametrize(
    ("wanted", "shown", "beyond"),
    [
        ("~@privileged", "~reboot", []),
        ("~@privileged", "~swapon", ["@privileged"]),
        ("~@privileged", "read", []),
        ("~@privileged", "read reboot", ["reboot"]),
        ("@io", "~reboot", ["all but reboot"]),
        ("", "", []),
    ],
)
def test_filters_that_allow_and_that_refuse(wanted: str, shown: str, beyond: list[str]) -> None:
    assert calls_beyond(wanted.split(), shown.split(), unit()["call_groups"]) == beyond


def test_exposure() -> None:
    with pytest.raises(NotApplicable, match="declares no exposure"):
        checks.test_exposure(facts())
    checks.test_exposure(facts(declared(exposure=1.4)))
    with pytest.raises(CheckFailed, match=r"has 1\.4 \(PrivateNetwork 0\.5\), expected at most 1\.0"):
        checks.test_exposure(facts(declared(exposure=1.0)))
    with pytest.raises(Untestable, match="gives no exposure"):
        checks.test_exposure(facts(declared(exposure=1.0), unit={**unit(), "exposure": None}))


def test_capabilities_are_none_but_the_declared() -> None:
    checks.test_no_capabilities(facts())
    bind = status(CapEff="0000000000000400", CapPrm="0000000000000400")
    with pytest.raises(
        CheckFailed, match=r"CapPrm with net_bind_service[^\n]*\n.*CapEff with net_bind_service"
    ):
        checks.test_no_capabilities(facts(process=bind))
    granted = {"AmbientCapabilities": "CAP_NET_BIND_SERVICE"}
    checks.test_no_capabilities(facts(declared(hardening=granted), process=bind))


def test_the_tree_is_read_only_but_for_what_is_declared() -> None:
    with pytest.raises(CheckFailed, match=f"{TREE}/logs: has mounted writable"):
        checks.test_tree_is_read_only(facts())
    checks.test_tree_is_read_only(facts(declared(writable=("logs",))))
    with pytest.raises(CheckFailed, match=f"hx.service: {TREE}: has mounted writable"):
        checks.test_tree_is_read_only(facts(process=mounts()))
    with pytest.raises(NotApplicable, match="neither ProtectSystem=strict nor ReadOnlyPaths"):
        checks.test_tree_is_read_only(facts(declared(hardening={})))


def test_what_is_declared_writable_is() -> None:
    checks.test_writable_paths(facts(declared(writable=("logs",))))
    with pytest.raises(CheckFailed, match="config: has mounted read-only, expected writable"):
        checks.test_writable_paths(facts(declared(writable=("config",))))
    with pytest.raises(NotApplicable):
        checks.test_writable_paths(facts())


def test_an_old_kernel_that_counts_no_filters() -> None:
    seen = {key: value for key, value in process()["status"].items() if key != "Seccomp_filters"}
    made = {**process(), "status": seen}
    checks.test_in_force((hardened("LockPersonality", "yes", process=made), "LockPersonality"))


def test_the_deepest_and_latest_mount_governs() -> None:
    seen = live(facts())
    assert "systemd-private" in seen.mount("/tmp/x")["source"]
    assert seen.mount("/tmpfiles")["point"] == "/"
