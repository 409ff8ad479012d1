"""What a person sees in the terminal: a letter per case, every failure once, the state at the end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway_acceptance.check import Check
from gateway_acceptance.plugin.options import environment_names
from gateway_acceptance.plugin.outcome import Outcome
from gateway_acceptance.plugin.parametrise import environment_of, parameters_of
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.verdict import Verdict

if TYPE_CHECKING:
    from gateway_acceptance.plugin.results import Finished
    from gateway_acceptance.report.status_model import Closing

LETTERS: Mapping[Verdict, str] = {
    Verdict.PASSED: ".",
    Verdict.DEVIATION: "d",
    Verdict.WAIVED: "w",
    Verdict.NOT_APPLICABLE: "n",
    Verdict.NOT_PERMITTED: "p",
    Verdict.INCONCLUSIVE: "?",
    Verdict.UNTESTABLE: "U",
    Verdict.FAILED: "F",
    Verdict.HARNESS_ERROR: "E",
}
OUTCOMES: Mapping[Verdict, str] = {
    Verdict.PASSED: "passed",
    Verdict.DEVIATION: "passed",
    Verdict.WAIVED: "passed",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.NOT_PERMITTED: "skipped",
}
"""Pytest's own three outcomes; every red verdict is ``failed``."""


def speak(
    report: pytest.TestReport, check: Check, outcome: Outcome, item: pytest.Item, state: WorkerState
) -> None:
    """Let pytest's report say the verdict, redacted; captured output too."""
    redact = state.redactor
    report.sections = [(name, indented(redact(text))) for name, text in report.sections]
    report.gateway_verdict = outcome.verdict.value  # type: ignore[attr-defined]
    report.outcome = OUTCOMES.get(outcome.verdict, "failed")  # type: ignore[assignment]
    if outcome.verdict is Verdict.PASSED:
        return
    if report.outcome == "skipped":
        path, line, _ = report.location
        report.longrepr = (path, line or 0, redact(outcome.message))
        return
    if report.outcome == "failed":
        report.longrepr = redact(failure_text(check, outcome, item, state))
        return
    report.longrepr = None  # waived: pytest's own words of it were never redacted


@contextlib.contextmanager
def no_source_shown(config: pytest.Config) -> Iterator[None]:
    """Pytest draws no traceback: what it parses for one takes longer than most checks, and ``speak`` says
    instead what was expected and seen."""
    style, config.option.tbstyle = config.option.tbstyle, "value"
    try:
        yield
    finally:
        config.option.tbstyle = style


def failure_text(check: Check, outcome: Outcome, item: pytest.Item, state: WorkerState) -> str:
    """One failure, one message: what was expected and seen, who is to blame, how to ask again."""
    parameters = ", ".join(f"{name}={value}" for name, value in parameters_of(item).items())
    lines = [
        f"{check.id} {check.title}" + (f" [{parameters}]" if parameters else ""),
        f"  verdict    {outcome.verdict.value} ({check.level} {check.effect}) in {environment_of(item)}",
        *(f"  {'saw' if i == 0 else '':<10} {line}" for i, line in enumerate(outcome.message.splitlines())),
    ]
    if check.spec:
        lines.append(f"  clause     {check.spec}")
    if outcome.blame:
        lines.append(f"  blame      {outcome.blame}")
    exchanges = state.notebook.exchanges
    if exchanges:
        lines.append(f"  ask again  {exchanges[-1].curl(state.way(environment_of(item)))}")
    if outcome.verdict is Verdict.HARNESS_ERROR:
        lines += ["", indented(outcome.detail)]
    return "\n".join(lines)


def indented(text: str, by: str = "  ") -> str:
    """A text whose lines begin no line of the terminal: there, only the run itself speaks."""
    return "\n".join(f"{by}{line}" if line.strip() else "" for line in text.splitlines())


def status_of(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Category, letter and word of a report; None for tests that are no checks."""
    spoken = getattr(report, "gateway_verdict", None)
    if spoken is None:
        return None
    verdict = Verdict(spoken)
    if report.when != "call" and verdict is Verdict.PASSED:
        return "", "", ""
    category = "failed" if verdict in (Verdict.FAILED, Verdict.HARNESS_ERROR) else verdict.value
    return category, LETTERS[verdict], verdict.value.upper()


def summarise(reporter: pytest.TerminalReporter, closing: Closing) -> None:
    """Reasons and waivers of one environment's run."""
    reporter.ensure_newline()
    reporter.section(closing.heading, green=closing.good, red=not closing.good)
    for checks, message in closing.untested:
        reporter.write_line(f"{checks} {indented(message).lstrip()}", yellow=True)
    for reason in closing.reasons:
        reporter.write_line(f"  - {indented(reason, '    ').lstrip()}")
    for line in closing.deviations:
        reporter.write_line(indented(line))
    for line in closing.ending:
        reporter.write_line(f"  soon: {line}", yellow=True)
    for line in closing.waived:
        reporter.write_line(f"  {line}")


def last_word(reporter: pytest.TerminalReporter, closing: Closing, finished: Finished) -> None:
    """How it ended, and where to read on: the last lines of a run."""
    reporter.write_line(closing.headline, green=closing.good, red=not closing.good)
    for line in closing.steps:
        reporter.write_line(line)
    if not (finished.directory.path / "STATUS.md").exists():  # --record-only
        reporter.write_line(f"record  {_near(finished.directory.path)}")
        return
    reporter.write_line(f"status  {_near(finished.directory.path / 'STATUS.md')}")
    reporter.write_line(f"page    {_near(finished.directory.path / 'index.html')}")
    if finished.report is not None:
        reporter.write_line(f"report  {_near(finished.report)}")
    elif finished.no_report:
        reporter.write_line(f"no report: {finished.no_report}", yellow=True)


def as_typed(config: pytest.Config, environment: str) -> str:
    """What ``--env`` said of this environment: a name, or the path of its file where it was the only one."""
    given = environment_names(config)
    return given[0] if len(given) == 1 else environment


def _near(path: Path) -> str:
    """A path as a person would type it from here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
