"""A loopback gateway and a miniature project for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugin.gateway import Gateway, serving
from tests.plugin.project import Project, new_project


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway that answers."""
    with serving() as served:
        yield served


@pytest.fixture
def project(tmp_path: Path, gateway: Gateway) -> Project:
    """A project whose environment ``mini`` is that gateway."""
    made = new_project(tmp_path)
    made.environment(gateway.url)
    return made
