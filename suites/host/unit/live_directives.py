"""What the kernel shows of a directive in the live process: directive -> predicate over ``/proc``.

Sources: systemd.exec(5), proc(5). What leaves no trace there is not applicable, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NotApplicable, Untestable
from suites.host.unit.directives import NO, YES, denied_words, meaning
from suites.host.user.facts import Facts, again, differs, live_process

CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore",
)  # fmt: skip
"""In the order of their bits: capability.h."""
FILTER_IN_FORCE = "2"
LIMITS = {
    "LimitAS": "Max address space", "LimitCORE": "Max core file size", "LimitCPU": "Max cpu time",
    "LimitDATA": "Max data size", "LimitFSIZE": "Max file size", "LimitMEMLOCK": "Max locked memory",
    "LimitMSGQUEUE": "Max msgqueue size", "LimitNOFILE": "Max open files", "LimitNPROC": "Max processes",
    "LimitRSS": "Max resident set", "LimitSTACK": "Max stack size",
}  # fmt: skip
HIDEPID = {"noaccess": ("1", "noaccess"), "invisible": ("2", "invisible"), "ptraceable": ("4", "ptraceable")}
HOMES = ("/home", "/root", "/run/user")
SYSTEM = {"yes": ("/usr",), "full": ("/usr", "/etc"), "strict": ("/", "/usr", "/etc")}

Difference = tuple[str, str]
"""What it has, and what it should have."""


@dataclass(frozen=True)
class Live:
    """A process as its predicates see it. Links and mounts may be missing: then Untestable names the rule."""

    machine: MachineFacts
    process: Facts

    @property
    def status(self) -> Mapping[str, str]:
        """/proc/PID/status."""
        found: Mapping[str, str] = self.process["status"]
        return found

    @property
    def mounts(self) -> Sequence[Mapping[str, Any]]:
        """Its own view of what is mounted."""
        found: Sequence[Mapping[str, Any]] = self.machine.part("process", "mounts")
        return found

    @property
    def links(self) -> Mapping[str, Any]:
        """Where its executable, directories and namespaces are."""
        found: Mapping[str, Any] = self.machine.part("process", "links")
        return found

    def mount(self, path: str) -> Mapping[str, Any]:
        """The mount that governs a path: the deepest, of equals the last. Raises Untestable without any."""
        best: Mapping[str, Any] | None = None
        for mount in self.mounts:
            point = mount["point"].rstrip("/") + "/"
            if (path.rstrip("/") + "/").startswith(point) and (
                best is None or len(mount["point"]) >= len(best["point"])
            ):
                best = mount
        if best is None:
            raise Untestable(
                f"{self.machine.name}: no mount of {path} is listed", "look at the machine's mountinfo"
            )
        return best

    def read_only(self, path: str) -> bool:
        """Whether the process meets a path read-only, or does not meet it at all: below /proc there are
        only processes with ProcSubset=pid (proc(5), subset=pid)."""
        mount = self.mount(path)
        without = mount["point"] == "/proc" and path != "/proc" and "subset=pid" in mount["super"]
        return without or "ro" in mount["options"]

    def capabilities(self, field: str) -> frozenset[str]:
        """Names in CapBnd, CapEff and so on, without ``cap_``."""
        bits = int(self.status[field], 16)
        named = {name for number, name in enumerate(CAPABILITIES) if bits >> number & 1}
        return frozenset(named | ({"unnamed ones"} if bits >> len(CAPABILITIES) else set()))


Predicate = Callable[[str, Live], list[Difference]]


def against_process(name: str, wanted: str, live: Live, unit_name: str) -> list[Problem]:
    """The declared value against the live process. Raises NotApplicable for a directive that leaves no trace
    in /proc, or none with the declared value."""
    if name not in TRACES:
        raise NotApplicable(
            f"{name} leaves no trace in /proc; HOST-HARD-001 compares what systemd has loaded",
            declared="host.hardening",
        )
    if wanted.lower() in NO and name not in ("UMask",) and not name.startswith("Limit"):
        raise NotApplicable(f"{name}={wanted} leaves no trace in /proc", declared="host.hardening")
    return [
        differs(
            f"process {live.process['pid']} of {unit_name}: {name}={wanted}", has, expected, again(unit_name)
        )
        for has, expected in TRACES[name](wanted, live)
    ]


def live(machine: MachineFacts) -> Live:
    """The live process of a machine's unit. Raises Untestable where there is none."""
    return Live(machine, live_process(machine))


def no_new_privileges(_: str, seen: Live) -> list[Difference]:
    has = seen.status.get("NoNewPrivs", "?")
    return [] if has == "1" else [(f"NoNewPrivs {has}", "NoNewPrivs 1")]


