"""What a supervisor is told: a file in the lab's folder that only this user can read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from gateway_acceptance.environment import Environment, load_environment


@dataclass(frozen=True, slots=True)
class LabView:
    """A second gateway address with one defect. environment: the file that declares it; fault: its name, or
    None for the healthy control."""

    environment: Environment
    fault: str | None


@dataclass(frozen=True, slots=True)
class Specification:
    """installed: what is started of the gateway; owner: the pid that the lab lives and dies with, or None for
    a lab of its own."""

    environment: Environment
    folder: Path
    key: str
    installed: Path
    version: str
    owner: int | None
    views: tuple[LabView, ...] = ()

    def write(self) -> Path:
        """Write it to the lab's folder; returns the file."""
        document = {
            "environment": str(self.environment.source),
            "folder": str(self.folder),
            "key": self.key,
            "installed": str(self.installed),
            "version": self.version,
            "owner": self.owner,
            "views": [{"environment": str(v.environment.source), "fault": v.fault} for v in self.views],
        }
        path = self.folder / "specification.json"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file)
        return path

    @classmethod
    def read(cls, path: Path) -> Specification:
        """What ``write`` wrote; the file is removed, for it holds the key."""
        document = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()

        def load(source: str) -> Environment:
            return load_environment(source, Path(), os.environ)

        return cls(
            environment=load(document["environment"]),
            folder=Path(document["folder"]),
            key=document["key"],
            installed=Path(document["installed"]),
            version=document["version"],
            owner=document["owner"],
            views=tuple(LabView(load(view["environment"]), view["fault"]) for view in document["views"]),
        )
