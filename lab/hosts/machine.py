"""One host of the lab, reached as root past SSH: for provisioning and for faults."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from gateway_acceptance.environment import Environment
from lab.patience import patient

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SERVING_BUDGET_S = 60
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Given:
    """A file for a host."""

    content: str | bytes
    mode: int = 0o644
    user: str = "root"
    group: str = "root"


@dataclass(frozen=True, slots=True)
class Leader:
    """A host by the pid of its init, as this machine counts pids."""

    pid: int

    def run(
        self,
        script: str,
        *,
        timeout: float,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """A ``bash -eu`` script as root inside. environment: of the script; nothing else is handed on. Raises
        subprocess.TimeoutExpired."""
        enter = [
            "nsenter",
            "--target",
            str(self.pid),
            "--mount",
            "--uts",
            "--ipc",
            "--net",
            "--pid",
            "--cgroup",
        ]
        done = subprocess.run(
            [*enter, "--root", "--", "/usr/bin/env", "-C", "/", "/bin/bash", "-euc", script],
            input=stdin if stdin is not None else b"",
            capture_output=True,
            check=False,
            timeout=timeout,
            env={"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", **(environment or {})},
        )
        return subprocess.CompletedProcess(
            done.args,
            done.returncode,
            done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"),
        )

    def give(self, files: Mapping[str, Given], *, timeout: float) -> subprocess.CompletedProcess[str]:
        """Write files (absolute paths; directories are made, 755 root:root)."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path, given in files.items():
                content = given.content.encode() if isinstance(given.content, str) else given.content
                entry = tarfile.TarInfo(path.lstrip("/"))
                entry.size, entry.mode, entry.mtime = len(content), given.mode, int(time.time())
                entry.uname, entry.gname = given.user, given.group
                archive.addfile(entry, io.BytesIO(content))
        return self.run("umask 022; tar -x -C / --same-owner -p", timeout=timeout, stdin=packed.getvalue())


def leader_of(folder: Path, name: str) -> Leader:
    """A host of the running lab: ``gateway`` or a backend's name. Raises KeyError, OSError."""
    document = json.loads((folder / "hosts.json").read_text(encoding="utf-8"))
    return Leader(document["leaders"][name])


def wait_until_serving(environment: Environment) -> None:
    """Until the gateway answers its liveness route. Raises TimeoutError."""
    budget_s = patient(SERVING_BUDGET_S)
    end = time.monotonic() + budget_s
    url = f"{environment.gateway.url}/health/liveliness"
    with httpx.Client(trust_env=False, timeout=2) as client:
        while time.monotonic() < end:
            try:
                if client.get(url).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(POLL_S)
    raise TimeoutError(f"{url} does not answer within {budget_s:.0f} s")
