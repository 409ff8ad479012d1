"""LiteLLM in a virtual environment of its own, at a locked version; never in the suite's."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from packaging.version import Version

from gateway_acceptance.embedded import NotStarted

HERE = Path(__file__).parent
VERSION = re.compile(r"^[0-9][0-9A-Za-z.]*$")
INSTALL_BUDGET_S = 900
"""Seconds for one installation; a slow index, not a hanging one."""


def resolve_version(wanted: str) -> str:
    """``latest``, a version, or nothing (the default), as a version. Raises NotStarted."""
    known = tomllib.loads((HERE / "versions.toml").read_text(encoding="utf-8"))
    version = known.get(wanted, wanted) if wanted else known["default"]
    if not VERSION.match(version):
        raise NotStarted(f"--litellm {wanted!r} is no version; give 'latest' or a version such as 1.74.15")
    return str(version)


def locked_versions() -> list[str]:
    """The versions that have a lock file, oldest first."""
    return sorted((path.name.removesuffix(".lock") for path in HERE.glob("*.lock")), key=Version)


def ensure_litellm(root: Path, version: str, say: Callable[[str], None]) -> Path:
    """The ``litellm`` executable of that version, installed once below ``root/.lab``.

    Raises NotStarted with the installer's last lines where it cannot be had.
    """
    lock = HERE / f"{version}.lock"
    mark = hashlib.sha256(lock.read_bytes()).hexdigest()[:12] if lock.exists() else "unlocked"
    folder = root / ".lab" / "litellm" / f"{version}-{mark}"
    executable = folder / "bin" / "litellm"
    ready = folder / ".ready"
    if ready.exists():
        return executable
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # another run may be installing the same
        if ready.exists():
            return executable
        locked = "locked" if lock.exists() else "not locked: its dependencies are today's newest"
        say(f"installing LiteLLM {version} ({locked}), once ...")
        shutil.rmtree(folder, ignore_errors=True)
        # --no-deps: the lock is complete; resolving again would let tomorrow's releases break it
        what = (
            ["--no-deps", "--require-hashes", "-r", str(lock)]
            if lock.exists()
            else [f"litellm[proxy]=={version}"]
        )
        _run([_base_python(), "-m", "venv", str(folder)], version)
        _run([str(folder / "bin" / "pip"), "install", "--quiet", *what], version)
        ready.touch()
    return executable


def _run(command: list[str], version: str) -> None:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_BUDGET_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotStarted(f"LiteLLM {version} cannot be installed: {error}") from None
    if done.returncode:
        raise NotStarted(
            f"LiteLLM {version} cannot be installed; locked versions are {', '.join(locked_versions())}",
            "\n".join(done.stderr.strip().splitlines()[-8:]),
        )


def _base_python() -> str:
    """The interpreter below the suite's own virtual environment."""
    return getattr(sys, "_base_executable", sys.executable)
