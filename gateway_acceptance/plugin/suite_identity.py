"""Which suite judged: its version, its commit where that is known, and whether it was changed."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, PackagePath, distribution
from pathlib import Path

import gateway_acceptance
from gateway_acceptance.places import BUILD, PACKAGED, data_root, is_packaged

DISTRIBUTION = "gateway-acceptance"
GIT_BUDGET_S = 10
Identity = dict[str, object]


def suite_identity(root: Path) -> Identity:
    """{version, commit (str or null), dirty (bool or null)}. root: the project whose checks are run.

    Of an installed wheel the commit is the one it was built from, and it is dirty where a file is not as it
    was installed. Where there is no git, or no checkout, nothing is known, and such a run cannot be signed.
    """
    commit, dirty = _installed() if is_packaged() and root == data_root() else _checked_out(root)
    return {"version": gateway_acceptance.__version__, "commit": commit, "dirty": dirty}


def _checked_out(root: Path) -> tuple[str | None, bool | None]:
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None, None

    def ask(*words: str) -> str:
        answer = subprocess.run(
            [git, "-C", str(root), *words], capture_output=True, text=True, check=True, timeout=GIT_BUDGET_S
        )
        return answer.stdout.strip()

    try:
        return ask("rev-parse", "HEAD"), bool(ask("status", "--porcelain"))
    except (OSError, subprocess.SubprocessError):  # somebody else's checkout, or a torn one
        return None, None


def _installed() -> tuple[str | None, bool | None]:
    try:
        built: Mapping[str, object] = json.loads((data_root() / BUILD).read_text(encoding="utf-8"))
        commit = str(built["commit"])
        listed = distribution(DISTRIBUTION).files or []
    except (OSError, ValueError, KeyError, PackageNotFoundError):
        return None, None
    return commit, built.get("dirty") is not False or changed(listed, data_root() / "suites")


def changed(listed: list[PackagePath], suites: Path) -> bool:
    """Whether a file of the package is not as it was installed, or a check was added.

    listed: the files of the distribution with their hashes.
    """
    ours = [path for path in listed if path.parts[0] == "gateway_acceptance" and path.suffix != ".pyc"]
    if not any(PACKAGED in path.parts for path in ours) or not all(map(_as_installed, ours)):
        return True
    there = {Path(str(path.locate())) for path in ours}
    return any(path not in there for path in suites.rglob("*.py"))


def _as_installed(path: PackagePath) -> bool:
    try:
        content = Path(str(path.locate())).read_bytes()
    except OSError:
        return False
    if path.hash is None:
        return False
    digest = hashlib.new(path.hash.mode, content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == path.hash.value