def filter_in_force(_: str, seen: Live) -> list[Difference]:
    """The kernel tells that system calls are filtered, not which. What pid 1 has it hands on: not counted."""
    has = seen.status.get("Seccomp", "?")
    if has != FILTER_IN_FORCE:
        return [(f"Seccomp {has}", f"Seccomp {FILTER_IN_FORCE} (a filter is in force)")]
    count, first = seen.status.get("Seccomp_filters"), seen.process["first_filters"]
    if count is not None and int(count) <= first:
        return [(f"{count} filters of system calls, as pid 1 has", "filters of its own")]
    return []


def bounding_set(wanted: str, seen: Live) -> list[Difference]:
    words = [word.lower().replace("cap_", "") for word in denied_words(wanted.split())]
    has = seen.capabilities("CapBnd")
    if any(word.startswith("~") for word in words):
        beyond = has & {word[1:] for word in words}
    else:
        beyond = has - set(words)
    return [(f"CapBnd with {' '.join(sorted(beyond))}", "without")] if beyond else []


def ambient(wanted: str, seen: Live) -> list[Difference]:
    words = {word.lower().replace("cap_", "") for word in wanted.split()}
    has = seen.capabilities("CapAmb")
    return [] if has == words else [(f"CapAmb {sorted(has)}", f"{sorted(words)}")]


def without(*names: str) -> Predicate:
    """A predicate: none of these capabilities can be had."""

    def judged(_: str, seen: Live) -> list[Difference]:
        has = seen.capabilities("CapBnd") & set(names)
        return [(f"CapBnd with {' '.join(sorted(has))}", "without")] if has else []

    return judged


def system(wanted: str, seen: Live) -> list[Difference]:
    paths = SYSTEM["yes" if wanted.lower() in YES else wanted]
    return [(f"{path} writable", "mounted read-only") for path in paths if not seen.read_only(path)]


def homes(wanted: str, seen: Live) -> list[Difference]:
    if wanted == "read-only":
        return [(f"{path} writable", "mounted read-only") for path in HOMES[:2] if not seen.read_only(path)]
    hidden = [path for path in HOMES if _hidden(path, seen.mount(path))]
    return [] if hidden else [(f"{', '.join(HOMES)} as everybody sees them", "hidden by mounts of its own")]


def _hidden(path: str, mount: Mapping[str, Any]) -> bool:
    empty = "inaccessible" in mount["source"] or mount["kind"] == "tmpfs"
    return bool(mount["point"] == path and empty and "ro" in mount["options"])


def own_tmp(_: str, seen: Live) -> list[Difference]:
    return [
        (f"{path} of the machine", "a mount of its own (systemd-private-…)")
        for path in ("/tmp", "/var/tmp")  # noqa: S108  (names what is judged)
        if (mount := seen.mount(path))["point"] != path or "systemd-private-" not in mount["source"]
    ]


def own_devices(_: str, seen: Live) -> list[Difference]:
    mount = seen.mount("/dev")
    own = mount["point"] == "/dev" and mount["kind"] == "tmpfs" and "ro" in mount["options"]
    return [] if own else [("/dev of the machine", "a read-only tmpfs with harmless devices alone")]


def read_only(*paths: str) -> Predicate:
    """A predicate: these paths are mounted read-only."""

    def judged(_: str, seen: Live) -> list[Difference]:
        return [(f"{path} writable", "mounted read-only") for path in paths if not seen.read_only(path)]

    return judged


def own_namespace(kind: str) -> Predicate:
    """A predicate: the process has another namespace of a kind than pid 1."""

    def judged(_: str, seen: Live) -> list[Difference]:
        own, first = seen.links.get(f"ns/{kind}"), seen.links["init"].get(f"ns/{kind}")
        if own is None or first is None:
            raise Untestable(
                f"{seen.machine.name}: no namespaces of kind {kind} are shown", "look at its /proc"
            )
        return [] if own != first else [(f"the machine's own {own}", f"a {kind} namespace of its own")]

    return judged


def hidden_processes(wanted: str, seen: Live) -> list[Difference]:
    if wanted == "default":
        raise NotApplicable("ProtectProc=default leaves no trace in /proc", declared="host.hardening")
    options = seen.mount("/proc")["super"]
    ways = {f"hidepid={word}" for word in HIDEPID[wanted]}
    return [] if ways & set(options) else [(f"/proc with {','.join(options)}", f"hidepid={wanted}")]


