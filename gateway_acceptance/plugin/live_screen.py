"""The screen of a run that goes on: verdicts, what is being judged, spend against budget, what is slow.

Drawn on a terminal only; pipes and CI get pytest's own lines. What a target sent steers nothing here: each
text passes ``printable`` and is cut to its line.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, TextIO

import pytest

from gateway_acceptance.plugin.live_progress import SHOWN, Progress, ProgressSnapshot, Spending
from gateway_acceptance.redaction import printable
from gateway_acceptance.verdict import Verdict

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from gateway_acceptance.plugin.controller import Controller

DRAWN_PER_S = 4
LEAST_LINES = 16
"""A terminal with fewer lines has no room for the screen beside pytest's own."""
STYLES = {Verdict.PASSED: "green", Verdict.DEVIATION: "yellow", Verdict.WAIVED: "yellow"}
NEAR = 0.8
"""From this share of a budget on, its figure is yellow."""


def wanted(config: pytest.Config, out: TextIO) -> bool:
    """Whether somebody watches: a terminal, no CI, and no option that asks for pytest's own lines."""
    if config.getoption("--no-live") or config.option.verbose or config.option.capture == "no":
        return False
    if os.environ.get("CI", "").lower() not in ("", "0", "false") or os.environ.get("TERM") == "dumb":
        return False
    return out.isatty() and shutil.get_terminal_size().lines >= LEAST_LINES


class LiveScreen:
    """Draws the run on the terminal from the first case to the last; pytest's letters stay away meanwhile."""

    def __init__(self, controller: Controller, out: TextIO) -> None:
        self._controller = controller
        self._out = os.fdopen(os.dup(out.fileno()), "w", encoding="utf-8")  # never the captured one
        self._progress = Progress()
        self._live: Live | None = None
        self._over = False

    def stop(self) -> None:
        """Give the terminal back, as it was; what was being drawn is not drawn again."""
        if self._live is not None:
            self._over = True
            self._live.stop()
            self._live = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """However it ends, the terminal is given back before anything else is said."""
        try:
            return (yield)
        finally:
            self.stop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._begin()
        case = self._controller.log.selected.get(nodeid)
        if case is not None:
            parameters = ", ".join(f"{name}={value}" for name, value in case.parameters.items())
            name = f"{case.check} ({parameters})" if parameters else case.check
            self._progress.begins(nodeid, name, time.monotonic())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        case = getattr(report, "gateway_case", None)
        if case is not None:
            verdict = Verdict(case["verdict"])
            self._progress.ends(report.nodeid, case["check"], verdict, case["message"], time.monotonic())

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """While the screen is drawn a case is counted, and no letter is written."""
        if self._live is None:
            return None
        from gateway_acceptance.plugin.terminal import status_of

        status = status_of(report)
        return (status[0], "", "") if status else None

    def pytest_unconfigure(self) -> None:
        self.stop()
        self._out.close()

    def _begin(self) -> None:
        if self._live is not None or self._over:
            return
        from rich.console import Console
        from rich.live import Live

        reporter = self._controller.inputs.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.showfspath = False  # nor the names of files
            reporter.ensure_newline()
            reporter.flush()
        self._progress.total = len(self._controller.log.selected)
        self._live = Live(
            get_renderable=self._drawn,
            console=Console(file=self._out, force_terminal=True, highlight=False, markup=False, emoji=False),
            refresh_per_second=DRAWN_PER_S,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def _drawn(self) -> Table:
        return drawn(self._progress.seen(time.monotonic()), self._spending())

    def _spending(self) -> list[Spending]:
        spent = []
        started, folder = self._controller.clock.started, self._controller.folder
        for environment in self._controller.inputs.environments:
            used = folder.spent(environment, started)
            policy, seconds = environment.policy, time.time() - started
            allowed = policy.requests, policy.tokens, policy.seconds
            spent.append(Spending(environment.name, used.requests, used.tokens, seconds, *allowed))
        return spent


def drawn(seen: ProgressSnapshot, spending: Sequence[Spending]) -> Table:
    """The screen, at most 16 lines; no line is longer than the terminal is wide."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    def line(*parts: tuple[str, str]) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        for words, style in parts:
            text.append(" ".join(printable(words).split()), style).append(" ")
        return text

    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True, width=8)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    bar = Table.grid(padding=(0, 1, 0, 0))
    bar.add_row(
        ProgressBar(max(seen.total, 1), seen.done, width=40), line((f"{seen.done} of {seen.total}", ""))
    )
    table.add_row("judged", bar)
    counted = [one for one in Verdict if seen.counts.get(one)]
    counts = [
        (f"{seen.counts[one]} {one.value}{',' if one is not counted[-1] else ''}", _style(one))
        for one in counted
    ]
    table.add_row("verdicts", line(*(counts or [("none yet", "dim")])))
    for one in spending[:SHOWN]:
        table.add_row("spent", line(*_figures(one, named=len(spending) > 1)))
    if len(spending) > SHOWN:
        table.add_row("", line((f"and {len(spending) - SHOWN} environments more", "dim")))
    for title, timed in (("now", seen.running), ("slow", seen.slow)):
        for number, (name, seconds) in enumerate(timed[:SHOWN]):
            table.add_row("" if number else title, line((f"{seconds:.1f} s", "dim"), (name, "")))
    for number, (check, message) in enumerate(seen.red):
        table.add_row("" if number else "red", line((check, "bold red"), (message, "")))
    if seen.red_count > len(seen.red):
        table.add_row("", line((f"and {seen.red_count - len(seen.red)} cases more", "red")))
    return table


def _style(verdict: Verdict) -> str:
    return "bold red" if verdict.red else STYLES.get(verdict, "")


def _figures(one: Spending, *, named: bool) -> list[tuple[str, str]]:
    figures = (
        (one.requests, one.allowed_requests, "requests,"),
        (one.tokens, one.allowed_tokens, "tokens,"),
        (round(one.seconds), round(one.allowed_seconds), "s"),
    )
    near = [
        (f"{used} of {allowed} {unit}", "yellow" if used >= NEAR * allowed else "")
        for used, allowed, unit in figures
    ]
    return [(f"{one.environment}:", "bold"), *near] if named else near


def watch(controller: Controller) -> LiveScreen | None:
    """The screen of this run, or None where nobody watches."""
    config = controller.inputs.config
    if config.pluginmanager.get_plugin("terminal") is None or not wanted(config, sys.stdout):
        return None
    return LiveScreen(controller, sys.stdout)
