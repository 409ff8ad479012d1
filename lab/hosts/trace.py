"""What a machine is, as root sees it and without the suite's own eyes: the proof that a defect is gone.

The program runs on the host with its own Python and prints one object of short texts by place: files with
owner, mode and content, accounts, what systemd has loaded, the service's process, sockets, ways, the
repository. It shares no code with the collector, so that what that overlooks is still seen here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from lab.hosts.machine import Leader

TRACE_BUDGET_S = 120
PROGRAM = r"""
import grp, hashlib, json, os, pwd, re, stat, subprocess, sys

unit, seen = sys.argv[1], {}
TREE = "/opt/HX-Infrastructure-"
SHOWN_WHOLE = 200

def said(*words):
    done = subprocess.run(words, capture_output=True, text=True, errors="replace")
    return done.stdout

def who(number, of):
    try:
        return of(number)[0]
    except KeyError:
        return str(number)

def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]

def entry(path, content=True):
    info = os.lstat(path)
    kind = stat.S_IFMT(info.st_mode)
    told = "%o %s:%s" % (info.st_mode, who(info.st_uid, pwd.getpwuid), who(info.st_gid, grp.getgrgid))
    if kind == stat.S_IFLNK:
        told += " -> " + os.readlink(path)
    elif kind == stat.S_IFREG and content:
        told += " " + digest(path)
    seen["file " + path] = told

def walk(top, content=True, without=("/nothing/",)):
    if not os.path.lexists(top):
        return
    entry(top, content)
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if not os.path.join(folder, name).endswith(without)]
        for name in folders + files:
            entry(os.path.join(folder, name), content)

walk(TREE, without=("/.git", "/gateway/venv", "/logs/services/api-gateway"))
venv = TREE + "/api-gateway/gateway/venv"
if os.path.isdir(venv):
    walk(venv, content=False, without=("/__pycache__",))
    entry(venv + "/pyvenv.cfg")
    for folder, _, files in os.walk(venv + "/lib"):
        for name in files:
            if name.endswith(".pth"):
                entry(os.path.join(folder, name))
for top in ("/etc/hx-gateway", "/etc/systemd/system", "/run/systemd/system", "/etc/systemd/system.control",
            "/run/systemd/system.control", "/etc/sudoers.d", "/etc/systemd/journald.conf.d", "/nonexistent",
            "/usr/local/bin", "/usr/share/ollama/.ollama/models", "/etc/python3.11"):
    walk(top)
for name in os.listdir("/usr/bin"):
    seen["program " + name] = "there"
for path in ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/hostname"):
    for line in open(path).read().splitlines():
        name, _, rest = line.partition(":")
        seen[path + " " + name] = rest if path != "/etc/shadow" else rest.split(":")[0]
seen["host name"] = said("hostname").strip()

MEASURED = re.compile(
    "Timestamp|^(Memory|CPU|IO|IP|Tasks)(Current|Peak|Available|UsageNSec|.*Bytes|.*Operations|.*Packets|"
    "SwapCurrent|SwapPeak|ZSwapCurrent)|^(MainPID|ExecMain.*|ControlGroupId|InvocationID|NRestarts|StatusText|"
    "Effective.*|ControlPID|UID|GID|NFileDescriptorStore|WatchdogUSec)$")
OWN = re.compile(
    "sshd|python3(.11)? -|sudo|hostname|systemctl|\\(sd-|systemd|agetty|journal|dbus|multiprocessing|^bash|"
    "/bin/bash")
for line in said("systemctl", "show", unit).splitlines():
    name, _, value = line.partition("=")
    if not MEASURED.search(name):
        value = re.sub(r" ; (ignore_errors|flags)=.*", "", value)
        seen["unit " + name] = value if "argv" in value else " ".join(sorted(value.split()))
seen["unit enabled"] = said("systemctl", "is-enabled", unit).strip()
for line in said("systemctl", "list-units", "--plain", "--no-legend", "--type=service").splitlines():
    if not line.startswith(("user", "systemd-")):  # those of the suite's own look come and go
        seen["service " + line.split()[0]] = line.split()[2]

