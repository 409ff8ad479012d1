"""The command line, known to pytest before it reads ``conftest.py`` (entry point ``pytest11``).

In a folder without checks of its own ``pytest --env=FILE`` runs the checks that came with the package, as if
it had been started in the folder that holds them. A run that names no environment there is not ours.

Pytest takes any argument that is an existing path for a place of tests while it looks for its root, values
of ``--env`` and ``--runs`` included. Where that led it away from the project, one sentence says so.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from gateway_acceptance.check import PROFILES
from gateway_acceptance.places import data_root, is_project
from gateway_acceptance.plugin.deciding import STAMPS, stamps_of
from gateway_acceptance.plugin.options import CHECKS_ROOT, USER_FOLDER, add_options

HOOKS = "gateway_acceptance.plugin.hooks"
OURS = ("--env", "--runs", "--learn-deviations", "--measure-costs")
COLLECTOR = pytest.StashKey[bool]()
"""Whether the garbage collector waits for the end of the collection."""
WRITES_INTO_THE_ROOT = ("stepwise", "cacheprovider")
"""The first needs the second, which keeps a folder in pytest's root: here, in the installed package."""


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """A run with ``--env`` is judged, whatever ``conftest.py`` there is. Before the first of them is read,
    the files that decide are looked at: none may be written while the run goes on."""
    if early_config.known_args_namespace.env or is_project(early_config.rootpath):
        without_collector(early_config)
    collects_only = early_config.known_args_namespace.collectonly  # which judges nothing
    if (early_config.rootpath / CHECKS_ROOT).is_dir() and not collects_only:
        early_config.stash[STAMPS] = stamps_of(early_config.rootpath)
    if not early_config.known_args_namespace.env:
        return
    early_config.pluginmanager.import_plugin(HOOKS)
    here = early_config.invocation_params.dir
    if not is_project(early_config.rootpath) and not is_project(here):
        early_config.stash[USER_FOLDER] = here
        _run_packaged(early_config, args)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    here = config.invocation_params.dir
    if USER_FOLDER in config.stash or config.inipath is not None:
        return
    given: list[str] = config.getoption("--env") or []
    if (given or config.getoption("--runs")) and config.rootpath != here and (here / CHECKS_ROOT).is_dir():
        taken = value_taken_for_a_place(config.invocation_params.args, here)
        option, value = taken or ("--env", given[0] if given else "NAME")
        raise pytest.UsageError(
            f"pytest took the path {value} for its root; write {option}={value}, with the equals sign"
        )
    if not given and config.option.markexpr.strip() in PROFILES and _holds_nothing(here):
        profile = config.option.markexpr.strip()
        raise pytest.UsageError(
            f"{here} holds no checks, and no environment is named whose packaged checks would be run; "
            f"write pytest -m {profile} --env=FILE"
        )


def without_collector(config: pytest.Config) -> None:
    """No garbage is looked for until the run has its items: modules and items stay, and looking through them
    again and again is a fifth of what a collection costs."""
    if gc.isenabled():
        gc.disable()
        config.stash[COLLECTOR] = True
        config.add_cleanup(lambda: with_collector(config))


def with_collector(config: pytest.Config) -> None:
    """From here on it is looked for again, among what comes from here on."""
    if config.stash.get(COLLECTOR, False):
        config.stash[COLLECTOR] = False
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    with_collector(session.config)  # here, since the controller of workers collects nothing


def value_taken_for_a_place(args: Sequence[str], here: Path) -> tuple[str, str] | None:
    """The option of ours, and its value, that stands alone and is a path that exists; None where none is."""
    for option, value in pairwise(str(one) for one in args):
        if option in OURS and (here / value.split("::", 1)[0]).exists():
            return option, value
    return None


def _holds_nothing(here: Path) -> bool:
    """Whether a folder has nothing of Python or pytest at hand: a marker of ours then means our checks."""
    return not any(here.glob("*.py")) and not any((here / name).exists() for name in ("tests", "test"))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Files of the package are named as in the checkout, not by the way from here to the installation."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and USER_FOLDER in session.config.stash:
        reporter.startpath = session.config.rootpath


def _run_packaged(config: pytest.Config, args: list[str]) -> None:
    """Make the packaged checks what is collected, and their folder pytest's root.

    The root is set by hand: pytest has decided on it before it loads any plugin, and the ids of cases are
    relative to it; they are to be the same in a checkout and in an installed package.
    """
    root = data_root()
    known = config.known_args_namespace
    places: list[str] = []
    for given in known.file_or_dir:
        place = _packaged(given, config.invocation_params.dir, root)
        args[len(args) - 1 - args[::-1].index(given)] = place
        places.append(place)
    if not places:
        places = [str(root / CHECKS_ROOT)]
        args += places
    args += ["--import-mode=importlib", "--strict-markers"]
    known.file_or_dir, known.confcutdir, known.importmode = places, str(root), "importlib"
    config._rootpath = root
    config.stash[STAMPS] = stamps_of(root)
    for name in WRITES_INTO_THE_ROOT:
        if config.pluginmanager.has_plugin(name):
            config.pluginmanager.unregister(name=name)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # the checks import each other as ``suites.…``


def _packaged(given: str, here: Path, root: Path) -> str:
    """A place of checks as a case's id names it, or a path into the package. Raises UsageError."""
    path, colons, rest = given.partition("::")
    place = Path(path) if Path(path).is_absolute() else root / path
    if not (here / path).exists() or Path(path).is_absolute():
        place = place.resolve()
        if place.exists() and place.is_relative_to((root / CHECKS_ROOT).resolve()):
            return f"{place}{colons}{rest}"
    raise pytest.UsageError(
        f"{given}: --env runs the checks that came with gateway-acceptance, and this is none of them; "
        "take it away, or name a case as a report does (suites/…)"
    )
