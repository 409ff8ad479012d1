"""What the lab of hosts needs of this machine, fetched into the project's own folder, altering nothing."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.locked_install import reason_of

NEEDED = (
    "apt-get",
    "dpkg-deb",
    "perl",
    "unshare",
    "nsenter",
    "mount",
    "ip",
    "chroot",
    "ssh",
    "ssh-keygen",
    "tar",
)
PACKAGES = ("systemd-container", "libsystemd-shared", "mmdebstrap")
FETCH_BUDGET_S = 300


@dataclass(frozen=True, slots=True)
class Tools:
    """Executables below ``folder``; environment: what they need to find their own libraries."""

    folder: Path

    @property
    def nspawn(self) -> Path:
        """systemd-nspawn."""
        return self.folder / "usr" / "bin" / "systemd-nspawn"

    @property
    def mmdebstrap(self) -> Path:
        """mmdebstrap."""
        return self.folder / "usr" / "bin" / "mmdebstrap"

    @property
    def environment(self) -> dict[str, str]:
        """Variables under which the executables run."""
        libraries = sorted({str(path.parent) for path in self.folder.rglob("libsystemd-shared-*.so")})
        return {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}


def refuse_unable_machine() -> None:
    """Raises NotStarted with one sentence where systemd hosts cannot run here."""
    missing = [name for name in NEEDED if shutil.which(name, path=search_path()) is None]
    if os.geteuid() != 0:
        raise NotStarted(
            "the lab of systemd hosts needs root (namespaces and mounts of its own); without it the rest "
            "works: pytest --env local runs the API and backend suites"
        )
    if missing:
        raise NotStarted(
            f"the lab of systemd hosts needs the commands {', '.join(missing)} (Debian-like machines have "
            "them in packages); without them pytest --env local still works"
        )


def search_path() -> str:
    """PATH with the places of administrative commands."""
    return os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"


def ensure_tools(root: Path, say: Callable[[str], None]) -> Tools:
    """systemd-nspawn and mmdebstrap, unpacked once below ``root/.lab``. Raises NotStarted."""
    tools = Tools(root / ".lab" / "tools")
    ready = tools.folder / ".ready"
    tools.folder.parent.mkdir(parents=True, exist_ok=True)
    with (tools.folder.parent / ".tools.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if ready.exists():
            return tools
        say("fetching systemd-nspawn and mmdebstrap, once ...")
        shutil.rmtree(tools.folder, ignore_errors=True)
        packages = tools.folder / "packages"
        packages.mkdir(parents=True)
        try:
            command(["apt-get", "download", *PACKAGES], cwd=packages)
        except NotStarted:  # fresh machines have no package lists yet
            command(["apt-get", "update"], cwd=packages)
            command(["apt-get", "download", *PACKAGES], cwd=packages)
        for package in sorted(packages.glob("*.deb")):
            command(["dpkg-deb", "-x", str(package), str(tools.folder)])
        shutil.rmtree(packages)
        ready.touch()
    return tools


def command(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    budget_s: float = FETCH_BUDGET_S,
) -> str:
    """The output of a command of the preparations. Raises NotStarted with its last lines."""
    try:
        done = subprocess.run(
            argv,
            cwd=cwd,
            env={**(environment or os.environ), "PATH": search_path(), "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=budget_s,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotStarted(f"{argv[0]} cannot be run: {error}") from None
    if done.returncode:
        reason, detail = reason_of(f"{done.stdout}\n{done.stderr}")
        raise NotStarted(f"{Path(argv[0]).name} failed ({done.returncode}): {reason}", detail)
    return done.stdout