pid = int(said("systemctl", "show", "-p", "MainPID", "--value", unit) or 0)
seen["process"] = "runs" if pid else "none"
if pid:
    for line in open("/proc/%d/status" % pid):
        name, _, value = line.partition(":")
        if name in ("Uid", "Gid", "Groups", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "Umask"):
            seen["process " + name] = value.strip()
    seen["process command"] = open("/proc/%d/cmdline" % pid).read().replace("\0", " ")
    seen["process program"] = os.readlink("/proc/%d/exe" % pid)
    for line in open("/proc/%d/limits" % pid):
        if line.startswith("Max open files"):
            seen["process open files"] = line.split()[3]
    for variable in open("/proc/%d/environ" % pid, errors="replace").read().split("\0"):
        name, _, value = variable.partition("=")
        if name not in ("INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "MEMORY_PRESSURE_WATCH"):
            seen["process variable " + name] = hashlib.sha256(value.encode()).hexdigest()[:12]
    began = os.stat("/proc/%d" % pid).st_mtime
    for path in [p[5:] for p in seen if p.startswith("file ")]:
        if path.endswith((".yaml", ".env", ".conf", ".service")) and os.path.exists(path):
            seen["process began after the change of " + path] = str(os.stat(path).st_mtime <= began + 2)
for name in sorted(n for n in os.listdir("/proc") if n.isdigit()):
    try:
        words = open("/proc/%s/cmdline" % name).read().split("\0")
        owner = who(os.stat("/proc/" + name).st_uid, pwd.getpwuid)
    except OSError:
        continue
    told = " ".join(words)[:SHOWN_WHOLE].strip()
    if told and int(name) != pid and owner != "hx-probe" and not OWN.search(told):
        seen["running %s %s" % (owner, told)] = "runs"
for line in said("ss", "-Hlntu").splitlines():
    words = line.split()
    seen["socket %s %s" % (words[0], words[4])] = "open"
for line in said("ip", "-o", "addr").splitlines():
    words = line.split()
    seen["address " + words[1] + " " + words[3]] = "there"
for line in said("ip", "-o", "route", "show", "table", "all").splitlines():
    seen["way " + line.strip()] = "there"
for line in said("tc", "qdisc").splitlines():
    if not re.search("noqueue|pfifo_fast|fq_codel", line):
        seen["queue " + " ".join(line.split()[:2])] = line
for line in said("findmnt", "-rn", "-o", "TARGET,OPTIONS").splitlines():
    target, _, options = line.partition(" ")
    if target.startswith(("/opt", "/etc", "/usr", "/srv", "/var")):
        seen["mount " + target] = options
if os.path.isdir(TREE + "/.git"):
    git = ("git", "-c", "safe.directory=*", "-C", TREE)
    for line in said(*git, "config", "--list", "--show-origin").splitlines():
        seen["git " + line] = "there"
    for name in ("HEAD", "origin/main"):
        seen["git commit " + name] = said(*git, "rev-parse", name).strip()
    for line in said(*git, "status", "--porcelain").splitlines():
        seen["git change " + line] = "there"
print(json.dumps(seen))
"""


def trace(leader: Leader, unit: str) -> dict[str, str]:
    """Short texts by place. Raises RuntimeError where the program fails."""
    done = leader.run(
        f"/usr/bin/python3.11 -I -S - {unit}", timeout=TRACE_BUDGET_S, stdin=PROGRAM.encode("utf-8")
    )
    if done.returncode != 0:
        raise RuntimeError(f"the machine could not be traced: {done.stderr.strip()[-500:]}")
    found: dict[str, str] = json.loads(done.stdout)
    return found


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Places that differ: what was there and what is, ``-`` for nothing."""
    return {
        place: (before.get(place, "-"), after.get(place, "-"))
        for place in sorted({*before, *after})
        if before.get(place) != after.get(place)
    }
