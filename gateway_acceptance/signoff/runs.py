"""The runs of an environment beside the one that is to be signed: nobody chooses the one that suits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway_acceptance.documents import Unreadable, json_of
from gateway_acceptance.report.reading import first_line
from gateway_acceptance.run_directory import RECORD, run_directories
from gateway_acceptance.usage import EXIT_READY

UNREADABLE = "it cannot be read"
SECOND = len("20260101T000000Z")
"""Of a run's name: when it began. What its record says may have been changed since."""
Record = Mapping[str, Any]


def newer_red(runs: Path, environment: str, record: Record) -> list[str]:
    """Runs of the environment that began after this one and are not green, a sentence each: an older
    green one does not speak for the deployment of today."""
    found = []
    for path in run_directories(runs, environment):
        try:
            told: Any = json_of(path / RECORD)
            other = told["run"]
            begun = datetime.fromisoformat(other["started"])
            after = begun > datetime.fromisoformat(record["run"]["started"])
            newer = after or path.name[:SECOND] > record["run"]["id"][:SECOND]
            if newer and other["exit_code"] != EXIT_READY:
                found.append(
                    f"the newer run {path.name} is {other['state']} ({first_line(other['headline'])})"
                )
        except (OSError, ValueError, KeyError, TypeError):
            found.append(f"the run {path.name} cannot be read, and may be newer")
    return found


def runs_since(runs: Path, environment: str, since: str) -> list[dict[str, str]]:
    """Every run of the environment that began since then, the oldest first: {run, started, profile, state,
    headline}. since: ISO time, or empty for all. One that cannot be read says so."""
    found = []
    for path in run_directories(runs, environment):
        try:
            run: Any = json_of(path / RECORD)
            told = {name: str(run["run"][name] or "") for name in ("started", "profile", "state", "headline")}
            if not since or datetime.fromisoformat(told["started"]) >= datetime.fromisoformat(since):
                found.append({"run": path.name, **told, "headline": first_line(told["headline"])})
        except (Unreadable, ValueError, KeyError, TypeError):
            found.append(
                {"run": path.name, "started": "", "profile": "", "state": "", "headline": UNREADABLE}
            )
    return found
