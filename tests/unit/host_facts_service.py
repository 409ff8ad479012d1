"""Facts of a healthy service, made by hand: each test spoils one thing."""

from __future__ import annotations

import copy
from typing import Any

from gateway_acceptance.environment.host import Host
from gateway_acceptance.host.facts import MachineFacts
from gateway_acceptance.host.privileges import privileges_of

ALL = "0.0.0.0"  # noqa: S104  (read, not bound)
TREE = "/opt/hx/gateway"
PROGRAM = f"{TREE}/venv/bin/litellm"
CONFIGURATION = f"{TREE}/config/config.yaml"
ARGV = f"{PROGRAM} --port 4000 --config {CONFIGURATION}"
FRAGMENT = "/etc/systemd/system/hx.service"
TEXT = f"""[Unit]
After=network-online.target
[Service]
User=hx
ExecStart={ARGV}
Environment=PYTHONUNBUFFERED=1
ProtectSystem=strict
SystemCallFilter=@service
SystemCallFilter=~@privileged
"""
STARTED = 1000.0
NOW = 2000.0


def declared(**keys: Any) -> Host:
    """What the environment declares of the machine."""
    return Host.model_validate(
        {
            "uri": "ssh://gateway",
            "tree": TREE,
            "unit": "hx.service",
            "user": "hx",
            "configuration": "config/config.yaml",
            "virtual_environment": "venv",
            "working_directory": "work",
            "listens": ("0.0.0.0:4000",),
            "also_listens": ("*:22",),
            "hardening": {"ProtectSystem": "strict"},
            **keys,
        }
    )


def unit() -> dict[str, Any]:
    """The section of a healthy unit."""
    entry = {"path": FRAGMENT, "kind": "f", "mode": "0644", "user": "root", "group": "root", "mtime": 900.0}
    return {
        "exists": True,
        "properties": {
            "LoadState": "loaded",
            "FragmentPath": FRAGMENT,
            "ActiveState": "active",
            "SubState": "running",
            "Result": "success",
            "MainPID": "30",
            "NRestarts": "0",
            "NeedDaemonReload": "no",
            "ExecStart": f"{{ path={PROGRAM} ; argv[]={ARGV} ; ignore_errors=no ; pid=30 }}",
            "WorkingDirectory": f"{TREE}/work",
            "User": "hx",
            "Group": "hx",
            "Restart": "on-failure",
            "After": "basic.target network-online.target",
            "Wants": "network-online.target",
            "ProtectSystem": "strict",
            "SystemCallFilter": "read write",
        },
        "enabled": "enabled",
        "files": [{"path": FRAGMENT, "text": TEXT, "sha256": "", "entry": entry, "readable": True}],
        "verify": [],
        "exposure": 1.4,
        "directives": [{"name": "PrivateNetwork", "set": False, "exposure": "0.5"}],
        "call_groups": {"@service": ["@io", "reboot"], "@io": ["read", "write"], "@privileged": ["reboot"]},
    }


def mount(
    point: str, *options: str, kind: str = "ext4", source: str = "/", more: str = "rw"
) -> dict[str, Any]:
    """One mount of the process's view."""
    return {"point": point, "options": [*options], "kind": kind, "source": source, "super": more.split(",")}


def process() -> dict[str, Any]:
    """The section of a healthy process."""
    namespaces = {f"ns/{name}": f"{name}:[1]" for name in ("mnt", "user", "net", "ipc", "uts")}
    hidden = {"kind": "tmpfs", "source": "/systemd/inaccessible/dir"}
    private = "/systemd-private-1-hx.service-2/tmp"
    return {
        "pid": 30,
        "started": STARTED,
        "cmdline": [f"{TREE}/venv/bin/python3", *ARGV.split()],
        "status": {
            "Uid": "999\t999\t999\t999",
            "Gid": "998\t998\t998\t998",
            "Groups": "998",
            "Umask": "0027",
            "NoNewPrivs": "1",
            "Seccomp": "2",
            "Seccomp_filters": "4",
            **dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0000000000000000"),
        },
        "first_filters": 1,
        "group": "hx",
        "groups": ["hx"],
        "limits": {"Max open files": ["1024", "16384"], "Max core file size": ["0", "unlimited"]},
        "cgroup": "/system.slice/hx.service",
        "cgroup_limits": {"memory": "2147483648", "pids": "256"},
        "members": [{"pid": 30, "user": "hx", "comm": "litellm"}],
        "copies": [],
        "missing": {},
        "links": {
            "exe": "/usr/bin/python3.11",
            "cwd": f"{TREE}/work",
            "root": "/",
            **namespaces,
            "init": {name: value.replace("1", "0") for name, value in namespaces.items()},
        },
        "mounts": [
            mount("/", "ro"),
            mount("/proc", "rw", kind="proc", more="rw,hidepid=invisible"),
            mount("/proc/sys", "ro", kind="proc"),
            mount("/sys", "ro", kind="sysfs"),
            mount("/dev", "ro", "noexec", kind="tmpfs"),
            mount("/home", "ro", **hidden),
            mount("/root", "ro", **hidden),
            mount("/tmp", "rw", source="/"),
            mount("/tmp", "rw", source=private),
            mount("/var/tmp", "rw", source=f"/var/tmp{private}"),
            mount(f"{TREE}/logs", "rw", source=f"{TREE}/logs"),
        ],
    }


def socket(address: str, port: int, **more: Any) -> dict[str, Any]:
    """An open socket of the service."""
    own = {"proto": "tcp", "pid": 30, "process": "litellm", "user": "hx", "unit": "hx.service"}
    return {**own, "address": address, "port": port, **more}


def sections() -> dict[str, Any]:
    """All sections that the checks of the service read."""
    values = {
        "clock": {"first": NOW - 1, "last": NOW},
        "unit": unit(),
        "process": process(),
        "account": {"entry": {"name": "hx", "uid": 999, "gid": 998}},
        "sockets": [socket(ALL, 4000), socket(ALL, 22, unit="ssh.service", user="root")],
        "reach": {
            "one": {
                "url": "http://one",
                "reached": True,
                "version": "0.3",
                "error": "",
                "elapsed_s": 0.01,
                "models": {"phi3:latest": "sha256:" + "a" * 64, "all-minilm:latest": "b" * 64},
                "dimensions": {"all-minilm": 384},
            }
        },
        "files": {"config/config.yaml": {"entry": {"path": "config/config.yaml", "mtime": 900.0}}},
        "secrets": [],
    }
    return {name: {"value": copy.deepcopy(value)} for name, value in values.items()}


def facts(host: Host | None = None, **replaced: Any) -> MachineFacts:
    """A healthy machine; sections are replaced by values of their name, or by ``{"missing": …}``."""
    host = host or declared()
    seen = sections()
    for name, value in replaced.items():
        gone = isinstance(value, dict) and set(value) == {"missing", "needs"}
        seen[name] = value if gone else {"value": value}
    return MachineFacts("gateway", host, seen, privileges_of(host), account="probe")
