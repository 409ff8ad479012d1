"""Hooks of the controlling process: it prepares, listens, and writes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from gateway_acceptance.embedded import NotStarted
from gateway_acceptance.plugin import terminal
from gateway_acceptance.plugin.collected import read_collected
from gateway_acceptance.plugin.collecting import NOTHING_SELECTED
from gateway_acceptance.plugin.controller import Controller, Phase
from gateway_acceptance.plugin.exit_guard import ExitGuard
from gateway_acceptance.plugin.no_room import unwritable
from gateway_acceptance.plugin.options import PLAN
from gateway_acceptance.plugin.say import say_to_terminal
from gateway_acceptance.usage import EXIT_HARNESS_ERROR, EXIT_USAGE, UsageProblem
from gateway_acceptance.verdict import Verdict

if TYPE_CHECKING:
    from gateway_acceptance.plugin.results import Finished
    from gateway_acceptance.report.status_model import Closing

BY_A_PERSON = "by the keyboard or a signal"
FOLDER_KEY = "gateway_acceptance_folder"


class LastWord:
    """Speaks after pytest's own last line."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        yield
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            for finished in self._controller.results.finished:
                terminal.last_word(reporter, _closing(session.config, finished), finished)


class ControllerHooks:
    """Hears every case, writes once."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._ends = ExitGuard(say_to_terminal(controller.inputs.config))
        self._ends.install()
        self._session: pytest.Session | None = None
        self._phases: dict[str, list[Verdict]] = {}
        self._nothing_selected = ""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._controller.log.break_with(f"{report.nodeid or 'the suite'} could not be collected")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Without xdist: this process is the worker, too."""
        self._expect_and_prepare("")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """xdist: tell a worker where the run's private folder is."""
        node.workerinput[FOLDER_KEY] = str(self._controller.folder.path)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:  # noqa: ARG002
        """xdist: a worker knows what it will run; nothing is scheduled before the environments are ready."""
        self._expect_and_prepare(node.workerinput["workerid"])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        log = self._controller.log
        full = getattr(report, "gateway_no_room", "")
        if full:
            self._end_early(full)
        case = getattr(report, "gateway_case", None)
        spoken = getattr(report, "gateway_verdict", None)
        if spoken is not None:
            self._phases.setdefault(report.nodeid, []).append(Verdict(spoken))
        log.breaches += getattr(report, "gateway_breaches", ())
        for sentence in getattr(report, "gateway_mistakes", ()):
            log.break_with(sentence)
        if case is not None:
            log.cases.append(case)
            worst = max(self._phases.pop(report.nodeid, ()), key=lambda verdict: verdict.rank, default=None)
            if case["verdict"] != worst:
                heard = "no verdict at all" if worst is None else worst.value
                log.break_with(f"{case['nodeid']} was reported as {case['verdict']}; its phases said {heard}")
        elif report.failed and not hasattr(report, "gateway_verdict"):
            log.break_with(f"{report.nodeid} failed outside of any check")

    def _end_early(self, why: str) -> None:
        """Nothing can be judged any more: no further case is begun, by any worker."""
        for session in (self._session, self._controller.inputs.config.pluginmanager.get_plugin("dsession")):
            if session is not None and not session.shouldstop:
                session.shouldstop = why

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """xdist: a worker is gone; with an error, it died."""
        if error:
            self._controller.log.break_with(f"the worker {node.gateway.id} died: {error}")

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        if isinstance(excinfo.value, pytest.Session.Interrupted) and self._controller.log.broken:
            return  # pytest's way to end after collection errors: an error of the suite, not an interruption
        self._ends.shield()
        self._controller.log.interrupted = str(excinfo.value) or BY_A_PERSON
        self._controller.stop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Record, views, exit code; nothing where no check was to be judged."""
        controller, log = self._controller, self._controller.log
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            self._nothing_selected = NOTHING_SELECTED
            session.exitstatus = EXIT_USAGE
            return
        if session.config.option.collectonly or session.config.getoption(PLAN):
            return
        if controller.phase is Phase.NOT_STARTED:
            return  # nothing was sent; the sentence and the exit code say it all
        if session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            log.break_with("pytest met an internal error; what it printed says where")
        if controller.phase is not Phase.READY and not log.broken:
            return
        stopped = session.shouldfail or session.shouldstop
        if stopped and not log.broken:
            log.interrupted = log.interrupted or str(stopped)
        log.add_breaches()
        self._ends.shield()
        try:
            with self._ends.interruptible():
                controller.identify(at_the_end=True)
        except KeyboardInterrupt:
            log.interrupted = BY_A_PERSON
        except Exception as error:  # noqa: BLE001  (it must not cost the run its record)
            log.break_with(f"the targets could not be looked at: {controller.redactor(repr(error))}")
        controller.stop()
        try:
            controller.acquired.release()
        except NotStarted as failure:
            log.break_with(controller.redactor(str(failure)))
        controller.finish(hurried=lambda: self._ends.hurry)
        session.exitstatus = controller.results.exit_code()

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._nothing_selected:
            terminalreporter.write_line(self._nothing_selected, red=True)
        if self._controller.results.no_results:
            terminalreporter.write_line(self._controller.results.no_results, red=True)
        for finished in self._controller.results.finished:
            terminal.summarise(terminalreporter, _closing(terminalreporter.config, finished))

    def pytest_unconfigure(self) -> None:
        self._ends.remove()
        self._controller.close()

    def _expect_and_prepare(self, worker: str) -> None:
        controller = self._controller
        if controller.inputs.config.option.collectonly:
            return
        if controller.inputs.config.getoption(PLAN):
            controller.log.expect(*read_collected(controller.folder.path, worker))
            return
        try:
            controller.log.expect(*read_collected(controller.folder.path, worker))
            if not controller.log.selected:
                return
            controller.prepare(say_to_terminal(controller.inputs.config))
        except UsageProblem as problem:
            raise pytest.UsageError(*problem.sentences) from None
        except OSError as error:
            controller.phase = Phase.NOT_STARTED
            pytest.exit(unwritable(error, controller.inputs.runs), returncode=EXIT_HARNESS_ERROR)
        except NotStarted as failure:
            controller.phase = Phase.NOT_STARTED
            pytest.exit(controller.redactor(str(failure)), returncode=EXIT_HARNESS_ERROR)


def _closing(config: pytest.Config, finished: Finished) -> Closing:
    from gateway_acceptance.report.status_model import closing_of  # a collection shows nothing

    return closing_of(finished.record, terminal.as_typed(config, finished.environment))
