"""What one worker (or the only process) of a run knows: environments, targets, the notebook of the case."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway_acceptance.deviations import Harm, Known, known_of_any
from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.secrets import secrets_of
from gateway_acceptance.planted import PlantedDefects
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.verdict import NotPermitted
from gateway_acceptance.waivers import Waiver
from gateway_acceptance.wire.curl import Way, way_of
from gateway_acceptance.wire.exchange import Notebook

if TYPE_CHECKING:
    from gateway_acceptance.wire.watch import UniversalRule

CONNECTIONS = "connections.json"


@dataclass
class WorkerState:
    """folder: private to the run (0700), shared with the controller; waivers: of each environment; claims:
    ids that checks may name; catalogue: of planted defects, where the run plants any; planted: their
    environment while they are tried; harms: what is never a deviation; learning: where what fails is
    written down, instead of being accepted; rules: that every exchange is held against, asked for when
    the first target is made; measuring: where is written down what each case has sent; disrupting: whether
    the running case takes something down."""

    environments: Sequence[Environment]
    folder: Path
    waivers: Mapping[str, Sequence[Waiver]]
    claims: Collection[str]
    harms: Sequence[Harm] = ()
    learning: Path | None = None
    rules: Callable[[], Sequence[UniversalRule]] = tuple
    measuring: Path | None = None
    notebook: Notebook = field(default_factory=Notebook)
    redactor: Redactor = field(default_factory=Redactor)
    targets: dict[str, Target] = field(default_factory=dict)
    catalogue: PlantedDefects | None = None
    planted: Environment | None = None
    disrupting: bool = False
    _known: dict[tuple[str, str], Known] = field(default_factory=dict)

    def environment(self, name: str) -> Environment:
        """An environment of the run by its name. Raises KeyError."""
        if self.planted is not None and name == self.planted.name:
            return self.planted
        return {environment.name: environment for environment in self.environments}[name]

    def version(self, name: str) -> str:
        """What runs in an environment: as it tells, where the budget lets it be asked; else as declared."""
        target = self.targets.get(name)
        try:
            version = target.preflight().version if target else ""
        except NotPermitted:
            version = ""
        return version or self.environment(name).gateway.version or ""

    def known(self, name: str) -> Known:
        """What the release that runs in an environment does by itself; nothing while one learns it."""
        gateway = self.environment(name).gateway
        version = self.version(name)
        if self.learning is not None:
            return Known(gateway.product, version, "")
        if (name, version) not in self._known:
            from gateway_acceptance.plugin.twin import known_here  # of runs, not of collections

            self._known[name, version] = known_here(
                self.folder, gateway.product, version, gateway.variant, self.environment(name).spoken
            )
        return self._known[name, version]

    def possible(self, name: str) -> Known | None:
        """What may be its release's own, where the release is not known for want of a key that is accepted;
        None where it is known, or where something else keeps it unknown."""
        if self.learning is not None or name not in self.targets or self.version(name):
            return None
        if not self.targets[name].preflight().refused:
            return None
        gateway = self.environment(name).gateway
        if (name, "any") not in self._known:
            self._known[name, "any"] = known_of_any(gateway.product)
        return self._known[name, "any"]

    @cached_property
    def connections(self) -> PreparedConnections:
        """What the controller prepared; from here on every secret of the run is known."""
        connections = read_connections(self.folder)
        os.environ.update(connections.made)
        for environment in self.environments:
            self.redactor.add(f"key of {environment.name}", connections.key_of(environment))
            for name, secret in secrets_of(environment, os.environ).items():
                self.redactor.add(name, secret)
        return connections

    def target(self, environment: Environment) -> Target:
        """The environment made ready, once per worker."""
        if environment.name not in self.targets:
            self.targets[environment.name] = Target(
                environment,
                self.connections.key_of(environment),
                self.folder,
                self.connections.started,
                self.notebook,
                self.connections.facts.get(environment.name, {}),
                self.rules(),
            )
        target = self.targets[environment.name]
        target.breaker.suspended = target.watch.suspended = self.disrupting
        return target

    def way(self, name: str) -> Way | None:
        """By which an environment's requests are asked again; None where nothing was asked."""
        target = self.targets.get(name)
        return None if target is None else way_of(target.conduct.route, target.key, os.environ)

    def close(self) -> None:
        """Close all connections."""
        for target in self.targets.values():
            target.close()
        self.targets.clear()


STATE = pytest.StashKey[WorkerState]()


@dataclass(frozen=True)
class PreparedConnections:
    """keys: those that no variable holds, by environment; started: seconds since the epoch; facts: files
    of looks that embedded environments took themselves, by environment and machine; made: limited keys that
    embedded gateways made, by the variable that holds them in a run."""

    keys: dict[str, str]
    started: float
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)

    def key_of(self, environment: Environment) -> str:
        """The key of an environment: as it was found or made up for this run, or from its variable."""
        return self.keys.get(environment.name) or os.environ[environment.gateway.key_variable or ""]


def write_connections(folder: Path, connections: PreparedConnections) -> None:
    """Hand keys to the workers through a file that only this user can read."""
    descriptor = os.open(folder / CONNECTIONS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(connections), file)


def read_connections(folder: Path) -> PreparedConnections:
    """What ``write_connections`` wrote."""
    return PreparedConnections(**json.loads((folder / CONNECTIONS).read_text("utf-8")))