def process_subset(wanted: str, seen: Live) -> list[Difference]:
    if wanted != "pid":
        raise NotApplicable(f"ProcSubset={wanted} leaves no trace in /proc", declared="host.hardening")
    options = seen.mount("/proc")["super"]
    return [] if "subset=pid" in options else [(f"/proc with {','.join(options)}", "subset=pid")]


def mask(wanted: str, seen: Live) -> list[Difference]:
    has = seen.status.get("Umask")
    if has is None:
        raise Untestable("this kernel shows no Umask", "update it to Linux 4.7 or later")
    return [] if int(has, 8) == int(wanted, 8) else [(f"Umask {has}", wanted)]


def limit(name: str) -> Predicate:
    """A predicate: the hard limit (a process may move its soft limit below it)."""

    def judged(wanted: str, seen: Live) -> list[Difference]:
        has = seen.process["limits"].get(LIMITS[name], ["?", "?"])[1]
        right = meaning(name, has.replace("unlimited", "infinity")) == meaning(name, wanted)
        return [] if right else [(f"{LIMITS[name]} {has}", wanted)]

    return judged


def kept_limit(controller: str) -> Predicate:
    """A predicate: the limit that the kernel keeps for the process's own control group."""

    def judged(wanted: str, seen: Live) -> list[Difference]:
        has = seen.process["cgroup_limits"].get(controller)
        if has is None:
            raise Untestable(
                f"{seen.machine.name}: the kernel keeps no {controller} limit for the unit's own group",
                "enable the controller there (systemd's unified hierarchy has it)",
            )
        right = meaning("MemoryMax", has.replace("max", "infinity")) == meaning("MemoryMax", wanted)
        return [] if right else [(f"{controller} limit {has}", wanted)]

    return judged


def paths_read_only(wanted: str, seen: Live) -> list[Difference]:
    return read_only(*(word.lstrip("+-") for word in wanted.split()))(wanted, seen)


def paths_writable(wanted: str, seen: Live) -> list[Difference]:
    paths = [word.lstrip("+-") for word in wanted.split()]
    return [(f"{path} read-only", "writable") for path in paths if seen.read_only(path)]


def account(wanted: str, seen: Live) -> list[Difference]:
    found = seen.machine["account"]["entry"]
    if wanted != seen.machine.declared.user or found is None:
        raise Untestable(
            f"{seen.machine.name}: the uid of {wanted} is not known", "declare it as the machine's user"
        )
    has = seen.status["Uid"].split()
    return (
        [] if set(has) == {str(found["uid"])} else [(f"uids {' '.join(has)}", f"{found['uid']} ({wanted})")]
    )


def group(wanted: str, seen: Live) -> list[Difference]:
    has = seen.process["group"]
    return [] if has == wanted else [(f"group {has}", wanted)]


def groups(wanted: str, seen: Live) -> list[Difference]:
    absent = set(wanted.split()) - set(seen.process["groups"])
    return (
        [(f"groups {' '.join(seen.process['groups'])}", f"{' '.join(sorted(absent))} too")] if absent else []
    )


TRACES: Mapping[str, Predicate] = {
    "NoNewPrivileges": no_new_privileges,
    "CapabilityBoundingSet": bounding_set,
    "AmbientCapabilities": ambient,
    **dict.fromkeys(
        (
            "SystemCallFilter", "SystemCallArchitectures", "RestrictAddressFamilies", "RestrictNamespaces",
            "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "MemoryDenyWriteExecute",
        ),
        filter_in_force,
    ),
    "ProtectSystem": system,
    "ProtectHome": homes,
    "PrivateTmp": own_tmp,
    "PrivateDevices": own_devices,
    "ProtectKernelTunables": read_only("/proc/sys", "/sys"),
    "ProtectControlGroups": read_only("/sys/fs/cgroup"),
    "ProtectKernelModules": without("sys_module"),
    "ProtectKernelLogs": without("syslog"),
    "ProtectClock": without("sys_time", "wake_alarm"),
    "ProtectHostname": own_namespace("uts"),
    "PrivateNetwork": own_namespace("net"),
    "PrivateUsers": own_namespace("user"),
    "PrivateIPC": own_namespace("ipc"),
    "PrivateMounts": own_namespace("mnt"),
    "ProtectProc": hidden_processes,
    "ProcSubset": process_subset,
    "UMask": mask,
    **{name: limit(name) for name in LIMITS},
    "MemoryMax": kept_limit("memory"),
    "TasksMax": kept_limit("pids"),
    "ReadOnlyPaths": paths_read_only,
    "ReadWritePaths": paths_writable,
    "User": account,
    "Group": group,
    "SupplementaryGroups": groups,
}  # fmt: skip
"""Directive -> what the live process must show of it."""
