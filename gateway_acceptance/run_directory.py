"""Where a run's results land: ``reports/runs/<environment>/<UTC-id>/``, written through the redactor."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway_acceptance.redaction import Redactor

if TYPE_CHECKING:
    from gateway_acceptance.record_model import Record

RECORD = "record.json"
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """One environment's results of one run. Every text goes through ``redact``."""

    path: Path
    redact: Redactor

    def write(self, name: str, text: str) -> Path:
        """Write a text file whole or not at all."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.part")
        temporary.write_text(self.redact(text), encoding="utf-8")
        temporary.replace(target)
        return target

    def write_json(self, name: str, document: Any) -> Path:
        """Write a JSON document, all its strings redacted."""
        return self.write(name, json.dumps(self.redact.tree(document), indent=1, ensure_ascii=False) + "\n")

    def clear(self) -> None:
        """Remove everything that was written."""
        for path in self.path.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def beside(self) -> RunDirectory:
        """A new, empty, hidden directory beside this one, to be written whole and then to replace it."""
        path = self.path.with_name(f".{self.path.name}.part")
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return RunDirectory(path, self.redact)

    def replace(self, by: RunDirectory) -> None:
        """Let another directory take this one's place. Whatever happens meanwhile, the old is gone or the new
        is whole; what was there before is never taken for what is there now."""
        old = self.path.with_name(f".{self.path.name}.old")
        self.path.rename(old)
        by.path.rename(self.path)
        shutil.rmtree(old)

    def publish(self) -> None:
        """Let ``latest`` point here, in one step."""
        link = self.path.parent / LATEST
        temporary = self.path.parent / f".{LATEST}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(self.path.name)
        temporary.replace(link)


def run_id_of(started: float) -> str:
    """The id of a run by its beginning, in seconds since the epoch; requests tell it to the target."""
    return datetime.fromtimestamp(started, UTC).strftime("%Y%m%dT%H%M%SZ")


def new_run_directory(runs: Path, environment: str, run_id: str, redact: Redactor) -> RunDirectory:
    """Make the directory; a second run within the same second gets a suffix."""
    parent = runs / environment
    parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1000):
        path = parent / (run_id if attempt == 0 else f"{run_id}-{attempt + 1}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return RunDirectory(path, redact)
    raise FileExistsError(f"{parent}/{run_id} and a thousand after it exist already")


def run_directories(runs: Path, environment: str) -> list[Path]:
    """The directories of all runs of an environment, oldest first; ``latest`` and what is being written
    are none."""
    folder = runs / environment
    if not folder.is_dir():
        return []
    found = [
        path
        for path in folder.iterdir()
        if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
    ]
    return sorted(found, key=_age)


def previous_record(runs: Path, environment: str) -> Record | None:
    """The record that ``latest`` points at, or None where there is none that can be read. Where that run
    began and never ended, it is the newest one that did."""
    latest = _record(runs / environment / LATEST)
    if latest is None or ended(latest):
        return latest
    records = (_record(path) for path in reversed(run_directories(runs, environment)))
    return next((record for record in records if record is not None and ended(record)), None)


def ended(record: Record) -> bool:
    """Whether the run of a record came to its end."""
    return not record.basis.unfinished


def withdraw(runs: Path, environment: str) -> None:
    """Let no run be the newest: where a new one cannot be written, the old one must not pass for it."""
    (runs / environment / LATEST).unlink(missing_ok=True)


def _age(path: Path) -> tuple[str, int]:
    """Sorts ``…Z-2`` behind ``…Z`` and ``…Z-10`` behind ``…Z-9``."""
    begun, _, number = path.name.partition("-")
    return begun, int(number) if number.isdigit() else 0


def record_at(directory: Path) -> Record:
    """The record of a run's directory. Raises OSError, ValueError in one sentence."""
    from gateway_acceptance.record_model import record_of  # a collection reads none

    try:
        return record_of(json.loads((directory / RECORD).read_text(encoding="utf-8")))
    except RecursionError:
        raise ValueError(f"{RECORD} nests too deep") from None


def _record(directory: Path) -> Record | None:
    try:
        return record_at(directory)
    except (OSError, ValueError):
        return None
