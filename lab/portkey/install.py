"""The pinned Portkey gateway, installed once by the npm that Allure's Node brings along."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.locked_install import InstallFailedError, run
from gateway_acceptance.report.node import NoNodeError, node, npm

HERE = Path(__file__).parent
PACKAGE = "@portkey-ai/gateway"
NPM_CI = (
    *("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
    *("--fetch-retries=1", "--prefer-offline"),
)


def locked_version(_wanted: str = "") -> str:
    """The one version that there is, whatever is wished for: ``--litellm`` speaks of another product."""
    return str(json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"][PACKAGE])


def ensure_portkey(root: Path, version: str, say: Callable[[str], None]) -> Path:
    """The gateway's program for Node, installed once below ``root/.lab``.

    Raises NotStarted with npm's own reason where it cannot be had.
    """
    lock = HERE / "package-lock.json"
    mark = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = root / ".lab" / "npm" / f"portkey-{version}-{mark}"
    ready = folder / ".ready"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # another run may be installing the same
        if not ready.exists():
            say(f"installing Portkey {version} (locked), once ...")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for file in (lock, HERE / "package.json"):
                shutil.copy(file, folder)
            _npm_ci(folder, version)
            ready.touch()
    return folder / "node_modules" / PACKAGE / "build" / "start-server.js"


def _npm_ci(folder: Path, version: str) -> None:
    try:
        program, script = node(), npm()
    except NoNodeError as error:
        raise NotStarted(f"Portkey {version} cannot be installed: {error}") from None
    path = os.pathsep.join([str(program.parent), os.environ.get("PATH", os.defpath)])
    # the machine's own certificates, as pip uses them: the wheel's node brings a list of its own
    variables = {"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": path, "NO_COLOR": "1"}
    try:
        run([str(program), str(script), *NPM_CI], variables, cwd=folder)
    except InstallFailedError as failed:
        needs = "installing it needs npm's packages once"
        raise NotStarted(
            f"Portkey {version} cannot be installed: {failed.reason}", f"{failed.detail}\n{needs}".strip()
        ) from None
