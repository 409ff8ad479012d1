"""What judged, bound by content: taken before anything is sent, and again at the end (docs/evidence.md).

The environment as it was resolved and its file, every file that decides, the suite's commit, the installed
distributions, the interpreter, the variables that change it, pytest's plugins and effective options. Two such
accounts of one run must agree. What makes a run unfit for a sign-off stands in ``problems``, a sentence each;
such a run stays possible for development.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.check import RELEASE
from gateway_acceptance.environment import Environment, resolved
from gateway_acceptance.environment.resolved import digest_of_names, resolved_document
from gateway_acceptance.places import data_root
from gateway_acceptance.plugin.compiled import compiled_problems
from gateway_acceptance.plugin.deciding import Stamps, deciding_files, digest_of, touched
from gateway_acceptance.plugin.loaded import (
    brought_files,
    distribution_problems,
    interpreter_problems,
    loaded_modules,
    missing_files,
    module_problems,
    option_problems,
    plugin_problems,
    read_lock,
    setting_problems,
    startup_problems,
    variable_problems,
)
from gateway_acceptance.plugin.options import profile_of, user_folder
from gateway_acceptance.plugin.suite_identity import SuiteState
from gateway_acceptance.waivers import waivers_path

VARIABLES = ("PYTEST_", "PYTHON", "GATEWAY_ACCEPTANCE_")
HARMLESS = (
    "PYTEST_CURRENT_TEST",
    "PYTEST_XDIST_",
    "PYTEST_VERSION",
    "PYTHONUNBUFFERED",
    "PYTHONPYCACHEPREFIX",
)
"""Set by pytest itself while it runs, or without a say in what is judged."""
FLAGS = ("optimize", "ignore_environment", "no_site", "no_user_site", "isolated", "dev_mode", "bytes_warning")
LOCK = Path("requirements/suite.lock")
OF_AN_INSTALLER = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json", "uv_build.json")
"""Files of a distribution that say how it was installed, and not what."""
BLANK_LINE = re.compile(r"\r?\n\r?\n")
NAME_OR_VERSION = re.compile(r"^(Name|Version): *(\S+)\s*$", re.MULTILINE)
Account = dict[str, Any]


def accounts_of(
    config: pytest.Config, environments: Mapping[str, Environment], stamps: Stamps, suite: SuiteState
) -> dict[str, Account]:
    """The account of each environment's run now, by its name. Raises nothing for what cannot be read: it says
    so instead. stamps: of the files that decide, before pytest read any; suite: as it is now."""
    root = config.rootpath
    shared = {
        "suite": suite.account,
        "touched": touched(root, stamps),
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
        "problems": problems_here(config),
    }
    files = files_of(root)
    return {
        name: {
            "environment": {
                "file": one.source.name,
                "sha256": digest_of(one.source),
                "resolved_sha256": resolved(one),
            },
            "files": _counted(files | _own_files(one, user_folder(config))),
            **shared,
        }
        for name, one in environments.items()
    }


def files_of(root: Path) -> dict[str, str]:
    """SHA-256 of every file that decides, by the names of ``deciding_files``."""
    return {name: digest_of(path) for name, path in deciding_files(root).items()}


def contents_of(config: pytest.Config, environments: Sequence[Environment]) -> dict[str, Account]:
    """By an environment's name what the digests of its account stand for, so that others can hold it against
    theirs: the files that decide, each with its SHA-256, and the environment as it was resolved."""
    files, folder = files_of(config.rootpath), user_folder(config)
    return {
        one.name: {"files": files | _own_files(one, folder), "environment": resolved_document(one)}
        for one in environments
    }


def problems_here(config: pytest.Config) -> list[str]:
    """What makes a run that could accept a release unfit to, as it is seen in this process."""
    if profile_of(config) != RELEASE:
        return []
    root = config.rootpath
    folders = [root, *([data_root()] if data_root() != root else [])]
    modules, brought = loaded_modules(), brought_files()
    named = [str(one) for one in config.getoption("plugins", [])]
    return [
        *interpreter_problems(sys.flags.optimize, str(config.getoption("assertmode", "rewrite"))),
        *variable_problems(os.environ),
        *option_problems(named),
        *setting_problems(
            [str(one) for one in config.getoption("override_ini", None) or ()],
            config.getoption("inifilename", None),
            config.getoption("confcutdir", None),
            root,
            without=bool(config.getoption("noconftest", False)),
        ),
        *plugin_problems(_plugins(config)),
        *module_problems(modules, [*folders, Path(__file__).parents[2]]),
        *missing_files(modules),
        *distribution_problems(modules, brought, read_lock(root / LOCK)),
        *startup_problems(brought),
        *compiled_problems(deciding_files(root).values(), config),
    ]


def write_problems(folder: Path, worker: str, config: pytest.Config) -> None:
    """What a worker sees in its own process, for the controller. folder: private to the run."""
    (folder / f"problems-{worker}.json").write_text(json.dumps(problems_here(config)), encoding="utf-8")


def read_problems(folder: Path) -> list[str]:
    """What all workers saw until now."""
    found: list[str] = []
    for path in sorted(folder.glob("problems-*.json")):
        found += json.loads(path.read_text(encoding="utf-8"))
    return found


def _own_files(environment: Environment, folder: Path) -> dict[str, str]:
    claims = environment.source.parent / str(environment.claims) if environment.claims else None
    more = [claims, waivers_path(environment, folder)]
    return {f"own/{path.name}": digest_of(path) for path in more if path is not None}


def _of_distributions() -> Account:
    """The same for the same files, whoever installed them."""
    found = {}
    for one in distributions():
        lines = (one.read_text("RECORD") or "").splitlines()
        kept = sorted(line for line in lines if _is_content(line.split(",", 1)[0]))
        digest = hashlib.sha256("\n".join(kept).encode()).hexdigest()
        found[name_and_version(one)] = digest
    return _counted(found)


def name_and_version(one: Distribution) -> str:
    """As its metadata say, of which no more is read than these two: all of it, of a hundred distributions, is
    a thirtieth of what a smoke costs."""
    head = BLANK_LINE.split(one.read_text("METADATA") or "", maxsplit=1)[0]
    named = dict(NAME_OR_VERSION.findall(head))
    if len(named) != 2:
        named = {"Name": one.metadata["Name"], "Version": one.version}
    return f"{named['Name']}=={named['Version']}"


def _is_content(name: str) -> bool:
    return not (
        name.startswith(("..", "/"))
        or "__pycache__" in name
        or (".dist-info/" in name and name.rsplit("/", 1)[1] in OF_AN_INSTALLER)
    )


def _counted(found: Mapping[str, str]) -> Account:
    return {"sha256": digest_of_names(found), "count": len(found)}


def _variables(given: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in sorted(given.items())
        if name.startswith(VARIABLES) and not name.startswith(HARMLESS)
    }


def _plugins(config: pytest.Config) -> list[str]:
    named = {(dist.project_name, dist.version) for _, dist in config.pluginmanager.list_plugin_distinfo()}
    return sorted(f"{name} {version}" for name, version in named)
