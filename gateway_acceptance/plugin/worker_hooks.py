"""Hooks that run where checks run: in every worker, or in the only process."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Generator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import allure
import allure_commons
import pytest

from gateway_acceptance.check import RELEASE, SMOKE, Check, Effect
from gateway_acceptance.lazily import lazily_from
from gateway_acceptance.plugin import terminal
from gateway_acceptance.plugin.blame import located
from gateway_acceptance.plugin.breaches import breached, mistakes, red_so_far
from gateway_acceptance.plugin.collected import write_collected
from gateway_acceptance.plugin.collecting import CollectionHooks
from gateway_acceptance.plugin.env_lock import WAIT_S, EnvironmentLock
from gateway_acceptance.plugin.limited import beside_limited, unless_all_limited, unless_limited
from gateway_acceptance.plugin.measuring import measure
from gateway_acceptance.plugin.no_room import no_room
from gateway_acceptance.plugin.options import CHECKS_ROOT, PLAN, narrowed, profile_of
from gateway_acceptance.plugin.outcome import (
    Outcome,
    accepted,
    case_document,
    learn,
    outcome_of,
    unless_vacuous,
)
from gateway_acceptance.plugin.owners import declared
from gateway_acceptance.plugin.parametrise import check_of, environment_of
from gateway_acceptance.plugin.raw_results import RawResults, outside
from gateway_acceptance.plugin.red import RedSoFar
from gateway_acceptance.plugin.thinking import unless_spent
from gateway_acceptance.plugin.waking import Waking
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.policy import forbidden
from gateway_acceptance.run_directory import run_id_of
from gateway_acceptance.subjects import SUBJECTS
from gateway_acceptance.verdict import NotPermitted, Verdict

PHASES = pytest.StashKey[list[Outcome]]()
CALLED = pytest.StashKey[bool]()
BEGUN = pytest.StashKey[float]()
(write_problems,) = lazily_from("gateway_acceptance.plugin.binding", "write_problems")
(plant,) = lazily_from("gateway_acceptance.plugin.planted", "plant")
NEVER_RUN = Outcome(Verdict.HARNESS_ERROR, "the check was set up and never run (--setup-only?)", "harness")
EVERY = "every:"
"""Before the file of ``--learn-planted``: every check that is there is tried, not only those listed."""
CASE_LABEL = "gaCase"
"""Allure label by which a raw result finds its case in the record."""


class WorkerHooks:
    """Decides by policy, and turns outcomes into verdicts."""

    def __init__(self, config: pytest.Config, state: WorkerState, collection: CollectionHooks) -> None:
        """collection: what finds and parametrises the checks."""
        self._config, self._state, self._collection = config, state, collection
        self._waking = Waking(
            lambda: [one for given in config.hook.pytest_gateway_sentinels() for one in given],
            lambda check, name: config.hook.pytest_gateway_woken(check=check, environment=name) is not False,
            self._load_sdk,
        )
        self._chosen: set[str] = set()
        self._fixtures: set[str] = set()
        self._red = RedSoFar(state.folder)
        self._raw_results = RawResults(state.redactor, outside(config, state.folder))
        allure_commons.plugin_manager.register(self._raw_results)
        self._turn = contextlib.ExitStack()
        self._begun = False
        self._has_neighbours = hasattr(config, "workerinput")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What will run, for the controller: its environments must be ready before the first check."""
        items = [item for item in session.items if check_of(item)]
        deselected = self._collection.of_the_profile - {item.nodeid for item in items}
        left_out = len(deselected) + sum(self._collection.left_out.withheld.values())
        worker = self._worker
        if worker:
            write_problems(self._state.folder, worker, self._config)
        write_collected(
            self._state.folder,
            worker,
            items,
            self._collection.catalogue,
            left_out,
            self._collection.mistakes,
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """What was loaded since: the controller sees only its own process."""
        if self._worker:
            write_problems(self._state.folder, self._worker, self._config)

    @property
    def _worker(self) -> str:
        """xdist's name of this worker, empty where there is only one process."""
        return str(getattr(self._config, "workerinput", {}).get("workerid", ""))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A new case begins: policy decides before anything is asked of the target."""
        check = check_of(item)
        if check is None:
            return
        connections = self._state.connections  # every secret is known before the check can show one
        self._state.notebook.clear(exposing=check.effect is Effect.EXPOSE)
        SUBJECTS.begin()
        nonce = self._state.notebook.nonce
        self._state.notebook.agent = f"run {run_id_of(connections.started)}; check {check.id}" + (
            f"; nonce {nonce}" if nonce else ""
        )
        item.stash[PHASES] = []
        item.stash[CALLED] = False
        item.stash[BEGUN] = time.time()
        allure.dynamic.label(CASE_LABEL, item.nodeid)  # type: ignore[no-untyped-call]
        environment = self._state.environment(environment_of(item))
        reason = forbidden(environment.policy, check.effect)
        if reason:
            raise NotPermitted(reason)
        self._state.disrupting = check.effect is Effect.DISRUPT
        if environment.name in self._state.targets:  # the first case of one makes it later
            target = self._state.target(environment)
            over = target.budget.over() if check.suite != "host" else None
            if over:
                raise NotPermitted(over)  # nothing more is sent: the run does not walk through what remains
        if self._has_neighbours and environment is not self._state.planted:
            turns = EnvironmentLock(self._state.folder, environment.name, WAIT_S + environment.soak.seconds)
            turn = turns.alone if check.alone else turns.shared
            self._turn.enter_context(turn())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Before the first case defects are planted. However a case ends, its turn ends with it."""
        if not self._begun:
            self._begun = True
            self._plant(item.session)
        with self._turn:
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Each phase gets its verdict; the last one carries the whole case to the controller."""
        check = check_of(item)
        with terminal.no_source_shown(item.config) if check else contextlib.nullcontext():
            report = yield
        if check is None or PHASES not in item.stash:
            return report
        redact = self._state.redactor
        properties: list[tuple[str, object]] = [
            (redact(str(name)), redact(str(text))) for name, text in report.user_properties
        ]
        report.user_properties = properties
        outcome = outcome_of(call.excinfo.value if call.excinfo else None, call.when)
        full = no_room(call.excinfo.value if call.excinfo else None, self._state.folder)
        if outcome.verdict is Verdict.HARNESS_ERROR and full:
            outcome = Outcome(Verdict.HARNESS_ERROR, full, "harness")
            report.gateway_no_room = full  # type: ignore[attr-defined]
        if outcome.verdict is Verdict.PASSED and report.failed:
            words = f"pytest calls it failed: {report.longreprtext}"
            outcome = Outcome(Verdict.HARNESS_ERROR, words, "harness")
        if call.when == "call":
            seen = list(self._state.notebook.exchanges)
            outcome = unless_vacuous(outcome, SUBJECTS, seen)
            if outcome.verdict is Verdict.UNTESTABLE:
                url = self._state.environment(environment_of(item)).gateway.url
                outcome = unless_all_limited(outcome, seen, url)
        if outcome.verdict is Verdict.FAILED:
            environment = self._state.environment(environment_of(item))
            seen = list(self._state.notebook.exchanges)  # before anybody looks for who is to blame
            outcome = unless_limited(self._located(outcome, item), seen, environment.gateway.url, check)
            outcome = unless_spent(outcome, seen, environment)
            both = beside_limited(outcome, seen, environment.gateway.url, check)
            outcome = accepted(outcome, check, item, self._state)
            if both and accepted(both[0], check, item, self._state).verdict is not Verdict.FAILED:
                outcome = accepted(both[1], check, item, self._state)
        elif outcome.verdict in (Verdict.UNTESTABLE, Verdict.INCONCLUSIVE):
            outcome = accepted(outcome, check, item, self._state)
        phases = item.stash[PHASES]
        if call.when == "teardown" and not any(phase.verdict is not Verdict.PASSED for phase in phases):
            outcome = outcome if item.stash[CALLED] else NEVER_RUN
        item.stash[CALLED] = item.stash[CALLED] or call.when == "call"
        phases.append(outcome)
        if call.when == "call":
            self._wake(item, check, outcome)
        terminal.speak(report, check, outcome, item, self._state)
        if call.when == "teardown":
            final = max(phases, key=lambda phase: phase.verdict.rank)
            begun = item.stash[BEGUN]
            learn(final, check, item, self._state)
            measure(item, check, time.time() - begun, self._state)
            case = case_document(item, check, final, begun, time.time() - begun, self._state)
            report.gateway_case = case  # type: ignore[attr-defined]
            environment = self._state.environment(environment_of(item))
            broken = breached(self._state, environment, self._declared)
            if broken:
                self._red.add(environment.name)
                report.gateway_breaches = broken  # type: ignore[attr-defined]
            if mistaken := mistakes(self._state, environment.name):
                report.gateway_mistakes = mistaken  # type: ignore[attr-defined]
        return report

    def _wake(self, item: pytest.Item, check: Check, outcome: Outcome) -> None:
        """In smoke, what the case stands for is asked, where nothing is known against the environment yet."""
        environment = self._state.environment(environment_of(item))
        target = self._state.targets.get(environment.name)
        if target is None or self._state.planted is not None or profile_of(self._config) != SMOKE:
            return
        if outcome.verdict.red or red_so_far(self._state, environment, self._declared):
            self._red.add(environment.name)
        if not self._chosen:
            checks = [one for one in item.session.items if check_of(one) is not None]
            self._chosen = {found.id for one in checks if (found := check_of(one)) is not None}
            self._fixtures = {name for one in checks for name in getattr(one, "fixturenames", ())}
        self._waking.after(check, target, red=environment.name in self._red, selected=self._chosen)

    def _load_sdk(self) -> None:
        """The official SDK, where a case wants it: half a second, in which others may be waited for."""
        if "sdk" in self._fixtures:
            import_module("gateway_acceptance.wire.sdk")

    def _declared(self, check_id: str) -> Check | None:
        """A check by its id, whether or not it was collected."""
        return self._collection.catalogue.get(check_id) or declared(
            check_id, self._config.rootpath / CHECKS_ROOT
        )

    def _plant(self, session: pytest.Session) -> None:
        """Where the run could accept a release; every process that runs checks does so."""
        catalogue, folder = self._state.catalogue, self._state.folder
        learnt = self._config.getoption("--learn-planted")
        if catalogue is None or self._config.getoption(PLAN):
            return
        if learnt:
            every = learnt.startswith(EVERY)
            names = sorted(self._collection.catalogue if every else catalogue.defects)
            report = plant(session, catalogue, folder, self._worker, names)
            Path(learnt.removeprefix(EVERY)).write_text(json.dumps(report, indent=1), encoding="utf-8")
            pytest.exit("what checks say of the planted defects is written down", returncode=0)
        elif profile_of(self._config) == RELEASE and not narrowed(self._config):
            plant(session, catalogue, folder, self._worker)

    def _located(self, outcome: Outcome, item: pytest.Item) -> Outcome:
        if self._state.planted is not None:
            return outcome  # whose fault it is need not be asked
        try:
            return located(outcome, item, self._state)
        except Exception as error:  # noqa: BLE001  (blame is an extra: it must not cost the run its record)
            return replace(outcome, detail=f"{outcome.detail}\nthe blame was not located: {error!r}".strip())

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """The verdict's own word and letter."""
        return terminal.status_of(report)

    def pytest_unconfigure(self) -> None:
        allure_commons.plugin_manager.unregister(self._raw_results)
        self._state.close()
