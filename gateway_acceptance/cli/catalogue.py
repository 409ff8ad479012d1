"""All checks and claims, as a real collection finds them; nothing is sent and no secret is needed."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway_acceptance.check import Check
from gateway_acceptance.claims import Absent, Claim, load_claims
from gateway_acceptance.claims_here import claims_of
from gateway_acceptance.environment import Environment, load_environment
from gateway_acceptance.places import suites_of
from gateway_acceptance.plugin.parametrise import AXES, DECLARED_BY, check_of, parameters_of
from gateway_acceptance.record import evidence_of
from gateway_acceptance.usage import UsageProblem

HOST = "host"
"""The argument of a check that asks for the gateway's own machine."""


@dataclass
class Catalogue:
    """checks: by id; claims, absent: of the environment that was asked about, and what is not part of it;
    evidence: claim id -> ids of the checks that speak of it; nothing: key of the environment file that
    declares nothing -> ids of the checks that so have nothing to judge; items: every case, as collected;
    axes: the arguments that say what each check is run over."""

    checks: list[Check] = field(default_factory=list)
    claims: Sequence[Claim] = ()
    absent: Sequence[Absent] = ()
    evidence: dict[str, list[str]] = field(default_factory=dict)
    nothing: dict[str, list[str]] = field(default_factory=dict)
    items: Sequence[pytest.Item] = ()
    axes: dict[str, set[str]] = field(default_factory=dict)


class _CatalogueListener:
    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.values: dict[str, set[str]] = {}
        self.axes: dict[str, set[str]] = {}
        self.items: list[pytest.Item] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.items = items
        for item in items:
            check = check_of(item)
            if check is not None:
                self.checks[check.id] = check
                self.values.setdefault(check.id, set()).update(parameters_of(item).values())
                asked = {name for name in getattr(item, "fixturenames", ()) if name == HOST}
                self.axes.setdefault(check.id, set()).update(asked, parameters_of(item))


def collect(root: Path, env: str = "local") -> Catalogue:
    """Collect the suites of a project, or those of the package where ``root`` is none, as they judge an
    environment. Raises UsageProblem with pytest's words where that fails."""
    listener = _CatalogueListener()
    collect_with(listener, root, env)
    checks = sorted(listener.checks.values(), key=lambda check: check.id)
    environment = load_environment(env, root, os.environ)
    here = claims_of(load_claims(suites_of(root) / "claims.toml"), environment)
    evidence = {
        claim.id: [check.id for check in checks if evidence_of(claim, check, listener.values[check.id])]
        for claim in here.claims
    }
    nothing = _nothing(listener, environment)
    return Catalogue(checks, here.claims, here.absent, evidence, nothing, listener.items, listener.axes)


def collect_with(listener: object, root: Path, env: str) -> None:
    """A collection that a plugin of pytest hears. Raises UsageProblem with pytest's words where it fails."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), contextlib.chdir(root):
        code = pytest.main(
            ["--collect-only", "-q", "-p", "no:cacheprovider", f"--env={env}", str(suites_of(root))],
            plugins=[listener],
        )
    if code != pytest.ExitCode.OK:
        raise UsageProblem([f"the checks cannot be collected:\n{output.getvalue().strip()}"])


def _nothing(listener: _CatalogueListener, environment: Environment) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for check_id, axes in sorted(listener.axes.items()):
        empty = [DECLARED_BY[axis] for axis in axes if axis in AXES and not AXES[axis][1](environment)]
        empty += ["host"] if HOST in axes and environment.host is None else []
        if empty:
            found.setdefault(empty[0], []).append(check_id)
    return found
