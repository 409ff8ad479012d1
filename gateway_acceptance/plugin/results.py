"""Writing a run's results: void from its beginning, replaced by the whole, or by why there is none.

So a run that dies, however it dies, leaves no green behind: ``latest`` says VOID until all is written, sealed
and agrees with itself.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway_acceptance.audit import contradictions, disagreements
from gateway_acceptance.claims import Claim
from gateway_acceptance.evaluation import distrusted
from gateway_acceptance.record_model import Record, document_of
from gateway_acceptance.record_model.redacted import redacted
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.report.accepted import Known
from gateway_acceptance.report.allure_history import HISTORY, remember
from gateway_acceptance.report.past import Past, read_past
from gateway_acceptance.report.write_outputs import write_views
from gateway_acceptance.run_directory import RECORD, RunDirectory, new_run_directory
from gateway_acceptance.seal import seal

NOTHING = Path("nothing")
"""Where allure-pytest left nothing."""


@dataclass
class Begun:
    """One environment's run, begun. past: what was there before it."""

    environment: str
    directory: RunDirectory
    past: Past


@dataclass
class Finished:
    """One environment's results, written; or its record, which could not be."""

    environment: str
    record: Record
    directory: RunDirectory
    report: Path | None = None
    no_report: str = ""


def begin(
    runs: Path,
    record: Record,
    redactor: Redactor,
    claims: Sequence[Claim],
    *,
    with_views: bool = True,
    known: Known | None = None,
) -> Begun:
    """Make the run's directory, write the record of an unfinished run into it, let ``latest`` point there.
    with_views: all that is derived from it as well; known: who may have signed releases. Raises OSError."""
    environment = record.run.environment
    past = read_past(runs, environment, known)
    directory = new_run_directory(runs, environment, record.run.id, redactor)
    begun = Begun(environment, directory, past)
    record = _named(record, begun)
    directory.write_json(RECORD, document_of(record))
    if with_views:
        write_views(directory, record, past, claims, directory.path / NOTHING, with_report=False)
    directory.publish()
    return begun


def finish(
    begun: Begun,
    record: Record,
    claims: Sequence[Claim],
    staging: Path,
    *,
    with_report: bool,
    with_views: bool = True,
) -> Finished:
    """Write everything beside, look whether it agrees, seal it, and let it replace what stood there.
    with_views: all that is derived from the record as well, and what stays of it for later reports.

    What cannot be written (a full disk) voids the run: no file of it is left but that it began.
    """
    record = _named(record, begun)
    part: RunDirectory | None = None
    try:
        part = begun.directory.beside()
        report, why = None, ""
        if with_views:
            report, why = _write(part, record, begun.past, claims, staging, with_report=with_report)
        else:
            part.write_json(RECORD, document_of(record))
        void = _mistrust(part, record, with_views=with_views)
        if void is not None:
            record, report, why = void, None, void.run.headline
            _write_void(part, record, begun.past, claims)
        seal(part.path)
        begun.directory.replace(part)
        begun.directory.publish()
    except OSError as error:
        return _lost(begun, part, record, error)
    if not with_views:
        return Finished(begun.environment, record, begun.directory)
    with contextlib.suppress(OSError):  # the run is whole and sealed; a later report shows one run less
        remember(begun.directory.path.parent / HISTORY, record)
    path = begun.directory.path / report.relative_to(part.path) if report else None
    return Finished(begun.environment, record, begun.directory, path, why)


def _named(record: Record, begun: Begun) -> Record:
    """The record as it is written: redacted, under its directory's name."""
    shown = redacted(record, begun.directory.redact.tree)
    run = shown.run.model_copy(update={"id": begun.directory.path.name})
    return shown.model_copy(update={"run": run})


def _write(
    directory: RunDirectory,
    record: Record,
    past: Past,
    claims: Sequence[Claim],
    staging: Path,
    *,
    with_report: bool,
) -> tuple[Path | None, str]:
    directory.write_json(RECORD, document_of(record))
    return write_views(directory, record, past, claims, staging, with_report=with_report)


def _mistrust(directory: RunDirectory, record: Record, *, with_views: bool) -> Record | None:
    """The record made void where what was written holds a secret or does not agree; else None."""
    leaks = directory.redact.leaks_in(directory.path)
    if leaks:
        headline = "a secret was about to be written; the files that held it were removed"
        return distrusted(record, headline, [f"secret found in {leak}" for leak in leaks])
    wrong = [*contradictions(record), *(disagreements(directory.path, record) if with_views else ())]
    if wrong:
        return distrusted(record, "the record and its views do not agree: an error of the suite", wrong)
    return None


def _write_void(directory: RunDirectory, record: Record, past: Past, claims: Sequence[Claim]) -> None:
    """All files go, for they tell of a run that is void now. What is written anew comes of the redacted
    record alone; whatever of it still holds a secret goes as well."""
    directory.clear()
    _write(directory, record, past, claims, directory.path / NOTHING, with_report=False)
    for leak in directory.redact.leaks_in(directory.path):
        (directory.path / leak.rsplit(":", 1)[0]).unlink(missing_ok=True)


def _lost(begun: Begun, part: RunDirectory | None, record: Record, error: OSError) -> Finished:
    if part is not None:
        shutil.rmtree(part.path, ignore_errors=True)
    why = f"the results could not be written: {error.strerror or error}"
    fix = "make room where reports/runs lies (or choose a place with --runs), then run again"
    void = distrusted(record, why, [f"{why}; {fix}"])
    with contextlib.suppress(OSError):
        begun.directory.write_json(RECORD, document_of(void))
        write_views(begun.directory, void, begun.past, (), begun.directory.path / NOTHING, with_report=False)
    return Finished(begun.environment, void, begun.directory, None, "")
