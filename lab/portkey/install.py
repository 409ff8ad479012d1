"""The pinned Portkey gateway, installed once by the npm that Allure's Node brings along."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from lab.installed import READY, tree_stands
from lab.npm import npm_ci

HERE = Path(__file__).parent
PACKAGE = "@portkey-ai/gateway"


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
    program = Path("node_modules", PACKAGE, "build", "start-server.js")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # another run may be installing the same
        if not tree_stands(folder, str(program)):
            say(f"installing Portkey {version} (locked), once ...")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for file in (lock, HERE / "package.json"):
                shutil.copy(file, folder)
            npm_ci(folder, f"Portkey {version}")
            (folder / READY).touch()
    return folder / program
