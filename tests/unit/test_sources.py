"""Every check says who asks for it, and what MUST hold is asked by somebody who may."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import suites
from gateway_acceptance.check import Check, Level

WIRE = r"\bopenai[:-]|\bRFC \d|\bWHATWG\b|\bFetch: "
"""OpenAI's description, its SDKs, the standards of the wire."""
SECURITY = r"\bCWE-\d|\bOWASP\b|\bCVE-\d|\bosv\.dev\b"
"""Published weaknesses and vulnerabilities: what opens a door needs no contract to be wrong."""
DECLARED = r"\benvironment: |\bdeployment: |\b(bounds|gateway|host)\.\w"
"""What the environment's file says of the deployment."""
MACHINE = r"\w\(\d\)|\w\(8\)|systemd|proc\(5\)|ip addr|timedatectl|FIPS \d|docs\.python|PyPA"
"""The manual of what is asked there."""
PRODUCT = r"\bollama|\blitellm|docs\.ollama|docs\.litellm"
"""The documentation of a product behind or below the contract; never of the wire."""
KINDS = {
    "API": (WIRE, SECURITY, DECLARED),
    "BACKEND": (WIRE, SECURITY, DECLARED, PRODUCT),
    "HOST": (SECURITY, DECLARED, MACHINE, PRODUCT, r"docs/host\.md"),
}


def checks() -> dict[str, Check]:
    """Every check of the suites, by id."""
    found: dict[str, Check] = {}
    for module in pkgutil.walk_packages(suites.__path__, "suites."):
        if module.name.rpartition(".")[2].startswith("test_"):
            for value in vars(importlib.import_module(module.name)).values():
                for mark in getattr(value, "pytestmark", ()):
                    if mark.name == "check":
                        found[mark.args[0].id] = mark.args[0]
    return found


CHECKS = checks()


def sources_missing(check: Check) -> bool:
    """Whether no source is of a kind that its level and suite need."""
    kinds = KINDS[check.id.partition("-")[0]]
    if check.level is not Level.MUST:
        return not check.spec
    return not any(re.search(kind, check.spec) for kind in kinds)


def test_every_check_has_a_source_of_the_right_kind() -> None:
    assert len(CHECKS) > 400
    assert [f"{one.id}: {one.spec!r}" for one in CHECKS.values() if sources_missing(one)] == []


@pytest.mark.parametrize(
    "spec", ["", "LiteLLM #39748", "field: caches whose key is cut", "kubernetes: probes"]
)
def test_an_issue_or_the_field_is_no_source_of_a_must(spec: str) -> None:
    assert sources_missing(
        Check("API-T-001", "", Level.MUST, next(iter(CHECKS.values())).effect, (), (), spec)
    )
