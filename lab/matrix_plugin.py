"""A pytest plugin of the mutation matrix: each faulty environment is judged only by the checks that its fault
names; environments that are not listed are judged by all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gateway_acceptance.plugin.parametrise import check_of, environment_of
from lab.matrix_progress import PROGRESS_VARIABLE, note

SELECTION_VARIABLE = "MUTATION_MATRIX_SELECTION"
CELL = "cell of the mutation matrix"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what no fault of the environment names."""
    wanted: dict[str, list[str]] = json.loads(
        Path(os.environ[SELECTION_VARIABLE]).read_text(encoding="utf-8")
    )
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        check = check_of(item)
        named = wanted.get(environment_of(item)) if check else None
        (kept if check and (named is None or check.id in named) else left).append(item)
        if check:
            item.user_properties.append((CELL, json.dumps([environment_of(item), check.id])))
    config.hook.pytest_deselected(items=left)
    items[:] = kept


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what was reached, once: where there are workers, the controller does."""
    path = os.environ.get(PROGRESS_VARIABLE)
    if path and report.when == "teardown" and "PYTEST_XDIST_WORKER" not in os.environ:
        for name, value in report.user_properties:
            if name == CELL:
                note(Path(path), *json.loads(str(value)))
