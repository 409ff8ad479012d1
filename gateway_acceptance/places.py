"""Where data lives: the checks and what belongs to them, and the folder of the person who runs them.

The data is in the checkout, or in ``gateway_acceptance/_data`` of an installed wheel (docs/package.md). The
person's folder holds their environment files, their waivers and their reports; in a checkout both are one.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

PACKAGED = "_data"
"""Made by the build: ``suites/``, ``schemas/``, ``environments/`` and ``reports/`` as in the checkout."""
BUILD = "build.json"
"""Which commit a wheel was built from: {commit, dirty}."""
LISTS = ("claims.toml", "profiles.toml", "coverage.toml", "limits.toml")
"""Any of them makes a folder ``suites/`` that of a project."""


@cache
def data_root() -> Path:
    """The folder with ``suites/``, ``schemas/`` and ``reports/`` that came with this package."""
    package = Path(str(files("gateway_acceptance")))
    packaged = package / PACKAGED
    return packaged if packaged.is_dir() else package.parent


def is_packaged() -> bool:
    """Whether the data came with a wheel, and not with a checkout."""
    return data_root().name == PACKAGED


def is_project(folder: Path) -> bool:
    """Whether a folder brings checks of its own: a checkout, or a project laid out like one."""
    return any((folder / "suites" / name).is_file() for name in LISTS)


def suites_of(folder: Path) -> Path:
    """The suites that are run from a folder: its own, or those that came with this package."""
    return (folder if is_project(folder) else data_root()) / "suites"


def environments_of(folder: Path) -> tuple[Path, ...]:
    """Where the environment files of a folder are, the nearest first. Those that came with this package help
    out in a folder without checks of its own; a name means only an embedded one of them."""
    own = folder / "environments"
    return (own,) if is_project(folder) else (own, data_root() / "environments")


def waivers_file(folder: Path) -> Path:
    """The waivers of a folder."""
    return folder / "environments" / "waivers.toml"


def runs_of(folder: Path) -> Path:
    """Where the runs from a folder are written."""
    return folder / "reports" / "runs"


def schemas() -> Path:
    """The published schemas."""
    return data_root() / "schemas"


def endpoint_schemas() -> list[Path]:
    """The schemas that lie in the folder of an endpoint."""
    return list((data_root() / "suites" / "api").glob("*/*.json"))


def templates() -> Path:
    """The templates of tracker, page and sign-off."""
    return data_root() / "reports" / "templates"


def allure_source() -> Path:
    """Allure's pinned tool: ``package.json``, its lock and ``allurerc.json``."""
    return data_root() / "reports" / "allure"
