"""Build hook: a wheel says which commit it was built from, so that a run of it can be signed."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = "gateway_acceptance/_data/build.json"


class CommitHook(BuildHookInterface):  # type: ignore[type-arg]
    """Writes ``{commit, dirty}``; nothing where the sources are no git checkout."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """version: ``standard``, or ``editable``, which needs no such file."""
        built = commit_of(Path(self.root)) if version == "standard" else None
        if built is None:
            return
        self._folder = tempfile.mkdtemp(prefix="gateway-acceptance-build-")
        path = Path(self._folder) / "build.json"
        path.write_text(json.dumps(built), encoding="utf-8")
        build_data["force_include"][str(path)] = PLACE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        shutil.rmtree(getattr(self, "_folder", ""), ignore_errors=True)


def commit_of(root: Path) -> dict[str, object] | None:
    """The checked-out commit and whether anything was changed since; None where that cannot be said."""
    if not (root / ".git").exists():
        return None

    def ask(*words: str) -> str:
        command = ["git", "-C", str(root), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None
