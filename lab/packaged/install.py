"""The locked packages of a gateway, installed once below ``.lab``."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.locked_install import InstallFailedError, install_lock, run
from lab.installed import READY, tree_stands, venv_stands
from lab.litellm.install import base_python
from lab.npm import npm_ci

HERE = Path(__file__).parent
Say = Callable[[str], None]


def pinned(lock: Path, package: str) -> str:
    """The version that a lock of pip pins."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, f"{lock} does not pin {package}"
    return found[1]


def from_pypi(root: Path, name: str, version: str, lock: Path, say: Say, *, package: str) -> Path:
    """The ``bin`` folder of a virtual environment with what a lock pins. package: the distribution that is
    wanted of it. Raises NotStarted with pip's reason."""
    folder = (root / ".lab" / "pypi").resolve() / f"{name}-{version}-{_mark(lock)}"
    stands = partial(venv_stands, folder, package)
    with _once(folder, f"{name} {version}", stands, say) as wanted:
        if wanted:
            run([base_python(), "-m", "venv", str(folder)], os.environ)
            install_lock(folder / "bin" / "python", lock)
    return folder / "bin"


def from_npm(root: Path, name: str, version: str, source: Path, say: Say) -> Path:
    """The ``node_modules`` folder of what ``package-lock.json`` in ``source`` pins. Raises NotStarted with
    npm's reason."""
    lock = source / "package-lock.json"
    folder = root / ".lab" / "npm" / f"{name}-{version}-{_mark(lock)}"
    stands = partial(tree_stands, folder, "node_modules")
    with _once(folder, f"{name} {version}", stands, say) as wanted:
        if wanted:
            folder.mkdir()
            for file in (lock, source / "package.json"):
                shutil.copy(file, folder)
            npm_ci(folder, f"{name} {version}")
    return folder / "node_modules"


def _mark(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()[:12]


@contextmanager
def _once(folder: Path, what: str, stands: Callable[[], bool], say: Say) -> Iterator[bool]:
    """Whether it is to be installed; other runs wait meanwhile."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if stands():
            yield False
            return
        say(f"installing {what} (locked), once ...")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            yield True
        except InstallFailedError as failed:
            raise NotStarted(f"{what} cannot be installed: {failed.reason}", failed.detail) from None
        (folder / READY).touch()
