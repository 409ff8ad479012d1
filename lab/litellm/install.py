"""LiteLLM in a virtual environment of its own, at a locked version; never in the suite's."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from packaging.version import Version

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.locked_install import (
    InstallFailedError,
    install_lock,
    neutral_for,
    run,
)
from lab.installed import READY, venv_stands
from lab.litellm.resolve import resolve

HERE = Path(__file__).parent
VERSION = re.compile(r"^[0-9][0-9A-Za-z.]*(-[a-z]+)?$")
VARIANTS = {"prisma": ("prisma==0.15.0",), "database": ("prisma==0.15.0",)}
"""What is installed beside a release, as LiteLLM's own images have it. ``prisma``: the driver alone, nothing
connects; ``database``: an environment of its own for the generated client (lab.database.install)."""


def resolve_version(wanted: str) -> str:
    """``latest``, a version, or nothing (the default), as a version. Raises NotStarted."""
    known = tomllib.loads((HERE / "versions.toml").read_text(encoding="utf-8"))
    version = known.get(wanted, wanted) if wanted else known["default"]
    if not VERSION.match(version):
        raise NotStarted(f"--litellm {wanted!r} is no version; give 'latest' or a version such as 1.74.15")
    return str(version)


def default_version() -> str:
    """What every embedded environment runs that is given no other one."""
    return resolve_version("")


def locked_versions() -> list[str]:
    """The versions that have a lock file, oldest first."""
    return sorted((path.name.removesuffix(".lock") for path in HERE.glob("*.lock")), key=Version)


def ensure_litellm(root: Path, version: str, say: Callable[[str], None]) -> Path:
    """The ``litellm`` executable of that version (``1.106.2``, or with a variant ``1.106.2-prisma``),
    installed once below ``root/.lab``.

    A version without a lock is resolved once; what it resolved to is kept in ``root/.lab/litellm``, as
    VERSION.lock, and installed from there, here and wherever that file is copied to. Raises NotStarted with
    the installer's reason.
    """
    version, _, variant = version.partition("-")
    if variant and variant not in VARIANTS:
        known = ", ".join(VARIANTS)
        raise NotStarted(f"LiteLLM {version}: no variant {variant!r} is known; there are: {known}")
    folder = root / ".lab" / "litellm"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _alone(folder, version):
            lock = _lock_of(folder, version, root, say)
        with _alone(folder, "-".join(filter(None, (version, variant)))):
            return _installed(folder, version, variant, lock, say)
    except InstallFailedError as failed:
        known = f"locked versions are {', '.join(locked_versions())}"
        raise NotStarted(
            f"LiteLLM {version} cannot be installed: {failed.reason}",
            "\n".join([failed.detail, known]).strip(),
        ) from None


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """Another run may be installing the same; a variant is not waited for by who wants the plain release."""
    with (folder / f".{name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _lock_of(folder: Path, version: str, root: Path, say: Callable[[str], None]) -> Path:
    lock = HERE / f"{version}.lock"
    if not lock.exists():
        lock = folder / f"{version}.lock"
        if not lock.exists():
            say(f"resolving LiteLLM {version} (no lock), once; kept in {lock.relative_to(root)} ...")
            for word in resolve(lock, version, base_python()):
                say(f"LiteLLM {version}: {word}")
    return lock


def _installed(folder: Path, version: str, variant: str, lock: Path, say: Callable[[str], None]) -> Path:
    mark = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    # a folder that is reached by a link is named by itself: programs hold the path that they were made under
    place = folder.resolve() / "-".join(filter(None, (version, mark, variant)))
    if not venv_stands(place, "litellm", "litellm"):
        say(f"installing LiteLLM {version} (locked), once ...")
        shutil.rmtree(place, ignore_errors=True)
        run([base_python(), "-m", "venv", str(place)], os.environ)
        python = place / "bin" / "python"
        install_lock(python, lock)
        if variant:
            beside = ["-m", "pip", "install", "--quiet", *VARIANTS[variant]]
            run([str(python), *beside], neutral_for(python))
        (place / READY).touch()
    return place / "bin" / "litellm"


def base_python() -> str:
    """The interpreter below the suite's own virtual environment."""
    return getattr(sys, "_base_executable", sys.executable)
