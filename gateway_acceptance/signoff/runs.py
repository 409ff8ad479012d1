"""The runs of an environment beside the one that is to be signed: nobody chooses the one that suits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from gateway_acceptance.documents import Unreadable, json_of
from gateway_acceptance.record_model import Record
from gateway_acceptance.report.reading import first_line
from gateway_acceptance.run_directory import LATEST, RECORD, run_directories
from gateway_acceptance.usage import EXIT_READY

UNREADABLE = "it cannot be read"
SECOND = len("20260101T000000Z")
"""Of a run's name: when it began. What its record says may have been changed since."""


class RunSummary(BaseModel):
    """What is asked of another run, whichever suite wrote its record."""

    started: str
    ended: str
    profile: str | None
    state: str
    headline: str
    exit_code: int


class _RecordSummary(BaseModel):
    run: RunSummary


def newer_red(places: Sequence[Path], environment: str, record: Record) -> list[str]:
    """Runs of the environment that are not green and went on after this one began, a sentence each: an
    older green one does not speak for the deployment of today, nor does one of two that went on at once.
    places: folders of runs."""
    own, begun = record.run.id, datetime.fromisoformat(record.run.started)
    found = []
    for path in _all(places, environment):
        if path.name == own:
            continue
        try:
            other = _summary(path)
            later = max(map(datetime.fromisoformat, (other.started, other.ended))) > begun
        except ValueError:
            found.append(f"the run {path.name} cannot be read, and may be newer")
            continue
        if (later or path.name[:SECOND] > own[:SECOND]) and other.exit_code != EXIT_READY:
            found.append(f"the newer run {path.name} is {other.state} ({first_line(other.headline)})")
    return list(dict.fromkeys(found))


def runs_since(places: Sequence[Path], environment: str, since: str) -> list[dict[str, str]]:
    """Every run of the environment that began since then, the oldest first: {run, started, profile, state,
    headline}. since: ISO time, or empty for all. One that cannot be read says so."""
    found: list[dict[str, str]] = []
    for path in _all(places, environment):
        try:
            run = _summary(path)
            if since and datetime.fromisoformat(run.started) < datetime.fromisoformat(since):
                continue
        except ValueError:
            run = RunSummary(started="", ended="", profile="", state="", headline=UNREADABLE, exit_code=1)
        entry = {"run": path.name, "started": run.started, "profile": run.profile or ""}
        entry |= {"state": run.state, "headline": first_line(run.headline)}
        found += [] if entry in found else [entry]
    return found


def _all(places: Sequence[Path], environment: str) -> list[Path]:
    """Its runs, the oldest of a folder first; then links there, behind which a run may be hidden."""
    found: dict[Path, Path] = {}
    for runs in places:
        folder = runs / environment
        links = [path for path in folder.iterdir() if path.is_symlink()] if folder.is_dir() else []
        own = [path for path in links if path.name != LATEST and not path.name.startswith(f".{LATEST}.")]
        for path in (*run_directories(runs, environment), *sorted(own)):
            found.setdefault(path.parent.resolve() / path.name, path)
    return list(found.values())


def _summary(path: Path) -> RunSummary:
    """Raises ValueError; a link is not followed."""
    if path.is_symlink():
        raise Unreadable("it is a link")
    return _RecordSummary.model_validate(json_of(path / RECORD)).run
