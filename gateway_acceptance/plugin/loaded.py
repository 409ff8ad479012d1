"""What runs beside the suite in this interpreter: flags, variables, options, plugins, modules.

Everything that makes a run unfit to accept a release by is a sentence; such a run stays possible for
development."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

KNOWN_PLUGINS = frozenset(
    ("allure-pytest", "anyio", "gateway-acceptance", "hypothesis", "pytest-testinfra", "pytest-xdist")
)
"""Distributions with a pytest plugin that the suite itself brings."""
OWN_MODULES = ("gateway_acceptance.", "suites.", "allure_pytest.", "xdist")
"""What ``-p`` may name: it changes nothing."""
LEADING = {
    "PYTHONPATH": "it makes Python load modules that no lock knows",
    "PYTHONHOME": "it makes Python load another standard library",
    "PYTEST_PLUGINS": "it makes pytest load plugins",
    "PYTEST_ADDOPTS": "it gives pytest options that the recorded command does not show",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "it leaves plugins of the suite out",
    "GATEWAY_ACCEPTANCE_SEED": "it chooses what is asked, so that one can try until it suits",
    "LD_PRELOAD": "it puts foreign code into the interpreter",
    "LD_AUDIT": "it puts foreign code into the interpreter",
    "DYLD_INSERT_LIBRARIES": "it puts foreign code into the interpreter",
}
"""Variables that a run which accepts a release goes without, and why."""
OF_A_TOOL = ("_virtualenv",)
"""Modules that tools which make virtual environments put there, and no distribution brings."""
HARMLESS_SETTINGS = ("strict", "log_", "console_output_style", "junit_", "cache_dir", "tmp_path_retention")
"""Settings of pytest that change no verdict for the better; options such as --strict-markers are kept so."""
LOCKED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Brought:
    """A file of a distribution. sha256: of its RECORD, unpadded base64; empty where it holds none."""

    distribution: str
    version: str
    sha256: str


def interpreter_problems(optimize: int, assertmode: str) -> list[str]:
    """What takes the checks' assertions away."""
    found = []
    if optimize:
        found.append("Python ran with -O (PYTHONOPTIMIZE), which removes assertions: run without it")
    if assertmode != "rewrite":
        found.append(f"pytest ran with --assert={assertmode}: run without it")
    return found


def variable_problems(given: Mapping[str, str]) -> list[str]:
    """Variables that change what is loaded or how it is run."""
    return [f"{name} was set, and {why}: unset it" for name, why in LEADING.items() if given.get(name)]


def option_problems(named: Sequence[str]) -> list[str]:
    """Plugins that options name; those that are left out (``no:``) are looked at elsewhere. named: what
    ``-p`` says."""
    foreign = [one for one in named if not one.startswith("no:") and not f"{one}.".startswith(OWN_MODULES)]
    left_out = [one for one in named if one.removeprefix("no:") in ("assertion", "unraisableexception")]
    return [f"-p {one} loads a plugin that is none of the suite's: take it away" for one in foreign] + [
        f"-p {one} takes a part of pytest away: take it away" for one in left_out
    ]


def setting_problems(
    overridden: Sequence[str], ini_file: str | None, conftests_from: str | None, root: Path, *, without: bool
) -> list[str]:
    """Options of pytest by which other files, or fewer of them, decide. overridden: what ``-o`` says;
    ini_file: ``-c``; conftests_from: ``--confcutdir``; without: ``--noconftest``."""
    harmful = [one for one in overridden if not one.startswith(HARMLESS_SETTINGS)]
    found = [f"-o {one} sets pytest otherwise than the suite does: take it away" for one in harmful]
    if ini_file and Path(ini_file).resolve().parent != root:
        found.append(f"-c {ini_file} takes pytest's settings from elsewhere: take it away")
    if conftests_from and not Path(conftests_from).resolve().is_relative_to(root):
        found.append(
            f"--confcutdir {conftests_from} lets conftest.py files of elsewhere decide: take it away"
        )
    if without:
        found.append("--noconftest leaves out what the suites tell the plugin: take it away")
    return found


def startup_problems(brought: Mapping[Path, Brought], places: Sequence[Path] | None = None) -> list[str]:
    """Files by which Python runs code at its start (``.pth``), and which no distribution brought. places: of
    installed packages, this interpreter's by default."""
    nobodys = [
        path.name
        for place in (_sites() if places is None else places)
        for path in sorted(place.glob("*.pth"))
        if path not in brought and _runs_code(path)
    ]
    return [f"start-up files that no distribution brought: {_some(nobodys)}; remove them"] if nobodys else []


