"""What must hold of the virtual environment: facts in, problems out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway_acceptance.problem import Problem
from suites.host.deployment.extract import Facts
from suites.host.user.facts import differs

COMPROMISED = frozenset({"1.82.7", "1.82.8"})
"""Releases that were uploaded with a thief of credentials (github.com/BerriAI/litellm/issues/24512)."""
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


def compromised(packages: Mapping[str, str]) -> list[Problem]:
    """The installed LiteLLM is no release that is known to be compromised."""
    has = packages.get("litellm", "none")
    if has == "none":
        return [differs("installed litellm", "none", "a known version", "deploy again")]
    if has not in COMPROMISED:
        return []
    mend = "install another version, and change every secret that this host could read (litellm issue 24512)"
    return [differs("installed litellm", f"{has}, a compromised release", "another", mend)]


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
