"""Hooks that run where checks run: in every worker, or in the only process."""

from __future__ import annotations

import time
from collections.abc import Generator

import allure
import pytest

from gateway_acceptance.check import Check
from gateway_acceptance.plugin import terminal
from gateway_acceptance.plugin.blame import located
from gateway_acceptance.plugin.collected import write_collected
from gateway_acceptance.plugin.outcome import Outcome, case_document, outcome_of, waived
from gateway_acceptance.plugin.parametrise import check_of, environment_of, parametrise
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.policy import forbidden
from gateway_acceptance.verdict import NotPermitted, Verdict

PHASES = pytest.StashKey[list[Outcome]]()
BEGUN = pytest.StashKey[float]()
CASE_LABEL = "gaCase"
"""Allure label by which a raw result finds its case in the record."""


class WorkerHooks:
    """Parametrises, decides by policy, and turns outcomes into verdicts."""

    def __init__(self, config: pytest.Config, state: WorkerState) -> None:
        self._config, self._state = config, state
        self._catalogue: dict[str, Check] = {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        parametrise(metafunc, self._state.environments)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Before anything is deselected: the catalogue of all checks that are there."""
        functions: dict[str, str] = {}
        for item in items:
            check = check_of(item)
            if check is None:
                continue
            function = item.nodeid.split("[", 1)[0]
            known = functions.setdefault(check.id, function)
            if known != function:
                raise pytest.UsageError(f"the check id {check.id} is used twice: {known} and {function}")
            self._catalogue[check.id] = check
        unknown = [
            f"{check.id} names the claim {claim}, which suites/claims.toml does not hold"
            for check in self._catalogue.values()
            for claim in check.claims
            if claim not in self._state.claims
        ]
        if unknown:
            raise pytest.UsageError(*unknown)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What will run, for the controller: its environments must be ready before the first check."""
        items = [item for item in session.items if check_of(item)]
        worker = getattr(self._config, "workerinput", {}).get("workerid", "")
        write_collected(self._state.folder, worker, items, self._catalogue)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A new case begins: policy decides before anything is asked of the target."""
        check = check_of(item)
        if check is None:
            return
        self._state.notebook.clear()
        item.stash[PHASES] = []
        item.stash[BEGUN] = time.time()
        allure.dynamic.label(CASE_LABEL, item.nodeid)  # type: ignore[no-untyped-call]
        reason = forbidden(self._state.environment(environment_of(item)).policy, check.effect)
        if reason:
            raise NotPermitted(reason)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Each phase gets its verdict; the last one carries the whole case to the controller."""
        report = yield
        check = check_of(item)
        if check is None or PHASES not in item.stash:
            return report
        outcome = outcome_of(call.excinfo.value if call.excinfo else None, call.when)
        if outcome.verdict is Verdict.FAILED:
            outcome = waived(located(outcome, item, self._state), check, item, self._state)
        phases = item.stash[PHASES]
        phases.append(outcome)
        terminal.speak(report, check, outcome, item, self._state)
        if call.when == "teardown":
            final = max(phases, key=lambda phase: phase.verdict.rank)
            begun = item.stash[BEGUN]
            case = case_document(item, check, final, begun, time.time() - begun, self._state)
            report.gateway_case = case  # type: ignore[attr-defined]
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """The verdict's own word and letter."""
        return terminal.status_of(report)

    def pytest_unconfigure(self) -> None:
        self._state.close()