def _runs_code(path: Path) -> bool:
    """Lines that begin with ``import`` are run; others name folders: their modules are looked at."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return True
    if path.stem in OF_A_TOOL and lines == [f"import {path.stem}"]:
        return False
    return any(line.startswith(("import ", "import\t")) for line in lines)


def plugin_problems(plugins: Sequence[str]) -> list[str]:
    """Distributions that take part in the run and are none of the suite's. plugins: ``name version``."""
    foreign = sorted(one for one in plugins if one.split(" ", 1)[0] not in KNOWN_PLUGINS)
    return [
        f"the pytest plugin {one} took part, which is none of the suite's: uninstall it" for one in foreign
    ]


def module_problems(modules: Iterable[tuple[str, Path]], places: Iterable[Path]) -> list[str]:
    """Modules that were loaded from elsewhere than the suite, the interpreter and its distributions; those
    whose file is gone since, or in a hidden folder of the suite, are of nobody. What lies in the standard
    library's own folder is the interpreter's, wherever a link leads: Debian has its sitecustomize so."""
    known = [place.resolve() for place in places]
    installed = _places_of_python()
    linked = _standard_library()
    foreign = sorted(
        name
        for name, path in modules
        if path.parent not in linked and _foreign(path.resolve(), known, installed)
    )
    if not foreign:
        return []
    shown = ", ".join(foreign[:SHOWN]) + (f" and {len(foreign) - SHOWN} more" if len(foreign) > SHOWN else "")
    return [
        f"modules were loaded from outside the suite and its distributions: {shown}; unset PYTHONPATH "
        "and take away -p"
    ]


def _foreign(path: Path, known: Sequence[Path], installed: Sequence[Path]) -> bool:
    if any(path.is_relative_to(place) for place in installed):
        return False
    within = [path.relative_to(place) for place in known if path.is_relative_to(place)]
    return not any(not any(part.startswith(".") for part in one.parts) for one in within)


def distribution_problems(
    modules: Iterable[tuple[str, Path]], brought: Mapping[Path, Brought], lock: Mapping[str, set[str]] | None
) -> list[str]:
    """Loaded files that are not as their distribution brought them, belong to none, or to another version
    than the lock's. brought: by path; lock: versions by normalised name, None where there is no lock."""
    places = [place for place in _sites() if place]
    changed, nobodys, otherwise = [], [], {}
    for name, path in modules:
        if not any(path.is_relative_to(place) for place in places):
            continue
        one = brought.get(path)
        if one is None:
            if name not in OF_A_TOOL:
                nobodys.append(name)
        else:
            if one.sha256 and _digest(path) != one.sha256:
                changed.append(f"{name} of {one.distribution} {one.version}")
            key = normalised(one.distribution)
            if lock is not None and key != "gateway-acceptance" and one.version not in lock.get(key, ()):
                wanted = " or ".join(sorted(lock.get(key, ()))) or "nothing of it"
                otherwise[f"{one.distribution} {one.version}"] = wanted
    found = []
    if changed:
        found.append(f"installed files were changed: {_some(changed)}; install them again")
    if nobodys:
        found.append(f"modules that no distribution brought were loaded: {_some(nobodys)}; remove them")
    found += [
        f"{what} was loaded, and the lock holds {wanted}: install what the lock holds"
        for what, wanted in sorted(otherwise.items())
    ]
    return found


def missing_files(modules: Iterable[tuple[str, Path]]) -> list[str]:
    """Modules whose file is gone: nobody can see any more what was loaded."""
    gone = sorted(name for name, path in modules if path.suffix == ".py" and not path.exists())
    return [f"files of loaded modules are gone: {_some(gone)}; run again"] if gone else []


def loaded_modules() -> list[tuple[str, Path]]:
    """(name, file) of every module that is loaded now and has one."""
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and name != "__main__" and not file.startswith("<"):
            found.append((name, Path(file)))
    return found


def brought_files() -> dict[Path, Brought]:
    """Every Python file of the installed distributions, by path."""
    found: dict[Path, Brought] = {}
    for one in distributions():
        name, version = one.metadata["Name"], one.version
        base = Path(str(one.locate_file("")))
        for line in (one.read_text("RECORD") or "").splitlines():
            path, _, rest = line.rpartition(",")[0].rpartition(",")
            if path.endswith((".py", ".so", ".pyd", ".pth")):
                digest = rest.removeprefix("sha256=") if rest.startswith("sha256=") else ""
                found[base / path.strip('"')] = Brought(name, version, digest)
    return found


def read_lock(path: Path) -> dict[str, set[str]] | None:
    """Versions by normalised name; None where there is no lock."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return None
    found: dict[str, set[str]] = {}
    for name, version in LOCKED.findall(text):
        found.setdefault(normalised(name), set()).add(version)
    return found


def normalised(name: str) -> str:
    """As package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(path: Path) -> str:
    try:
        digest = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return "cannot be read"
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _some(names: Sequence[str]) -> str:
    listed = sorted(names)
    more = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _sites() -> list[Path]:
    return list({Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")})


def _standard_library() -> set[Path]:
    return {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}


def _places_of_python() -> list[Path]:
    named = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return [Path(one).resolve() for one in named if one]
