"""Whether a git checkout holds just what its commit holds, by content.

``git status`` believes its index, its configuration and its lists of what to overlook. Here the commit's own
objects are read and each is hashed again, from the commit's id down to the files of the work tree: another
``git`` in PATH can say nothing else, and no setting hides a change.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GIT_BUDGET_S = 30
SHOWN = 5
"""Names of changed files that are told; a record is no list of them."""
DECIDING = ("suites", "schemas", "gateway_acceptance")
DATA = (".toml", ".json", ".ini", ".cfg", ".j2", ".css")
IMPORTABLE = (".py", ".pyc", ".so", ".pyd", ".pth")
OF_PYTEST = ("pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pytest.toml", ".pytest.toml")
PASSED_OVER = ("node_modules", "__pycache__", "dist", "build")
RUNS = ("runs", "signoffs")
FILE, LINK, TREE = "100", "120000", "40000"


class ObjectMismatch(Exception):  # noqa: N818
    """Git's answer does not have the hash that it was asked for, or there was none."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """commit: its id in hex; changed: files that are not as it holds them, gone, or added, sorted."""

    commit: str
    changed: tuple[str, ...]


def checkout_of(root: Path) -> Checkout | None:
    """The checkout in a folder; None where there is none, no git, or one that cannot be read."""
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    try:
        commit = _ask(git, root, "rev-parse", "--verify", "HEAD^{commit}").strip()
        held = _files(git, root, commit)
        output = _ask(
            *(git, root, "-c", "core.fsmonitor=false", "-c", "status.showUntrackedFiles=all"),
            *("status", "--porcelain", "-z", "--no-renames"),
        )
    except (OSError, subprocess.SubprocessError, ObjectMismatch, ValueError, UnicodeDecodeError):
        return None
    top = str(root)
    changed = {
        name for name, (mode, digest) in held.items() if not _as_held(os.path.join(top, name), mode, digest)
    }
    changed |= {name for name in _added(root) if name not in held}
    changed |= {entry[3:] for entry in output.split("\0") if entry}
    return Checkout(commit, tuple(sorted(changed)))


def _environment() -> dict[str, str]:
    """Nothing of it may lead git elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0"}


def _ask(git: str, root: Path, *words: str) -> str:
    done = subprocess.run(
        [git, "-C", str(root), *words],
        capture_output=True,
        check=True,
        timeout=GIT_BUDGET_S,
        env=_environment(),
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.decode("utf-8", "surrogateescape")


def _files(git: str, root: Path, commit: str) -> dict[str, tuple[str, str]]:
    """Every file of a commit: {name: (mode, hash)}. Raises ObjectMismatch."""
    found: dict[str, tuple[str, str]] = {}
    known = _objects(git, root, [commit, *_folders(git, root, commit)])
    first = known[commit].split(b"\n", 1)[0].split()
    if len(first) != 2 or first[0] != b"tree":
        raise ObjectMismatch(commit)
    waiting = {"": first[1].decode("ascii")}
    while waiting:
        if unknown := sorted(set(waiting.values()) - set(known)):
            known |= _objects(git, root, unknown)
        trees, below = known, dict[str, str]()
        for folder, digest in waiting.items():
            for mode, name, entry in _entries(trees[digest], len(commit) // 2):
                path = f"{folder}{name}"
                if mode == TREE:
                    below[f"{path}/"] = entry
                else:
                    found[path] = (mode, entry)
        waiting = below
    return found


def _folders(git: str, root: Path, commit: str) -> list[str]:
    """The ids of a commit's trees, as git lists them: what is asked for at once. What they hold is believed
    of nobody, and what is not among them is asked for when it is needed."""
    top = _ask(git, root, "rev-parse", "--verify", f"{commit}^{{tree}}").split()
    listed = _ask(git, root, "ls-tree", "-r", "-d", "-z", "--full-tree", commit).split("\0")
    return list(dict.fromkeys([*top, *(entry.split()[2] for entry in listed if entry[7:12] == "tree ")]))


def _entries(tree: bytes, size: int) -> Iterator[tuple[str, str, str]]:
    """(mode, name, hash) of each entry of a tree object; size: bytes of a hash."""
    at = 0
    while at < len(tree):
        end = tree.index(b"\0", at)
        mode, name = tree[at:end].split(b" ", 1)
        digest = tree[end + 1 : end + 1 + size]
        yield mode.decode("ascii"), os.fsdecode(name), digest.hex()
        at = end + 1 + size


def _objects(git: str, root: Path, names: list[str]) -> dict[str, bytes]:
    """The content of objects by their ids; each has the hash that it is named by. Raises ObjectMismatch."""
    done = subprocess.run(
        [git, "-C", str(root), "cat-file", "--batch"],
        input="".join(f"{name}\n" for name in names).encode("ascii"),
        capture_output=True,
        check=True,
        timeout=GIT_BUDGET_S,
        env=_environment(),
    )
    answer, at, found = done.stdout, 0, {}
    for name in names:
        end = answer.find(b"\n", at)
        header = answer[at:end].split()
        if end < 0 or len(header) != 3 or not header[2].isdigit():
            raise ObjectMismatch(name)
        size = int(header[2])
        content = answer[end + 1 : end + 1 + size]
        if _hash(header[1], content, len(name)) != name:
            raise ObjectMismatch(name)
        found[name] = content
        at = end + 1 + size + 1
    return found


def _hash(kind: bytes, content: bytes, digits: int) -> str:
    """Git's id of an object; of a repository with SHA-256 it has 64 digits."""
    digest = hashlib.sha256() if digits == 64 else hashlib.sha1(usedforsecurity=False)
    digest.update(kind + b" " + str(len(content)).encode("ascii") + b"\0" + content)
    return digest.hexdigest()


def _as_held(path: str, mode: str, digest: str) -> bool:
    try:
        if mode == LINK:
            return _hash(b"blob", os.fsencode(os.readlink(path)), len(digest)) == digest
        if not mode.startswith(FILE) or os.path.islink(path):
            return False
        with open(path, "rb") as file:
            content = file.read()
    except (OSError, ValueError):
        return False
    if _hash(b"blob", content, len(digest)) == digest:
        return True
    return _hash(b"blob", content.replace(b"\r\n", b"\n"), len(digest)) == digest  # core.autocrlf


def _added(root: Path) -> Iterator[str]:
    """Files that Python or the suite would take: whatever can be imported, and data where the suite looks."""
    for folder, folders, files in os.walk(root):
        here = os.path.relpath(folder, root) if folder != str(root) else ""
        first = here.split(os.sep, 1)[0]
        folders[:] = [name for name in folders if not _aside(folder, first or name, name)]
        for name in files:
            counts = name.endswith(IMPORTABLE) or (first in DECIDING and name.endswith(DATA))
            if counts or (not here and name in OF_PYTEST):
                yield f"{here}/{name}".replace(os.sep, "/") if here else name


def _aside(inside: str, first: str, name: str) -> bool:
    """What is no part of a checkout: hidden folders, virtual environments, what runs leave. inside: where the
    folder of this name lies; first: the part of its path below the root."""
    if name.startswith(".") or name in PASSED_OVER or name.endswith(".egg-info"):
        return True
    if first == "reports" and name in RUNS:
        return True
    return os.path.isfile(os.path.join(inside, name, "pyvenv.cfg"))
