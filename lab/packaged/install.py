"""The locked packages of a gateway, installed once below ``.lab``."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.locked_install import InstallFailedError, install_lock, run
from gateway_acceptance.report.node import NoNodeError, node, npm
from lab.litellm.install import base_python

HERE = Path(__file__).parent
NPM_CI = (
    *("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
    *("--fetch-retries=1", "--prefer-offline"),
)
Say = Callable[[str], None]


def pinned(lock: Path, package: str) -> str:
    """The version that a lock of pip pins."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, f"{lock} does not pin {package}"
    return found[1]


def from_pypi(root: Path, name: str, version: str, lock: Path, say: Say) -> Path:
    """The ``bin`` folder of a virtual environment with what a lock pins. Raises NotStarted with pip's
    reason."""
    folder = root / ".lab" / "pypi" / f"{name}-{version}-{_mark(lock)}"
    with _once(folder, f"{name} {version}", say) as wanted:
        if wanted:
            run([base_python(), "-m", "venv", str(folder)], os.environ)
            install_lock(folder / "bin" / "python", lock)
    return folder / "bin"


def from_npm(root: Path, name: str, version: str, source: Path, say: Say) -> Path:
    """The ``node_modules`` folder of what ``package-lock.json`` in ``source`` pins. Raises NotStarted with
    npm's reason."""
    lock = source / "package-lock.json"
    folder = root / ".lab" / "npm" / f"{name}-{version}-{_mark(lock)}"
    with _once(folder, f"{name} {version}", say) as wanted:
        if wanted:
            folder.mkdir()
            for file in (lock, source / "package.json"):
                shutil.copy(file, folder)
            _npm_ci(folder)
    return folder / "node_modules"


def _mark(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()[:12]


@contextmanager
def _once(folder: Path, what: str, say: Say) -> Iterator[bool]:
    """Whether it is to be installed; other runs wait meanwhile."""
    ready = folder / ".ready"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if ready.exists():
            yield False
            return
        say(f"installing {what} (locked), once ...")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            yield True
        except InstallFailedError as failed:
            raise NotStarted(f"{what} cannot be installed: {failed.reason}", failed.detail) from None
        ready.touch()


def _npm_ci(folder: Path) -> None:
    try:
        program, script = node(), npm()
    except NoNodeError as error:
        raise InstallFailedError(str(error)) from None
    path = os.pathsep.join([str(program.parent), os.environ.get("PATH", os.defpath)])
    # the machine's own certificates, as pip uses them: the wheel's node brings a list of its own
    variables = {"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": path, "NO_COLOR": "1"}
    run([str(program), str(script), *NPM_CI], variables, cwd=folder)
