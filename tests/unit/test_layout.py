"""What ``make test`` runs is everything that is there."""

import fnmatch
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_folder_of_tests_or_suites_is_passed_over() -> None:
    """Pytest leaves out folders by their bare names, also where they hold tests."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["pytest"]["ini_options"]["norecursedirs"]
    folders = {path.parent for base in ("tests", "suites") for path in (ROOT / base).rglob("test_*.py")}
    names = {part for folder in folders for part in folder.relative_to(ROOT).parts}
    assert {"lab", "api"} <= names
    assert not [name for name in names for pattern in patterns if fnmatch.fnmatch(name, pattern)]
