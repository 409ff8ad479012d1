"""What must hold of the virtual environment: facts in, problems out."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from gateway_acceptance.advisories import AdvisoryFinding, Base, NotComparable, concerning, words
from gateway_acceptance.advisories.versions import PYPI
from gateway_acceptance.check import Level
from gateway_acceptance.problem import Problem
from suites.host.deployment.extract import Facts
from suites.host.user.facts import differs

WHERE = "the virtual environment has"
END_OF_LIFE = {
    (3, 9): date(2025, 10, 31),
    (3, 10): date(2026, 10, 31),
    (3, 11): date(2027, 10, 31),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 10, 31),
    (3, 14): date(2030, 10, 31),
}
"""Line of Python -> the last day of the month in which its security fixes end (devguide.python.org/versions).
A line before these has none any more; of a later one nothing is known."""
KNOWN_STARTUP = {
    r"distutils-precedence\.pth": r"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; [^;]*; "
    r"enabled and __import__\('_distutils_hack'\)(\.add_shim\(\))?;?",
    r"_virtualenv\.pth": r"import _virtualenv",
    r"[\w.-]+-nspkg\.pth": r"import sys, types, os;\s*has_mfs = sys\.version_info > \(3, 5\);.*",
}
"""Startup files of Python's own tools: name -> what each of their lines must be."""


def other_version(packages: Mapping[str, str], wanted: str) -> list[Problem]:
    """The installed LiteLLM is the declared one."""
    has = packages.get("litellm", "none")
    return [] if has == wanted else [differs("installed litellm", has, wanted, "deploy that version again")]


def without_product(packages: Mapping[str, str], package: tuple[str, str] | None) -> list[Problem]:
    """The product's own distribution is there. package: (ecosystem, name), None where there is none."""
    if package is None or package[0] != PYPI or package[1] in packages:
        return []
    return [differs(f"installed {package[1]}", "none", "a known version", "deploy again")]


def compromised(findings: Sequence[AdvisoryFinding]) -> list[Problem]:
    """No installed distribution is one that was published to attack whoever installs it."""
    return [
        differs(
            f"installed {one.advisory.package}",
            f"{one.version}, a compromised release ({one.advisory.name})",
            "another",
            "install another version, and change every secret that this host could read",
        )
        for one in findings
        if one.advisory.compromised
    ]


def known_holes(base: Base, packages: Mapping[str, str], without: Collection[str]) -> list[AdvisoryFinding]:
    """What the base says of every installed distribution; compromised releases first. A version that cannot
    be compared is one of somebody's own, and no advisory speaks of it."""
    found: list[AdvisoryFinding] = []
    for name, version in sorted(packages.items()):
        with contextlib.suppress(NotComparable):
            found += concerning(base, PYPI, name, version, without)
    return sorted(found, key=lambda one: (not one.advisory.compromised, bool(one.absent)))


def holes(base: Base, findings: Sequence[AdvisoryFinding], level: Level) -> list[Problem]:
    """One problem per advisory of a level, but for compromised releases, which a check of their own tells."""
    return words.problems(base, WHERE, [one for one in findings if not one.advisory.compromised], level)


def unsupported(version: str | None, today: date) -> list[Problem]:
    """The interpreter is of a line that still gets security fixes."""
    match = re.match(r"(\d+)\.(\d+)", version or "")
    line = (int(match[1]), int(match[2])) if match else None
    if line is None or line > max(END_OF_LIFE):
        return []
    end = END_OF_LIFE.get(line, date.min)
    if today <= end:
        return []
    fix = "make the virtual environment anew with a Python that gets them"
    ended = "long ago" if end is date.min else f"on {end}"
    return [
        differs("the interpreter", f"Python {version}, whose security fixes ended {ended}", "another", fix)
    ]


def foreign_startup(python: Facts, environment: str) -> list[Problem]:
    """No file that Python executes at its start but those of its own tools."""
    return [
        differs(f"{environment}/.../{file['name']}", f"{file['lines']}", "no code at Python's start",
              "find out which package brought it, then deploy the virtual environment again")
        for file in python["startup"]
        if not known(file)
    ]  # fmt: skip


def known(file: Facts) -> bool:
    """Whether a startup file runs nothing, or only what one of Python's own tools writes."""
    for name, line in KNOWN_STARTUP.items():
        if re.fullmatch(name, file["name"]):
            return all(re.fullmatch(line, shown, re.DOTALL) for shown in file["lines"])
    return not file["lines"]
