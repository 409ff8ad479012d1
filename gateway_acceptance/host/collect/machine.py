"""The machine itself, its network, its resources, and what is installed on it."""

from __future__ import annotations

import concurrent.futures
import json
import os
import platform
import re
import shutil
import socket
import time
import urllib.request
from typing import Any

from gateway_acceptance.host.collect.access_log import SHOWN_FAILURES, failure_in
from gateway_acceptance.host.collect.base import (
    Facts,
    Missing,
    Request,
    first_line,
    hidden,
    masked,
    output,
    privileged,
    run,
    user_name,
)
from gateway_acceptance.host.collect.processes import all_processes, open_lines
from gateway_acceptance.host.collect.tree import inside

REACH_DEADLINE_S, REACH_ATTEMPTS = 3, 3
MOST_BYTES = 8 << 20
JOURNAL_LINES = 5000


def machine(request: Request) -> Facts:
    """{name, addresses, account, euid, boot, uptime_s, synchronized (bool or None), clock, system, version,
    kernel, processors, login}."""
    listed = json.loads(output(["ip", "-j", "addr"]))
    release = dict(line.rstrip().split("=", 1) for line in open_lines("/etc/os-release") if "=" in line)
    synchronized = None
    if shutil.which("timedatectl"):
        code, text, _ = run(["timedatectl", "show", "-p", "NTPSynchronized", "--value"])
        synchronized = text.strip() == "yes" if code == 0 and text.strip() else None
    return {
        "name": socket.gethostname(),
        "addresses": [a["local"] for link in listed for a in link.get("addr_info", []) if a.get("local")],
        "account": user_name(os.geteuid()),
        "boot": first_line("/proc/sys/kernel/random/boot_id"),
        "uptime_s": float(first_line("/proc/uptime", "0 0").split()[0]),
        "synchronized": synchronized,
        "system": release.get("ID", "").strip('"'),
        "system_version": release.get("VERSION_ID", "").strip('"'),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
    }


def commands(request: Request) -> Facts:
    """{name: path or None} of the commands that the deployment needs."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    return {name: shutil.which(name, path=path) for name in request["commands"]}


def sockets(request: Request) -> list[Facts]:
    """[{proto, address, port, pid, process, user, unit}] of every open listening socket. Raises Missing where
    the owners cannot be told: a socket without its process proves nothing."""
    code, text, errors = privileged(request, "sockets")
    if code != 0:
        raise Missing(f"ss failed: {errors.strip()[:200]}")
    owners = {member["pid"]: member for member in all_processes()}
    found: list[Facts] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 5:
            continue
        address, _, port = words[4].rpartition(":")
        named = re.search(r'\("([^"]*)",pid=(\d+)', line)
        pid = int(named[2]) if named else None
        owner = owners.get(pid, {})
        found.append(
            {
                "proto": words[0],
                "address": address.split("%")[0],
                "port": int(port) if port.isdigit() else 0,
                "pid": pid,
                "process": named[1] if named else None,
                "user": owner.get("user"),
                "unit": owner.get("unit"),
            }
        )
    return found


def reach(request: Request) -> Facts:
    """{name: {url, reached, version, elapsed_s, models, dimensions, error}}: each backend asked from here.
    elapsed_s: of the fastest answer with its version; models: digest by name; dimensions: of the vectors
    of the models that were named, by name. Either is None where the backend does not tell."""
    wanted = request["reach"]
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        return dict(zip(wanted, pool.map(ask, wanted.values())))


def ask(wanted: Facts) -> Facts:
    """One backend's answers. wanted: {url, dimensions: [model]}, or {url, product} where it is not Ollama. No
    model is run. OpenAI's protocol has a list of models, without digests, and nothing else of these."""
    url, taken, openai = wanted["url"], [], wanted.get("product") == "openai"
    held: Any = None
    document: Facts = {"url": url, "reached": False, "version": None, "error": ""}
    document |= {"models": None, "dimensions": {}}
    for _ in range(REACH_ATTEMPTS):
        begun = time.monotonic()
        try:
            if openai:
                held = fetched_json(f"{url}/v1/models")
            else:
                document["version"] = fetched_json(f"{url}/api/version").get("version")
        except Exception as error:
            document["error"] = f"{type(error).__name__}: {error}"[:200]
            if openai and getattr(error, "code", None) in (401, 403):  # it is there, and wants a key
                taken.append(time.monotonic() - begun)
        else:
            taken.append(time.monotonic() - begun)
    if not taken:
        return document
    document |= {"reached": True, "elapsed_s": round(min(taken), 4)}
    if openai and held is None:
        return document
    document["error"] = ""
    try:
        if openai:
            document["models"] = {str(model["id"]): "" for model in held["data"]}
            return document
        held = fetched_json(f"{url}/api/tags")["models"]
        document["models"] = {str(model["name"]): str(model.get("digest")) for model in held}
        document["dimensions"] = {model: dimensions(url, model) for model in wanted["dimensions"]}
    except Exception as error:
        document["error"] = f"{type(error).__name__}: {error}"[:200]
    return document


