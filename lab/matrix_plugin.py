"""A pytest plugin of the mutation matrix: each faulty environment is judged only by the checks that its fault
names; environments that are not listed are judged by all."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pytest

from gateway_acceptance.check import Check
from gateway_acceptance.plugin.parametrise import check_of, environment_of
from lab.matrix_progress import PROGRESS_VARIABLE, note

SELECTION_VARIABLE = "MUTATION_MATRIX_SELECTION"
CELL = "cell of the mutation matrix"


class MatrixSelection:
    """Which environments a check judges. wanted: environment of a fault -> the checks that it names."""

    def __init__(self, wanted: Mapping[str, Collection[str]]) -> None:
        self._wanted = wanted
        self._named: dict[str, list[str]] = {}
        for environment, checks in wanted.items():
            for check in checks:
                self._named.setdefault(check, []).append(environment)

    def pytest_gateway_environments(self, check: Check, names: Sequence[str]) -> Collection[str]:
        """Those whose fault names it, and those that are not listed."""
        return {*self._named.get(check.id, ()), *(name for name in names if name not in self._wanted)}


def pytest_configure(config: pytest.Config) -> None:
    selection = Path(os.environ[SELECTION_VARIABLE]).read_text(encoding="utf-8")
    config.pluginmanager.register(MatrixSelection(json.loads(selection)), "mutation-matrix-selection")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is no check is no cell; each cell says which one it is."""
    items[:] = [item for item in items if check_of(item)]
    for item in items:
        if check := check_of(item):
            item.user_properties.append((CELL, json.dumps([environment_of(item), check.id])))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what was reached, once: where there are workers, the controller does."""
    path = os.environ.get(PROGRESS_VARIABLE)
    if path and report.when == "teardown" and "PYTEST_XDIST_WORKER" not in os.environ:
        for name, value in report.user_properties:
            if name == CELL:
                note(Path(path), *json.loads(str(value)))
