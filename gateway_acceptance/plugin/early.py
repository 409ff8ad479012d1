"""The command line, known to pytest before it reads ``conftest.py`` (entry point ``pytest11``).

Pytest takes any argument that is an existing path for a place of tests while it looks for its root, the value
of ``--env`` included. Where that led it away from the project, one sentence says so.
"""

from __future__ import annotations

import pytest

from gateway_acceptance.plugin.options import CHECKS_ROOT, add_options


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    given: list[str] = config.getoption("--env") or []
    here = config.invocation_params.dir
    if given and config.rootpath != here and (here / CHECKS_ROOT).is_dir() and config.inipath is None:
        raise pytest.UsageError(
            f"pytest took the path {given[0]} for its root; write --env={given[0]}, with the equals sign"
        )
