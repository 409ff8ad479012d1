"""Every lock is complete: each pin has its hashes, and what a locked distribution needs is locked, too."""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lab.litellm.install import HERE, default_version, ensure_litellm, locked_versions

ROOT = Path(__file__).parents[2]
PACKAGED = ROOT / "lab" / "packaged"
LOCKS = [
    *sorted((ROOT / "requirements").glob("*.lock")),
    *sorted(HERE.glob("*.lock")),
    *sorted(PACKAGED.glob("*.lock")),
]
TREES = [
    *(ROOT / "reports" / "allure", ROOT / "lab" / "portkey", ROOT / "lab" / "database"),
    *(path.parent for path in sorted((ROOT / "lab" / "packaged").glob("*/package-lock.json"))),
]
PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>\S+?)( ; (?P<marker>.+?))? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def pins(lock: Path) -> dict[str, str]:
    """Name -> version, of what the lock installs on this machine."""
    found = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        pin = PIN.match(line)
        if pin and (not pin["marker"] or Marker(pin["marker"]).evaluate()):
            found[pin["name"]] = pin["version"]
    return found


def unmet(
    locked: Mapping[str, str], needs: Mapping[str, Iterable[str]], roots: Iterable[str]
) -> tuple[set[str], list[str]]:
    """Walk the requirements from the roots: the names that were reached, and what the lock does not meet.

    needs: name -> the requirements of its locked release, extras and markers included.
    """
    reached: set[str] = set()
    problems = []
    todo = [(Requirement(root), "") for root in roots]
    seen = set()
    while todo:
        requirement, wanted_by = todo.pop()
        name = canonicalize_name(requirement.name)
        key = (name, str(requirement.specifier), tuple(sorted(requirement.extras)))
        if key in seen:
            continue
        seen.add(key)
        if name not in locked:
            problems.append(f"{wanted_by} needs {requirement}, which is not locked")
            continue
        reached.add(name)
        if not requirement.specifier.contains(locked[name], prereleases=True):
            problems.append(f"{wanted_by} needs {requirement}, {locked[name]} is locked")
        for text in needs.get(name, ()):
            need = Requirement(text)
            extras = ["", *requirement.extras]
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append((need, name))
    return reached, problems


def needs_in(site: Path | None) -> dict[str, list[str]]:
    """Name -> requirements, of what is installed in a folder (or in this environment)."""
    found = importlib.metadata.distributions(path=[str(site)] if site else sys.path)
    return {canonicalize_name(one.name): one.requires or [] for one in found}


def versions_in(site: Path) -> dict[str, str]:
    """Name -> version, of what is installed in a folder."""
    return {
        canonicalize_name(one.name): one.version for one in importlib.metadata.distributions(path=[str(site)])
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_each_line_is_a_pin_with_hashes(lock: Path) -> None:
    lines = lock.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if not (PIN.match(line) or HASH.match(line))]
    following = [HASH.match(after) for before, after in itertools.pairwise(lines) if PIN.match(before)]
    assert following
    assert all(following)


@pytest.mark.parametrize("folder", TREES, ids=lambda folder: folder.name)
def test_each_npm_package_has_its_digest(folder: Path) -> None:
    packages = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    open_ones = [
        name
        for name, package in packages.items()
        if name and not (package.get("link") or package.get("inBundle")) and "integrity" not in package
    ]
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert {f"node_modules/{name}" for name in wanted} <= packages.keys(), "what is wanted is locked"
    assert not open_ones
    declared = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    assert packages[""].get("dependencies") == declared.get("dependencies")


def test_the_suites_lock_is_closed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    roots = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    locked = pins(ROOT / "requirements" / "suite.lock")
    reached, problems = unmet(locked, needs_in(None), roots)
    assert not problems
    assert reached == set(locked), "locked, and needed by nothing"


@pytest.mark.parametrize("version", sorted({default_version(), "1.74.15"}))
def test_a_litellms_lock_is_closed_and_is_what_is_installed(version: str) -> None:
    executable = ensure_litellm(ROOT, version, print)
    (site,) = (executable.parents[1] / "lib").glob("python3.*/site-packages")
    locked = pins(HERE / f"{version}.lock")
    reached, problems = unmet(locked, needs_in(site), [f"litellm[proxy]=={version}"])
    assert not problems
    assert reached == set(locked), "locked, and needed by nothing"
    brought = {name: found for name, found in versions_in(site).items() if name in locked}
    assert brought == locked
    assert set(versions_in(site)) - set(locked) <= {"pip", "setuptools"}


def test_the_walk_follows_extras_and_finds_what_is_missing() -> None:
    """As it was: fastapi-sso wants pydantic[email], and email-validator must be locked for that."""
    needs = {"sso": ["pydantic[email]>=1"], "pydantic": ['email-validator>=2; extra == "email"', "core<3"]}
    locked = {"sso": "1", "pydantic": "2.14.3", "core": "3.0"}
    reached, problems = unmet(locked, needs, ["sso"])
    assert sorted(problems) == [
        "pydantic needs core<3, 3.0 is locked",
        'pydantic needs email-validator>=2; extra == "email", which is not locked',
    ]
    assert reached == {"sso", "pydantic", "core"}
    assert unmet(locked | {"core": "2", "email-validator": "2"}, needs, ["sso"])[1] == []


def test_one_place_names_the_default_version() -> None:
    """Locked, and what the reference deployment's script installs where it is given no lock."""
    assert default_version() in locked_versions()
    script = ROOT / "lab/deployment/api-gateway/scripts/deployment/deploy-litellm-gateway.sh"
    text = script.read_text(encoding="utf-8")
    assert f"LITELLM_VERSION_DEFAULT={default_version()}\n" in text
    assert f"(default {default_version()})" in text
