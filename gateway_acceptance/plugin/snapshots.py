"""What is taken at a run's start and again at its end: what judges, and what the target is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway_acceptance.lazily import lazily_from
from gateway_acceptance.plugin.run_inputs import RunInputs
from gateway_acceptance.plugin.targets import Target

if TYPE_CHECKING:
    from gateway_acceptance.plugin.binding import Account, accounts_of, contents_of, read_problems
    from gateway_acceptance.plugin.suite_identity import Identity, SuiteState, suite_state
else:  # of runs: a collection takes no account
    accounts_of, contents_of, read_problems = lazily_from(
        "gateway_acceptance.plugin.binding", "accounts_of", "contents_of", "read_problems"
    )
    (suite_state,) = lazily_from("gateway_acceptance.plugin.suite_identity", "suite_state")

Fingerprints = dict[str, dict[str, str]]


class TargetSnapshots:
    """The targets' fingerprints, by environment."""

    def __init__(self) -> None:
        self._taken: list[Fingerprints] = []

    def take(
        self,
        targets: Sequence[tuple[Target, bool]],
        meanwhile: Callable[[], object] | None = None,
        *,
        short: bool = False,
    ) -> None:
        """With each target: whether its machines are part. meanwhile: what is done while it is asked again,
        at the end. short: as of ``identities``."""
        from gateway_acceptance.plugin.identity import identities

        if self._taken:
            self._taken.append(identities(targets, self._taken[0], meanwhile, short=short))
        else:
            self._taken.append(identities(targets))

    def of(self, environment: str) -> dict[str, Any]:
        """``start`` and ``end``, None where it was not taken."""
        taken = [one.get(environment) for one in self._taken]
        start, end = [*taken, None, None][:2]
        return {"start": start, "end": end}


class JudgeSnapshots:
    """The accounts of what judges, by environment (``plugin.binding``)."""

    def __init__(self, inputs: RunInputs) -> None:
        self._inputs = inputs
        self._taken: list[dict[str, Account]] = []
        self._wholes: dict[str, dict[str, Account]] = {}

    @cached_property
    def _first_state(self) -> SuiteState:
        """Kept from before anything was sent: whoever pulls meanwhile changes nothing of it."""
        return suite_state(self._inputs.config.rootpath)

    @property
    def suite(self) -> Identity:
        """Which suite judges, as it was before anything was sent."""
        return self._first_state.identity

    def take(self, folder: Path) -> None:
        """Before anything is sent, and at the end. folder: private to the run."""
        inputs = self._inputs
        suite = suite_state(inputs.config.rootpath) if self._taken else self._first_state
        named = {one.name: one for one in inputs.environments}
        taken = accounts_of(inputs.config, named, inputs.stamps, suite)
        seen = read_problems(folder)
        if not self._taken and inputs.could_accept:
            contents = contents_of(inputs.config, inputs.environments)
            self._wholes = {name: {"whole": content} for name, content in contents.items()}
        self._taken.append(
            {
                name: {**one, "problems": list(dict.fromkeys([*one["problems"], *seen]))}
                for name, one in taken.items()
            }
        )

    def take_again(self, folder: Path) -> None:
        """The end's, of a run that has a start's; once."""
        if len(self._taken) == 1:
            self.take(folder)

    def of(self, environment: str) -> dict[str, Account | None] | None:
        """``start`` and ``end``, and ``whole`` where a release could be accepted; None before the start."""
        if not self._taken:
            return None
        end = self._taken[-1][environment] if len(self._taken) > 1 else None
        return {"start": self._taken[0][environment], "end": end, **self._wholes.get(environment, {})}
