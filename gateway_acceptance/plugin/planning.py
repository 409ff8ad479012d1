"""``--plan``: collects as a run would, prints what it would cost, and sends nothing."""

from __future__ import annotations

import pytest

from gateway_acceptance.costs import Costs, load_costs
from gateway_acceptance.plan import lines_of, planned
from gateway_acceptance.plugin.controller import Controller
from gateway_acceptance.plugin.options import CHECKS_ROOT
from gateway_acceptance.usage import UsageProblem


class Planning:
    """Stands where the tests would be run."""

    def __init__(self, controller: Controller, costs: Costs) -> None:
        self._controller, self._costs = controller, costs

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> bool:
        """Nothing is run."""
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        log = self._controller.log
        for environment in self._controller.inputs.environments if log.selected else ():
            terminalreporter.ensure_newline()
            selected = list(log.selected.values())
            profile = self._controller.inputs.profile
            plan = planned(environment, selected, log.catalogue, self._costs, profile)
            for line in lines_of(plan, self._costs):
                terminalreporter.write_line(line)


def prepare_plan(config: pytest.Config, controller: Controller) -> None:
    """Let the session plan. Raises UsageError where there is no table. Workers would only collect the
    same."""
    try:
        costs = load_costs(config.rootpath / CHECKS_ROOT / "costs.json")
    except UsageProblem as problem:
        raise pytest.UsageError(*problem.sentences) from None
    for name, nothing in (("dist", "no"), ("tx", []), ("numprocesses", None)):
        if hasattr(config.option, name):
            setattr(config.option, name, nothing)
    config.pluginmanager.register(Planning(controller, costs), "gateway-acceptance-plan")
