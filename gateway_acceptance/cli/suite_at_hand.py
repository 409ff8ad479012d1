"""The suite of this checkout or package, as it would judge an environment: collected, nothing is sent."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway_acceptance.check import RELEASE, Check
from gateway_acceptance.claims import load_claims
from gateway_acceptance.claims_here import claims_of
from gateway_acceptance.cli.catalogue import collect_with
from gateway_acceptance.deviations import load_harm
from gateway_acceptance.environment import Environment
from gateway_acceptance.places import suites_of
from gateway_acceptance.planted import load_planted
from gateway_acceptance.plugin.parametrise import check_of
from gateway_acceptance.profiles import load_profiles
from gateway_acceptance.signoff.suite import Suite
from gateway_acceptance.waivers import waivers_for
from gateway_acceptance.wire.watch import UniversalRule

LEADING = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
"""Variables by which another collection would come about."""


class _SuiteListener:
    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.cases: dict[str, str] = {}
        self.rules: list[UniversalRule] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: Sequence[pytest.Item]) -> None:
        for item in items:
            check = check_of(item)
            if check is not None:
                self.checks[check.id] = check
                if RELEASE in check.profiles:
                    self.cases[item.nodeid] = check.id
        self.rules = [rule for rules in config.hook.pytest_gateway_rules() for rule in rules]


def suite_at_hand(root: Path, env: str, environment: Environment) -> Suite:
    """env: as an option names the environment. Raises UsageProblem where something of it cannot be read."""
    suites, listener = suites_of(root), _SuiteListener()
    with _unled():
        collect_with(listener, root, env)
    harms = load_harm(suites / "harm.toml")
    return Suite(
        listener.checks,
        load_profiles(suites / "profiles.toml"),
        claims_of(load_claims(suites / "claims.toml"), environment).claims,
        listener.cases,
        waivers_for(environment, root, harms),
        listener.rules,
        harms,
        load_planted(suites) is not None,
    )


@contextmanager
def _unled() -> Iterator[None]:
    kept = {name: os.environ.pop(name) for name in LEADING if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
