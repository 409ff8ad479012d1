"""What judged, bound by content: taken before anything is sent, and again at the end (docs/evidence.md).

The environment as it was resolved and its file, every file that decides, the installed distributions, the
interpreter, the variables that change it, pytest's plugins and effective options. Two such accounts of
one run must agree. What makes a run unfit for a sign-off stands in ``problems``, a sentence each; such a
run stays possible for development.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.environment import Environment, resolved
from gateway_acceptance.places import data_root
from gateway_acceptance.plugin.options import user_folder
from gateway_acceptance.waivers import waivers_path

DECIDING = ("suites", "schemas", "gateway_acceptance")
"""Folders of a project whose files decide what a run says."""
ALONE = ("conftest.py", "pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg")
SUFFIXES = (".py", ".toml", ".json", ".ini", ".cfg")
VARIABLES = ("PYTEST_", "PYTHON", "GATEWAY_ACCEPTANCE_")
HARMLESS = (
    "PYTEST_CURRENT_TEST",
    "PYTEST_XDIST_",
    "PYTEST_VERSION",
    "PYTHONUNBUFFERED",
    "PYTHONPYCACHEPREFIX",
)
"""Set by pytest itself while it runs, or without a say in what is judged."""
KNOWN_PLUGINS = frozenset(
    ("allure-pytest", "anyio", "gateway-acceptance", "hypothesis", "pytest-testinfra", "pytest-xdist")
)
"""Distributions with a pytest plugin that the suite itself brings."""
FLAGS = ("optimize", "ignore_environment", "no_site", "no_user_site", "isolated", "dev_mode", "bytes_warning")
Account = dict[str, Any]


def account_of(config: pytest.Config, environment: Environment) -> Account:
    """The account of one environment's run now. Raises nothing for what cannot be read: it says so
    instead."""
    root = config.rootpath
    folders = [root, *([data_root()] if data_root() != root else [])]
    return {
        "environment": {
            "file": environment.source.name,
            "sha256": _of_file(environment.source),
            "resolved_sha256": resolved(environment),
        },
        "files": _of_files(
            folders,
            [
                _beside(environment, environment.claims),
                waivers_path(environment, user_folder(config)),
            ],
        ),
        "distributions": _of_distributions(),
        "interpreter": {
            "version": sys.version.split()[0],
            "flags": {name: getattr(sys.flags, name) for name in FLAGS if getattr(sys.flags, name)},
        },
        "variables": _variables(os.environ),
        "plugins": _plugins(config),
        "options": {
            "assert": str(config.getoption("assertmode", "rewrite")),
            "addopts": [str(one) for one in config.getini("addopts")],
            "plugins": [str(one) for one in config.getoption("plugins", [])],
        },
        "problems": [
            *interpreter_problems(sys.flags.optimize, str(config.getoption("assertmode", "rewrite"))),
            *plugin_problems(_plugins(config)),
            *module_problems(loaded_modules(), [*folders, *_places_of_python()]),
        ],
    }


def interpreter_problems(optimize: int, assertmode: str) -> list[str]:
    """What takes the checks' assertions away."""
    found = []
    if optimize:
        found.append("Python ran with -O (PYTHONOPTIMIZE), which removes assertions: run without it")
    if assertmode != "rewrite":
        found.append(f"pytest ran with --assert={assertmode}: run without it")
    return found


def plugin_problems(plugins: Sequence[str]) -> list[str]:
    """Distributions that take part in the run and are none of the suite's. plugins: ``name version``."""
    foreign = sorted(one for one in plugins if one.split(" ", 1)[0] not in KNOWN_PLUGINS)
    return [
        f"the pytest plugin {one} took part, which is none of the suite's: uninstall it" for one in foreign
    ]


def module_problems(modules: Iterable[tuple[str, Path]], places: Iterable[Path]) -> list[str]:
    """Modules that were loaded from elsewhere than the suite, the interpreter and its distributions."""
    known = [place.resolve() for place in places]
    foreign = sorted(
        name for name, path in modules if not any(path.resolve().is_relative_to(place) for place in known)
    )
    if not foreign:
        return []
    shown = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
    return [
        f"modules were loaded from outside the suite and its distributions: {shown}; unset PYTHONPATH "
        "and take away -p"
    ]


def loaded_modules() -> list[tuple[str, Path]]:
    """(name, file) of every module that is loaded now and has one."""
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and name != "__main__":
            found.append((name, Path(file)))
    return found


def _places_of_python() -> list[Path]:
    named = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return [Path(one) for one in named if one]


def _beside(environment: Environment, name: object) -> Path | None:
    return environment.source.parent / str(name) if name else None


def _of_file(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "cannot be read"


def _of_files(folders: Sequence[Path], more: Sequence[Path | None]) -> Account:
    found: dict[str, str] = {}
    for number, folder in enumerate(folders):
        for name in DECIDING:
            for path in sorted((folder / name).rglob("*")):
                if path.suffix in SUFFIXES and "__pycache__" not in path.parts:
                    found[f"{number}/{path.relative_to(folder)}"] = _of_file(path)
        for name in ALONE:
            if (folder / name).is_file():
                found[f"{number}/{name}"] = _of_file(folder / name)
    found |= {f"own/{path.name}": _of_file(path) for path in more if path is not None}
    return {"sha256": _digest(found), "count": len(found)}


def _of_distributions() -> Account:
    found = {}
    for one in distributions():
        record = one.read_text("RECORD") or ""
        found[f"{one.metadata['Name']}=={one.version}"] = hashlib.sha256(record.encode()).hexdigest()
    return {"sha256": _digest(found), "count": len(found)}


def _digest(found: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(found), sort_keys=True).encode()).hexdigest()


def _variables(given: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in sorted(given.items())
        if name.startswith(VARIABLES) and not name.startswith(HARMLESS)
    }


def _plugins(config: pytest.Config) -> list[str]:
    named = {(dist.project_name, dist.version) for _, dist in config.pluginmanager.list_plugin_distinfo()}
    return sorted(f"{name} {version}" for name, version in named)
