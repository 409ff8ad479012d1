"""Imports run one way, as docs/architecture.md says: by parsing them."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections import Counter
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "gateway_acceptance"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
(LAYERS,) = (one for one in SETTINGS["importlinter"]["contracts"] if one["id"] == "layers")
LAYER_ORDER = [re.findall(r"\w+", layer) for layer in reversed(LAYERS["layers"])]
"""From the lowest up, as import-linter holds them; here as well, for whoever runs the tests alone."""
LINE = re.compile(r"^    ([\w.]+(?: → [\w.]+)+)$", re.MULTILINE)
LONGEST_LINE = 12
FORBIDDEN = {PACKAGE: ("suites", "lab", "tests"), "suites": ("lab", "tests"), "lab": ("suites", "tests")}
CHOKE_POINTS = {
    "testinfra": {"gateway_acceptance/host/snapshot.py"},
    "httpx": set(),
    "httpcore": set(),
    "h11": {"gateway_acceptance/wire/raw.py", "gateway_acceptance/wire/tunnel.py"},
    "httpcore2": {
        f"gateway_acceptance/wire/{name}.py" for name in ("connections", "network", "raw", "tunnel")
    },
    "httpx2": {
        "gateway_acceptance/wire/connections.py",
        "gateway_acceptance/wire/transport.py",
        "gateway_acceptance/wire/sender.py",
        "gateway_acceptance/wire/sdk.py",
        "gateway_acceptance/plugin/outcome.py",  # reads the types of its errors
        "suites/api/sdk/probes.py",  # the same
    },
}
"""Only these may import what sends."""
UNSEEN_NETWORK = ("requests", "urllib3", "aiohttp", "http.client", "urllib.request", "socket")
EXCEPTIONS = {
    "gateway_acceptance/wire/network.py imports socket",  # below the one transport
    # these run on the machine that is looked at: its name, and its own view of the backends
    "gateway_acceptance/host/collect/machine.py imports socket",
    "gateway_acceptance/host/collect/machine.py imports urllib.request",
}


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@cache
def imported(path: Path) -> set[str]:
    """Dotted names that a file imports, those inside functions included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where they lead"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def layer_of(dotted: str) -> int | None:
    """The number of the package that a dotted name of the package is in; None for the package itself."""
    parts = dotted.split(".")
    if parts[0] != PACKAGE or len(parts) == 1 or parts[1] == "__version__":
        return None
    found = [number for number, package in enumerate(LAYER_ORDER) if parts[1] in package]
    assert found, f"{dotted} is in no layer: [tool.importlinter] in pyproject.toml"
    return found[0]


