"""The wheel, installed into a fresh virtual environment with nothing but what it declares; no index is asked.

The declared distributions are linked from those that run this test: what is not declared is not there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePath

from packaging.requirements import Requirement

from lab.patience import patient
from tests.plugin.gateway import KEY
from tests.plugin.project import KEY_VARIABLE

ROOT = Path(__file__).parents[2]
BUDGET_S = 120


@dataclass(frozen=True)
class Installed:
    """bin: of the virtual environment; folder: an empty one, where commands run."""

    bin: Path
    folder: Path

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the virtual environment. Its PATH holds nothing else: no git, make or Node."""
        return subprocess.run(
            [str(self.bin / command), *arguments],
            cwd=self.folder,
            env={"PATH": str(self.bin), "HOME": str(self.folder.parent), KEY_VARIABLE: KEY},
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(BUDGET_S),
            stdin=subprocess.DEVNULL,
        )


def install(folder: Path) -> Installed:
    """Build the wheel of this tree and install it below a folder."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=patient(BUDGET_S),
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index"),
            wheel,
        ],
        check=True,
        capture_output=True,
        timeout=patient(BUDGET_S),
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (metadata,) = site.glob("gateway_acceptance-*.dist-info")
    link(declared(Distribution.at(metadata)), site)
    empty = folder / "empty"
    empty.mkdir()
    return Installed(python.parent, empty)


def declared(package: Distribution) -> dict[str, Distribution]:
    """What a package needs without any extra, and what that needs, by name."""
    found: dict[str, Distribution] = {}
    open_ends = [(package, frozenset[str]())]
    while open_ends:
        each, extras = open_ends.pop()
        for line in each.requires or ():
            requirement = Requirement(line)
            if requirement.marker and not any(
                requirement.marker.evaluate({"extra": extra}) for extra in extras or {""}
            ):
                continue
            if requirement.name not in found or requirement.extras:
                found[requirement.name] = distribution(requirement.name)
                open_ends.append((found[requirement.name], frozenset(requirement.extras)))
    return found


def link(packages: dict[str, Distribution], site: Path) -> None:
    """Make packages importable there, each by links to its own files and folders."""
    for package in packages.values():
        for name in _tops(package.files or ()):
            source, target = Path(str(package.locate_file(name))), site / name
            if source.exists() and not target.exists():
                target.symlink_to(source)


def _tops(files: Iterable[PurePath]) -> set[str]:
    return {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}
