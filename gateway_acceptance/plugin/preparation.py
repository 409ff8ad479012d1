"""What must be there before a check runs: permission, secrets, embedded environments, and keys at hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway_acceptance.claims_here import unknown_evidence
from gateway_acceptance.embedded import Running, provider_of
from gateway_acceptance.environment import Environment, missing_variables
from gateway_acceptance.environment.secrets import file_notes, key_of, secrets_of
from gateway_acceptance.plugin.case_log import CaseLog
from gateway_acceptance.plugin.options import ALLOW_DISRUPT, user_folder
from gateway_acceptance.plugin.permission import refusals, unprobed
from gateway_acceptance.plugin.run_inputs import RunInputs
from gateway_acceptance.plugin.twin import twin_problems
from gateway_acceptance.redaction import Redactor

Say = Callable[[str], None]


def objections(inputs: RunInputs, log: CaseLog) -> list[str]:
    """What keeps a run from being begun, a sentence each; nothing is sent to find it out."""
    config, catalogue = inputs.config, log.catalogue
    found = [text for one in inputs.environments for text in missing_variables(one, os.environ)]
    found += refusals(inputs.environments, log.selected.values(), catalogue, config.getoption(ALLOW_DISRUPT))
    if not inputs.narrowed:
        found += [
            f"{one.source.parent / str(one.claims)}: {text}"
            for one in inputs.environments
            for text in unknown_evidence(inputs.claims[one.name], list(catalogue))
        ]
    return found + (twin_problems(inputs.environments) if config.getoption("--twin") else [])


def remarks(inputs: RunInputs, log: CaseLog) -> list[str]:
    """What a person should know before the run, a sentence each."""
    found = [note for one in inputs.environments for note in [*one.notes, *file_notes(one)]]
    return found + unprobed(inputs.environments, log.selected.values(), log.catalogue)


@dataclass
class Acquired:
    """Environments made ready. keys: those that no variable holds; facts: files of looks that embedded
    environments took themselves; made: limited keys that embedded gateways made, by their variables."""

    keys: dict[str, str] = field(default_factory=dict)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    _running: list[Running] = field(default_factory=list)

    def acquire(self, inputs: RunInputs, redactor: Redactor, say: Say) -> None:
        """Look up every secret, find or start every embedded environment. Raises NotStarted, UsageProblem."""
        for environment in inputs.environments:
            if environment.embedded is None:
                key = key_of(environment, os.environ)
                if environment.gateway.key_variable is None:
                    self.keys[environment.name] = key
            else:
                key = self._start(environment, inputs, say)
            redactor.add(f"key of {environment.name}", key)
            for name, secret in secrets_of(environment, os.environ).items():
                redactor.add(name, secret)

    def _start(self, environment: Environment, inputs: RunInputs, say: Say) -> str:
        options = {"litellm": inputs.config.getoption("--litellm") or ""}
        running = provider_of(environment).acquire(
            environment, options=options, root=user_folder(inputs.config), say=say
        )
        self._running.append(running)
        self.keys[environment.name] = running.key
        self.facts[environment.name] = dict(running.facts)
        limited = environment.gateway.limited_key
        if limited is not None and running.limited_key:
            self.made[limited.key_variable] = running.limited_key
            os.environ.update(self.made)
        return running.key

    def release(self) -> None:
        """Give back every embedded environment that this run started. Raises NotStarted."""
        while self._running:
            self._running.pop().release()