@pytest.mark.parametrize("path", files(PACKAGE), ids=lambda path: str(path.relative_to(ROOT)))
def test_lower_layers_never_import_upper_ones(path: Path) -> None:
    own = layer_of(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    above = [name for name in imported(path) if own is not None and (layer_of(name) or 0) > own]
    assert above == []


@pytest.mark.parametrize("package", list(FORBIDDEN))
def test_no_circle(package: str) -> None:
    """Neither files nor folders beside each other import each other, directly or round a corner."""
    folders = {path.parent for path in files(package)}
    assert len(folders) > 5
    circles = []
    for folder in sorted(folders):
        try:
            TopologicalSorter(_siblings(folder, package)).prepare()
        except CycleError as circle:
            circles.append(" imports ".join(reversed(circle.args[1])))
    assert circles == []


def _siblings(folder: Path, package: str) -> dict[str, set[str]]:
    """What each file or folder of a folder imports of the others, by dotted names."""
    here = ".".join(folder.relative_to(ROOT).parts)
    found: dict[str, set[str]] = {}
    for path in files(package):
        own = _sibling(".".join(path.relative_to(ROOT).with_suffix("").parts), here)
        if own and not own.endswith("__init__"):
            found.setdefault(own, set()).update(
                other for name in imported(path) if (other := _sibling(name, here)) and other != own
            )
    return {own: others & set(found) for own, others in found.items()}


def _sibling(dotted: str, here: str) -> str:
    """The file or folder below ``here`` that a dotted name is in; empty where it is elsewhere."""
    below = dotted.removeprefix(f"{here}.")
    return f"{here}.{below.split('.')[0]}" if below != dotted else ""


def test_the_straight_lines_are_as_they_are_drawn() -> None:
    """Each step of docs/architecture.md is an import, one way or the other, and no line is long."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    lines = [line.split(" → ") for line in LINE.findall(page.replace(" →\n    ", " → "))]
    assert len(lines) == 4
    steps = [step for line in lines for step in pairwise(line)]
    assert [step for step in steps if not _linked(*step)] == []
    assert max(map(len, lines)) <= LONGEST_LINE


def _linked(one: str, other: str) -> bool:
    return other in imported(_file(one)) or one in imported(_file(other))


def _file(dotted: str) -> Path:
    path = ROOT.joinpath(*dotted.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.mark.parametrize("package", list(FORBIDDEN))
def test_what_a_package_never_imports(package: str) -> None:
    assert len(files(package)) > 3
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(package)
        for name in imported(path)
        if name.split(".")[0] in FORBIDDEN[package]
    ]
    assert found == []


@pytest.mark.parametrize("library", list(CHOKE_POINTS))
def test_only_the_choke_points_send(library: str) -> None:
    users = {
        str(path.relative_to(ROOT))
        for package in (PACKAGE, "suites")
        for path in files(package)
        if any(name.split(".")[0] == library for name in imported(path))
    }
    assert users <= CHOKE_POINTS[library]


def test_nothing_else_that_sends_is_imported() -> None:
    """A request past the sender has no budget, no deadline and leaves no evidence."""
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in [
            *files(f"{PACKAGE}/wire"),
            *files(f"{PACKAGE}/host"),
            *files(f"{PACKAGE}/plugin"),
            *files("suites"),
        ]
        for name in imported(path)
        if name in UNSEEN_NETWORK or name.split(".")[0] in UNSEEN_NETWORK
    }
    assert found <= EXCEPTIONS


def test_suites_ask_backends_through_their_client() -> None:
    """No suite puts a request to a backend together by itself; one check alone takes the sender as it is, to
    ask the gateway twice on one connection."""
    senders = {"suites/api/operations/test_http.py"}
    found = {
        str(path.relative_to(ROOT))
        for path in files("suites")
        if re.search(r"sender\.send\(|\.backend\.url\b", path.read_text(encoding="utf-8"))
    }
    assert found == senders


def test_checks_and_plugin_know_no_backends_protocol() -> None:
    """They speak to the interface: which protocol a backend has is its client's affair."""
    clients = {f"{PACKAGE}.wire.backends.{path.stem}" for path in files(f"{PACKAGE}/wire/backends")}
    assert f"{PACKAGE}.wire.backends.ollama" in clients
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in [*files("suites"), *files(f"{PACKAGE}/plugin")]
        for name in imported(path)
        if name in clients
    }
    assert found == set()


def test_suites_never_skip() -> None:
    """Untestable is red; pytest's own ways to look away are not used."""
    words = ("pytest.skip", "pytest.xfail", "mark.skip", "mark.xfail", "importorskip", "mark.flaky")
    found = [
        f"{path.name}: {word}"
        for path in files("suites")
        for word in words
        if word in path.read_text("utf-8")
    ]
    assert found == []


def test_conftest_loads_the_plugin_and_nothing_else() -> None:
    body = ast.parse((ROOT / "conftest.py").read_text(encoding="utf-8")).body
    assert [type(node).__name__ for node in body] == ["Expr", "Assign"]


def test_make_runs_every_test_once() -> None:
    """By ``make test`` or by ``make matrices``; the first names folders and files, for their order."""
    listed = Counter[Path]()
    for target in ("test", "matrices"):
        done = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        )
        (command,) = [line for line in done.stdout.splitlines() if "bin/pytest" in line]
        for name in (word for word in command.split() if word.startswith("tests/")):
            path = ROOT / name
            listed.update([path] if path.is_file() else path.glob("**/test_*.py"))
    assert listed == Counter(ROOT.glob("tests/**/test_*.py"))
