"""The files that decide what a run says: by content, and whether anybody wrote one while the run went on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import gateway_acceptance
from gateway_acceptance.places import data_root

FOLDERS = ("suites", "schemas", "gateway_acceptance", "reports/templates")
"""Of a project, or of the data of an installed package."""
ALONE = (
    *("conftest.py", "pyproject.toml", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"),
    *("tox.ini", "setup.cfg"),
)
"""At the root of a project; what pytest takes its settings from is among them."""
SUFFIXES = (".py", ".toml", ".json", ".ini", ".cfg", ".j2", ".css")
PASSED_OVER = frozenset({"__pycache__", "node_modules"})
SHOWN = 5
Stamps = Mapping[Path, tuple[int, int]]
"""Of each file: its inode, and when its content, name or mode was last changed (ns), which nobody can set."""
STAMPS = pytest.StashKey[Stamps]()


def deciding_files(root: Path) -> dict[str, Path]:
    """By a name that says where from: 0/ the project, 1/ the data that came with the package, 2/ its code."""
    folders = list(dict.fromkeys([root, data_root()]))
    found: dict[str, Path] = {}
    for number, folder in enumerate(folders):
        for name in FOLDERS:
            found |= {f"{number}/{path.relative_to(folder)}": path for path in below(folder / name)}
        found |= {f"{number}/{name}": folder / name for name in ALONE if (folder / name).is_file()}
    package = Path(gateway_acceptance.__file__).parent
    if not any(package.parent == folder for folder in folders):
        known = set(found.values())
        found |= {f"2/{path.relative_to(package)}": path for path in below(package) if path not in known}
    return found


def stamps_of(root: Path, more: Sequence[Path] = ()) -> Stamps:
    """Taken before pytest reads the first file of the project."""
    found = {}
    for path in (*deciding_files(root).values(), *more):
        try:
            stat = path.stat()
        except OSError:
            continue
        found[path] = (stat.st_ino, stat.st_ctime_ns)
    return found


def touched(root: Path, before: Stamps) -> list[str]:
    """Some of the files that were written, replaced, added or taken away since, by name; sorted."""
    now = stamps_of(root)
    changed = [path for path in {**before, **now} if before.get(path) != now.get(path)]
    return sorted(_named(path, root) for path in changed)[:SHOWN]


def digest_of(path: Path) -> str:
    """SHA-256 of a file in hex, or that it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "cannot be read"


def _named(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def below(folder: Path) -> list[Path]:
    """The files of a folder that decide, sorted."""
    if PASSED_OVER.intersection(folder.parts):
        return []
    found: list[str] = []
    for here, folders, files in os.walk(folder):
        found += [f"{here}{os.sep}{name}" for name in (*files, *folders) if name.endswith(SUFFIXES)]
        folders[:] = [name for name in folders if name not in PASSED_OVER]
    return sorted(map(Path, found))
