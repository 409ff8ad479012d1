"""The folder that a run shares with its workers and with nobody else; it goes when the run does."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.outliving import Guard
from gateway_acceptance.policy import Budget, Spent, budget_file


class PrivateFolder:
    """Holds keys, counters and what the workers tell one another."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="gateway-acceptance-"))
        self._guard: Guard | None = None

    @property
    def staging(self) -> Path:
        """Where allure-pytest writes during the run."""
        return self.path / "allure-results"

    def guard(self) -> None:
        """From here on it is removed however this process ends."""
        self._guard = Guard(self.path)

    def spent(self, environment: Environment, started: float) -> Spent:
        """What an environment's run has used so far. started: seconds since the epoch."""
        return self._budget(environment, started).spent

    def end_budgets(self, environments: Sequence[Environment], started: float) -> None:
        """Let no worker send anything more: what is counted then is all that was sent."""
        for environment in environments:
            with contextlib.suppress(OSError):
                self._budget(environment, started).end()

    def remove(self) -> None:
        """At most once."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._guard is not None:
            self._guard.release()

    def _budget(self, environment: Environment, started: float) -> Budget:
        return Budget(budget_file(self.path, environment.name), environment.policy, started)
