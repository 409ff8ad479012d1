"""Hooks that find the checks of a run and parametrise them: all that ``--collect-only`` needs."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from pathlib import Path

import pytest

from gateway_acceptance.check import Check
from gateway_acceptance.plugin.options import profile_of
from gateway_acceptance.plugin.own_logs import OwnLogs
from gateway_acceptance.plugin.parametrise import check_of, concerns_an_environment, parametrise
from gateway_acceptance.plugin.selection import LeftOut
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.usage import EXIT_USAGE

NOTHING_SELECTED = "no check was selected: correct -m, -k or the paths given"


class CollectionHooks:
    """Of one process. catalogue: every check that is there, by id; of_the_profile: the cases of the run's
    profile; mistakes: of checks' declarations, a sentence each; left_out: what is not imported."""

    def __init__(self, config: pytest.Config, state: WorkerState) -> None:
        self._config, self._state = config, state
        self.catalogue: dict[str, Check] = {}
        self.of_the_profile: set[str] = set()
        self.mistakes: list[str] = []
        self.left_out = LeftOut(config, state.environments)
        self._own_logs = OwnLogs(config, state.redactor)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """A file that cannot hold what was selected is not imported."""
        return True if self.left_out.leaves_out(collection_path) else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(
        self, collector: pytest.Collector, name: str, obj: object
    ) -> list[pytest.Item] | None:
        """A check that was not selected is not parametrised."""
        return [] if self.left_out.leaves_out_function(collector, name, obj) else None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        check = check_of(metafunc.definition)
        judged = self._state.environments if check is None else self.left_out.judged_by(check)
        parametrise(metafunc, judged, self._state.redactor)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, None, None]:
        """Around all others, before anything is deselected: the catalogue of all checks that are there."""
        functions: dict[str, str] = {}
        mistakes: dict[str, None] = {}

        def enter(check: Check, function: str) -> None:
            known = functions.setdefault(check.id, function)
            if known != function:
                mistakes[f"the check id {check.id} is used twice: {known} and {function}"] = None
            self.catalogue[check.id] = check
            for claim in check.claims:
                if claim not in self._state.claims:
                    place = "which suites/claims.toml does not hold"
                    mistakes[f"{check.id} names the claim {claim}, {place}"] = None

        for function, left in self.left_out.found.items():
            enter(left, function)
        for item in items:
            check = check_of(item)
            if check is None:
                continue
            function = item.nodeid.split("[", 1)[0]
            enter(check, function)
            if not concerns_an_environment(item):
                mistakes[f"{check.id} ({function}) asks for no environment; let it ask for one"] = None
            if profile_of(self._config) in check.profiles:
                self.of_the_profile.add(item.nodeid)
        if mistakes:
            items.clear()  # pytest goes on to pytest_collection_finish: nothing is to be prepared or run
            self.mistakes = list(mistakes)
            if not hasattr(self._config, "workerinput"):  # a worker of xdist is not heard; its file is
                raise pytest.UsageError(*mistakes)
        yield

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What a module says while it is imported is shown redacted."""
        redact = self._state.redactor
        report.sections = [(name, redact(text)) for name, text in report.sections]
        if report.failed:
            report.longrepr = redact(report.longreprtext)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Pytest prints warnings at the end; they are shown redacted."""
        redact = self._state.redactor
        warning_message.message = redact(str(warning_message.message))
        warning_message.filename = redact(warning_message.filename)

    def pytest_unconfigure(self) -> None:
        self._own_logs.end()


class CollectedOnly:
    """Where nothing is run: a selection of nothing is a mistake there as well."""

    def __init__(self) -> None:
        self._nothing = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            self._nothing = True
            session.exitstatus = EXIT_USAGE

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._nothing:
            terminalreporter.write_line(NOTHING_SELECTED, red=True)
