"""npm, by the Node that Allure's package brings along: what a lock names, and nothing resolved."""

from __future__ import annotations

import os
from pathlib import Path

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.locked_install import InstallFailedError, run
from gateway_acceptance.report.node import NoNodeError, node, npm

NPM_CI = (
    *("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
    *("--fetch-retries=1", "--prefer-offline"),
)


def npm_ci(folder: Path, name: str) -> None:
    """Install what ``package-lock.json`` in a folder pins. name: for people. Raises NotStarted with npm's own
    reason."""
    try:
        program, script = node(), npm()
    except NoNodeError as error:
        raise NotStarted(f"{name} cannot be installed: {error}") from None
    path = os.pathsep.join([str(program.parent), os.environ.get("PATH", os.defpath)])
    # the machine's own certificates, as pip uses them: the wheel's node brings a list of its own
    variables = {"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": path, "NO_COLOR": "1"}
    try:
        run([str(program), str(script), *NPM_CI], variables, cwd=folder)
    except InstallFailedError as failed:
        needs = "installing it needs npm's packages once"
        raise NotStarted(
            f"{name} cannot be installed: {failed.reason}", f"{failed.detail}\n{needs}".strip()
        ) from None
