"""Every environment's results of one run: begun, finished, signed; and the exit code that follows."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway_acceptance.plugin.outliving import count_apart, count_in
from gateway_acceptance.plugin.recorder import Recorder
from gateway_acceptance.run_directory import withdraw
from gateway_acceptance.usage import EXIT_HARNESS_ERROR

if TYPE_CHECKING:  # all views: imported where a run begins, a collection writes nothing
    from gateway_acceptance.plugin.results import Begun, Finished

SEVERITY = (0, 1, 4, 2, EXIT_HARNESS_ERROR)
"""Exit codes, the worst last: ready, not ready, usage, void, harness error."""


class ResultsWriter:
    """finished: the results, written; no_results: why there are none, or nothing."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._inputs = recorder, recorder.inputs
        self._begun: dict[str, Begun] = {}
        self.finished: list[Finished] = []
        self.no_results = ""

    def begin(self) -> None:
        """Let every environment's newest run be this one, void until it is finished. Raises OSError."""
        from gateway_acceptance.plugin.results import begin

        inputs, recorder = self._inputs, self._recorder
        run = recorder.begun(time.time())
        for environment in inputs.environments:
            name = environment.name
            if name in self._begun:
                continue
            record = recorder.record(environment, run)
            try:
                self._begun[name] = begin(
                    inputs.runs,
                    record,
                    recorder.redactor,
                    inputs.claims[name].claims,
                    with_views=inputs.with_views,
                    known=inputs.known_signers,
                )
                count_in(self._begun[name].directory.path, recorder.folder.path, name)
            except OSError:
                with contextlib.suppress(OSError):
                    withdraw(inputs.runs, name)
                raise

    def finish(self, *, hurried: Callable[[], bool]) -> None:
        """Write record and views of every environment, and prove that no secret is among them. hurried:
        whether somebody waits for the end: no report is drawn then."""
        from gateway_acceptance.plugin.results import finish

        inputs, recorder = self._inputs, self._recorder
        run = recorder.ended(time.time())
        try:
            self.begin()
        except OSError as error:
            self.no_results = f"{inputs.runs}: cannot be written: {error.strerror or error}"
            return
        for environment in inputs.environments:
            with_report = not inputs.config.getoption("--no-report") and not hurried()
            begun = self._begun[environment.name]
            record = recorder.record(environment, run, begun.directory.path)
            count_apart(recorder.folder.path, environment.name)
            self.finished.append(
                finish(
                    begun,
                    record,
                    inputs.claims[environment.name].claims,
                    recorder.folder.staging,
                    with_report=with_report and inputs.with_views,
                    with_views=inputs.with_views,
                )
            )
            self._sign_seal(begun.directory.path)

    def exit_code(self) -> int:
        """The worst over all environments (``SEVERITY``)."""
        codes: list[int] = [finished.record.run.exit_code for finished in self.finished]
        codes += [EXIT_HARNESS_ERROR] if self.no_results else []
        return max(codes, key=SEVERITY.index, default=EXIT_HARNESS_ERROR)

    def _sign_seal(self, directory: Path) -> None:
        """Where the run has a runner's key, it signs the seal."""
        if self._inputs.seal_key is None:
            return
        from gateway_acceptance.signoff.witness import bear_witness

        try:
            bear_witness(directory, self._inputs.seal_key)
        except OSError as error:
            self.no_results = f"{directory}: the seal could not be signed: {error.strerror or error}"
