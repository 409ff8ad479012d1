"""All views of one record, written into its run directory. They are derived; the record is the authority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gateway_acceptance.claims import Claim
from gateway_acceptance.record_model import Record
from gateway_acceptance.report.allure import finish_results
from gateway_acceptance.report.allure_history import HISTORY, earlier_runs, history_lines
from gateway_acceptance.report.allure_tool import BuildOutcome, build_report
from gateway_acceptance.report.badge import render_badge
from gateway_acceptance.report.junit import render_junit
from gateway_acceptance.report.past import Past
from gateway_acceptance.report.pictures import pictures
from gateway_acceptance.report.reading import utc
from gateway_acceptance.report.status_json import status_document
from gateway_acceptance.report.status_model import status_model
from gateway_acceptance.report.tracker import render_page, render_status
from gateway_acceptance.run_directory import RunDirectory

RESULTS = "allure-results"


def write_views(
    directory: RunDirectory,
    record: Record,
    past: Past,
    claims: Sequence[Claim],
    staging: Path,
    *,
    with_report: bool,
) -> tuple[Path | None, str]:
    """STATUS.md, index.html, badge.svg, status.json, junit.xml, Allure's results and report.

    staging: where allure-pytest wrote during the run. Returns the report's path, or None and why there is
    none; a missing report never changes a verdict.
    """
    for drawn in pictures(record):
        directory.write(drawn.file, drawn.svg)
    status = status_model(record, past, claims)
    directory.write("STATUS.md", render_status(status))
    directory.write("index.html", render_page(status))
    directory.write("badge.svg", render_badge(status))
    directory.write_json("status.json", status_document(record))
    directory.write("junit.xml", render_junit(record))
    results = directory.path / RESULTS
    finish_results(staging, results, record, directory.redact)
    if not with_report:
        return None, ""
    outcome = draw_report(results, directory.path, record, directory.path.parent / HISTORY)
    if outcome.report is not None:  # only now is there something to link to
        directory.write("index.html", render_page(replace(status, report=True)))
    return outcome.report, outcome.problem


def draw_report(results: Path, out_dir: Path, record: Record, history: Path) -> BuildOutcome:
    """``out_dir/report.html`` of a run's results, with what its environment's history has from before it."""
    run = record.run
    title = f"{run.environment}: {run.state}, {utc(run.ended)}"
    return build_report(results, out_dir, title=title, history=history_lines(earlier_runs(history, record)))
