"""The one process that writes. Its parts do the work; here stands in which order."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from gateway_acceptance.check import SMOKE
from gateway_acceptance.plugin.case_log import CaseLog
from gateway_acceptance.plugin.options import user_folder
from gateway_acceptance.plugin.preparation import Acquired, objections, remarks
from gateway_acceptance.plugin.private_folder import PrivateFolder
from gateway_acceptance.plugin.recorder import Recorder
from gateway_acceptance.plugin.results_writer import ResultsWriter
from gateway_acceptance.plugin.run_clock import RunClock
from gateway_acceptance.plugin.run_inputs import RunInputs
from gateway_acceptance.plugin.snapshots import JudgeSnapshots, TargetSnapshots
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.worker import PreparedConnections, write_connections
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.wire.exchange import Notebook

Say = Callable[[str], None]


class Phase(Enum):
    """How far the controlling process has come."""

    COLLECTING = "collecting"
    PREPARING = "preparing"
    READY = "ready"
    NOT_STARTED = "not started"


class Controller:
    """A run in the controlling process: collect, prepare, hear, finish."""

    def __init__(self, inputs: RunInputs) -> None:
        self.inputs = inputs
        self.phase = Phase.COLLECTING
        self.clock, self.folder, self.log = RunClock(), PrivateFolder(), CaseLog()
        self.redactor = Redactor()
        self.acquired = Acquired()
        self._targets: list[Target] = []
        self._fingerprints, self._judges = TargetSnapshots(), JudgeSnapshots(inputs)
        self.results = ResultsWriter(
            Recorder(
                inputs,
                self.log,
                self.clock,
                self.folder,
                self.redactor,
                self._judges,
                self._fingerprints,
            )
        )

    def prepare(self, say: Say) -> None:
        """Look up secrets, find or start embedded environments, begin the results, take the targets'
        fingerprints; once. Raises UsageProblem, NotStarted, OSError."""
        if self.phase is not Phase.COLLECTING:
            return
        self.phase = Phase.PREPARING
        sentences = objections(self.inputs, self.log)
        if sentences:
            raise UsageProblem(sentences)
        for remark in remarks(self.inputs, self.log):
            say(remark)
        self.acquired.acquire(self.inputs, self.redactor, say)
        self._start_twins(say)
        self.clock.restart()
        self.folder.guard()
        self._connect()
        self.phase = Phase.READY
        self.results.begin()
        self._judges.take(self.folder.path)
        self.identify()

    def identify(self, *, at_the_end: bool = False) -> None:
        """Take the targets' fingerprints: at the start, and at the end where the run came to it. While they
        are asked again, what judges is looked at again."""
        if self.phase is Phase.READY and not self.log.interrupted:
            machines = self.log.machines_in()
            self._fingerprints.take(
                [(one, one.environment.name in machines) for one in self._targets],
                (lambda: self._judges.take_again(self.folder.path)) if at_the_end else None,
                short=self.inputs.profile == SMOKE,
            )

    def stop(self) -> None:
        """Let no worker send anything more: what is counted then is all that was sent."""
        if self.phase is Phase.READY:
            self.folder.end_budgets(self.inputs.environments, self.clock.started)

    def finish(self, *, hurried: Callable[[], bool] = lambda: False) -> None:
        """Write record and views of every environment. hurried: as of ``ResultsWriter.finish``."""
        self._judges.take_again(self.folder.path)
        self.results.finish(hurried=hurried)

    def close(self) -> None:
        """Remove what only this run needed."""
        for target in self._targets:
            target.close()
        self.acquired.release()
        self.folder.remove()

    def _start_twins(self, say: Say) -> None:
        config = self.inputs.config
        if config.getoption("--twin"):
            from gateway_acceptance.plugin.twin import start_twins  # few runs need one

            profile, keys = self.inputs.profile or "nightly", self.acquired.keys
            start_twins(self.inputs.environments, keys, profile, self.folder.path, user_folder(config), say)

    def _connect(self) -> None:
        acquired, started, folder = self.acquired, self.clock.started, self.folder.path
        connections = PreparedConnections(acquired.keys, started, acquired.facts, acquired.made)
        write_connections(folder, connections)
        self._targets = [
            Target(one, connections.key_of(one), folder, started, Notebook(), connections.facts.get(one.name))
            for one in self.inputs.environments
        ]
