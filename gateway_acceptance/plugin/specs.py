"""Hooks that another plugin may answer (``lab.matrix_plugin`` does)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest

from gateway_acceptance.check import Check


@pytest.hookspec(firstresult=True)
def pytest_gateway_environments(check: Check, names: Sequence[str]) -> Collection[str] | None:
    """Of the run's environments (names), those that a check is to judge; None: all of them.

    Cases that it leaves out are not built. A run that left cases of its profile out is
    a partial run: never green.
    """


@pytest.hookspec(firstresult=True)
def pytest_gateway_woken(check: Check, environment: str) -> bool | None:
    """Whether a check that a sentinel of smoke wakes is to judge an environment; None: it is."""