def dimensions(url: str, model: str) -> Any:
    """Of a model's vectors, as the backend describes it; None where it does not."""
    try:
        model_info = fetched_json(f"{url}/api/show", {"model": model})["model_info"]
        return model_info[f"{model_info['general.architecture']}.embedding_length"]
    except Exception:
        return None


def fetched_json(url: str, body: Any = None) -> Any:
    """The JSON at an address, without any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, sent, {"Content-Type": "application/json"})
    with opener.open(request, timeout=REACH_DEADLINE_S) as answer:
        return json.loads(answer.read(MOST_BYTES))


def resources(request: Request) -> Facts:
    """{disks {path: {total_mb, free_mb, inodes, free_inodes}}, memory {name: MiB}, load, journal_mb, journald,
    logrotate}. journald: the settings that bound the journal."""
    disks = {}
    for path in request["disks"]:
        try:
            found = os.statvfs(path)
        except OSError:
            continue
        disks[path] = {
            "total_mb": found.f_blocks * found.f_frsize >> 20,
            "free_mb": found.f_bavail * found.f_frsize >> 20,
            "inodes": found.f_files,  # 0 where the file system has no such limit
            "free_inodes": found.f_favail,
        }
    memory = {
        line.split(":")[0]: int(line.split()[1]) >> 10 for line in open_lines("/proc/meminfo") if "kB" in line
    }
    kept = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")
    settings = {}
    folders = ["/etc/systemd/journald.conf"]
    for place in ("/usr/lib/systemd/journald.conf.d", "/etc/systemd/journald.conf.d"):
        if os.path.isdir(place):
            folders += [
                os.path.join(place, name) for name in sorted(os.listdir(place)) if name.endswith(".conf")
            ]
    for path in folders:
        for line in open_lines(path):
            if re.match(
                r"(SystemMaxUse|RuntimeMaxUse|MaxRetentionSec|SystemKeepFree|Storage|RateLimit\w+)=", line
            ):
                name, _, value = line.strip().partition("=")
                settings[name] = value
    used = re.search(r"take up ([0-9.]+)([KMGT]?)", run(["journalctl", "--disk-usage"])[1])
    factor = {"": 1 / 1048576, "K": 1 / 1024, "M": 1, "G": 1024, "T": 1048576}
    return {
        "disks": disks,
        "memory": {name: memory[name] for name in kept if name in memory},
        "load": list(os.getloadavg()),
        "journal_mb": float(used[1]) * factor[used[2]] if used else None,
        "journald": settings,
    }


def journal(request: Request) -> Facts:
    """{lines, bytes, first, last, errors, secrets [masked lines], failures, cut} of the unit's newest lines of
    this boot. Text leaves the machine only where it gives a secret away, and masked. failures: the newest
    [{at, status, by, what}] that an access log tells of (``failure_in``)."""
    code, text, errors = privileged(request, "journal")
    if code != 0:
        raise Missing(f"the journal cannot be read: {errors.strip()[:200]}", "journal")
    found: Facts = {
        "lines": 0,
        "bytes": 0,
        "first": None,
        "last": None,
        "errors": 0,
        "secrets": [],
        "failures": [],
        "cut": False,
    }
    for line in text.splitlines():
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            continue
        message = message_of(document.get("MESSAGE"))
        at = int(document.get("__REALTIME_TIMESTAMP", 0)) / 1e6
        found["lines"] += 1
        found["bytes"] += len(message)
        found["first"] = found["first"] or at
        found["last"] = at
        found["errors"] += int(document.get("PRIORITY", 6)) <= 3
        if masked(message) != message and len(found["secrets"]) < 5:
            found["secrets"].append(masked(message)[:300])
        failure = failure_in(message)
        if failure is not None:
            found["failures"] = [*found["failures"], {"at": at, **failure}][-SHOWN_FAILURES:]
    found["cut"] = found["lines"] >= JOURNAL_LINES
    return found


def message_of(value: Any) -> str:
    """A journal line's text: journalctl's JSON has numbers for what is no text, and a list for several."""
    if isinstance(value, list) and not all(isinstance(item, int) for item in value):
        return "\n".join(message_of(item) for item in value)
    return value if isinstance(value, str) else bytes(value or ()).decode("utf-8", "replace")


def settings(request: Request) -> Facts:
    """{names [of every variable], values {of those that are no secret}, default_key (bool)} of the secrets'
    files. default_key: whether one of the keys known to the world is a value there."""
    code, text, errors = privileged(request, "setting_names")
    if code not in (0, 1):
        raise Missing(f"the secrets' file cannot be read: {errors.strip()[:200]}", "setting_names")
    names = sorted({line.rpartition(":")[2].rstrip("=") for line in text.splitlines() if line.strip()})
    values = {}
    asked = "setting_values" in request["privileges"]
    for line in privileged(request, "setting_values")[1].splitlines() if asked else ():
        name, _, value = line.partition("=")
        values[name.rpartition(":")[2]] = masked(value.strip().strip("\"'"))
    default = "default_key" in request["privileges"] and privileged(request, "default_key")[0] == 0
    return {"names": names, "values": values, "default_key": default}


def python(request: Request) -> Facts:
    """{exists, hidden, version, packages {name: version}, startup [{name, lines}]} of the virtual
    environment. hidden: why this account cannot say whether it is there; startup: lines of ``*.pth`` files
    that Python executes (those that begin with import)."""
    base = os.path.join(request["tree"], request["virtual_environment"])
    found: Facts = {
        "exists": os.path.isfile(os.path.join(base, "pyvenv.cfg")),
        "hidden": hidden(os.path.join(base, "pyvenv.cfg")),
        "version": None,
        "packages": {},
        "startup": [],
    }
    for line in open_lines(os.path.join(base, "pyvenv.cfg")):
        name, _, value = line.partition("=")
        if name.strip() in ("version", "version_info"):
            found["version"] = value.strip()
    library = os.path.join(base, "lib")
    for version in sorted(os.listdir(library)) if os.path.isdir(library) else []:
        place = os.path.join(library, version, "site-packages")
        for name in sorted(os.listdir(place)) if os.path.isdir(place) else []:
            if name.endswith(".dist-info"):
                package, _, number = name[: -len(".dist-info")].rpartition("-")
                found["packages"][package.lower().replace("_", "-")] = number
            elif name.endswith((".pth", "customize.py")):
                lines = open_lines(os.path.join(place, name))
                code = [line.strip() for line in lines if re.match(r"import[ \t]", line)]
                code += [line for line in map(str.strip, lines) if leads_out(line, place, request["tree"])]
                code = code if name.endswith(".pth") else ["(a module that Python runs at its start)"]
                found["startup"].append({"name": name, "lines": [masked(line)[:300] for line in code]})
    return found


def ollama(request: Request) -> Facts:
    """{version, manifests [model names]} of a backend's machine: the installed program's, and on disk."""
    document: Facts = {"version": None, "manifests": None, "missing": {}}
    try:
        text = "".join(run(["ollama", "--version"])[1:])
        document["version"] = installed_ollama(text)
    except Missing as missing:
        document["missing"]["version"] = {"why": missing.why, "needs": missing.needs}
    try:
        if "manifests" in request["privileges"]:
            code, text, errors = privileged(request, "manifests")
            if code != 0:
                raise Missing(f"the models' directory cannot be read: {errors.strip()[:200]}")
            document["manifests"] = sorted(
                "/".join(line.split("/manifests/")[1].split("/")[1:])
                for line in text.split()
                if "/manifests/" in line
            )
    except Missing as missing:
        document["missing"]["manifests"] = {"why": missing.why, "needs": missing.needs}
    return document


def leads_out(line: str, place: str, tree: str) -> bool:
    """Whether a line of a startup file puts a directory outside the tree on Python's path: what lies there is
    run too (a sitecustomize, for one). place: the file's own directory."""
    if not line or line.startswith("#") or re.match(r"import[ \t]", line):
        return False
    found = os.path.realpath(os.path.join(place, line))
    return os.path.isdir(found) and not inside(found, tree)


def installed_ollama(text: str) -> str | None:
    """The installed program's version from ``ollama --version``: that asks the server first and prints *its*
    version, its own only in a warning where the two differ (ollama: cmd.go, versionHandler)."""
    own = re.search(r"client version is v?(\d+\.\d+\.\d+\S*)", text)
    number = own or re.search(r"(\d+\.\d+\.\d+\S*)", text)
    return number[1] if number else None
