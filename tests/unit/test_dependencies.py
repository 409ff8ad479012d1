"""The lower bound of every dependency is the locked version: what is promised is what is tested."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def test_the_lower_bounds_are_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(line for each in project["optional-dependencies"].values() for line in each),
    ]
    lock = (ROOT / "requirements" / "suite.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9_.-]+)(?:\[[^]]*\])?==([^ ;\\]+)", lock, re.MULTILINE))
    for requirement in map(Requirement, declared):
        bounds = {each.operator: each.version for each in requirement.specifier}
        assert locked[requirement.name] in (bounds.get(">="), bounds.get("==")), requirement


def test_what_a_user_installs_has_no_exact_version() -> None:
    """Or it could not be installed beside anything else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert not [
        line for line in (*project["dependencies"], *extras["report"], *extras["lab"]) if "==" in line
    ]
