"""The first process of the lab's own namespaces (mount, network, pid): it makes the network, boots the hosts.

Everything that it makes lives in those namespaces: when it ends, however that happens, the kernel takes the
hosts, the mounts and the network with it. Only the cgroups, which have no namespace to die with, are removed
by ``lab.hosts.cgroups``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

BRIDGE = "hosts"
STOP_SIGNAL = "SIGRTMIN+3"
INIT = (
    "for place in /sys/fs/cgroup /sys/fs/cgroup/*; do "
    "mount -o remount,bind,rw $place 2>/dev/null || true; done; "
    "exec /lib/systemd/systemd"
)
"""With cgroups of version 1 systemd-nspawn mounts the controllers read-only: limits would not be enforced."""


def main() -> None:
    """``python -m lab.hosts.inside SPECIFICATION``: boots, then waits for its hosts until it is ended."""
    specification: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    prepare(specification)
    for host in specification["hosts"]:
        boot(host, specification)
    while True:  # as the first process it inherits every orphan
        try:
            os.wait()
        except ChildProcessError:
            return


def prepare(specification: dict[str, Any]) -> None:
    """A private /run (network namespaces are named there), room for the hosts' changes, and a bridge."""
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    Path("/run/netns").mkdir()
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", specification["changes"])
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "addr", "add", specification["bridge"], "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")


def boot(host: dict[str, Any], specification: dict[str, Any]) -> None:
    """One host: its network, its root directory over the read-only layers, its init."""
    name = host["name"]
    run("ip", "netns", "add", name)
    run("ip", "link", "add", f"v-{name}", "type", "veth", "peer", "name", "host0", "netns", name)
    run("ip", "link", "set", f"v-{name}", "master", BRIDGE, "up")
    for words in (("link", "set", "lo", "up"), ("addr", "add", host["address"], "dev", "host0")):
        run("ip", "-n", name, *words)
    for own, peer in host["links"]:
        run("ip", "-n", name, "addr", "add", own, "peer", f"{peer}/32", "dev", "host0")
    run("ip", "-n", name, "link", "set", "host0", "up")
    place = Path(specification["changes"]) / name
    for part in ("upper", "work", "root"):
        (place / part).mkdir(parents=True)
    layers = f"lowerdir={':'.join(host['layers'])},upperdir={place}/upper,workdir={place}/work"
    run("mount", "-t", "overlay", "overlay", "-o", layers, str(place / "root"))
    write_identity(place / "root", host)
    command = [
        specification["nspawn"], "-q", "-D", str(place / "root"), "--register=no", "--keep-unit", "-M", name,
        "--console=pipe", f"--kill-signal={STOP_SIGNAL}", f"--network-namespace-path=/run/netns/{name}",
        "--link-journal=no", "--resolv-conf=off", "--timezone=off",
        *(f"--bind-ro={source}:{target}" for source, target in host["binds"]), "/bin/sh", "-c", INIT,
    ]  # fmt: skip
    with Path(host["log"]).open("wb") as log:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **specification["environment"]},
            preexec_fn=lambda: enter(host["cgroups"]),
        )


def write_identity(root: Path, host: dict[str, Any]) -> None:
    """What makes a copy of the base this host, and the units that make no sense in it."""
    (root / "etc/hostname").write_text(f"{host['hostname']}\n")
    (root / "etc/machine-id").write_text("")
    (root / "etc/systemd/system/multi-user.target.wants/ssh.service").unlink()  # its keys are to come
    resolver = root / "etc/resolv.conf"
    resolver.unlink(missing_ok=True)
    resolver.write_text("")
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for address, name in host["names"])]
    (root / "etc/hosts").write_text("\n".join(lines) + "\n")
    for unit in host["masked"]:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")


def enter(cgroups: list[str]) -> None:
    """Move this process into cgroups of the lab's own, one of each hierarchy."""
    for path in cgroups:
        (Path(path) / "cgroup.procs").write_text("0")


def run(*words: str) -> None:
    """A command that must succeed; its words go to the lab's log."""
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
