"""The folder that a command works in."""

from __future__ import annotations

from pathlib import Path

from gateway_acceptance.places import is_project


def project_root(start: Path | None = None) -> Path:
    """The nearest project at or above the current folder; where there is none, the current folder: the checks
    are then those that came with the package."""
    begin = (start or Path.cwd()).resolve()
    return next((folder for folder in (begin, *begin.parents) if is_project(folder)), begin)
