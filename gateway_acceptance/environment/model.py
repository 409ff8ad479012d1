"""What an environment file declares. One instance per ``--env``; validated whole before anything is sent.

Its tables stand in the modules ``*_section``, ``host``, ``network``; they are imported from here as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import PrivateAttr, model_validator

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.abilities import ASSUMED, Ability
from gateway_acceptance.environment.gateway_section import BEARER_HEADER, KEY_SOURCES, Gateway
from gateway_acceptance.environment.host import Host, Machine
from gateway_acceptance.environment.judging_section import (
    Advisories,
    Balance,
    Bounds,
    Embedded,
    Outage,
    Policy,
    Precondition,
    Tracker,
)
from gateway_acceptance.environment.network import Network
from gateway_acceptance.environment.served_section import (
    NOBODY,
    SIMPLE_SHUFFLE,
    UNDECLARED,
    Backend,
    Deployment,
    Group,
    Model,
    ModelKind,
    ServedModel,
)
from gateway_acceptance.environment.soak import Soak
from gateway_acceptance.environment.table import Name, Table

__all__ = [
    "BEARER_HEADER",
    "KEY_SOURCES",
    "NOBODY",
    "SIMPLE_SHUFFLE",
    "UNDECLARED",
    "Advisories",
    "Backend",
    "Balance",
    "Bounds",
    "Deployment",
    "Embedded",
    "Environment",
    "EnvironmentKind",
    "Gateway",
    "Group",
    "Model",
    "ModelKind",
    "Outage",
    "Policy",
    "Precondition",
    "ServedModel",
    "Tracker",
]

GATEWAY_MACHINE = "gateway"
"""The name of the gateway's own machine; no backend can have it."""


class EnvironmentKind(StrEnum):
    """What an environment is for. Only ``production`` can be PRODUCTION READY."""

    EMBEDDED = "embedded"
    STAGING = "staging"
    PRODUCTION = "production"


class Environment(Table):
    """One deployment to be judged. claims, waivers: the files of the operator's own claims and
    waivers, relative to this one; ``source`` is the file that it was read from."""

    name: Name
    kind: EnvironmentKind
    description: str = ""
    embedded: Embedded | None = None
    gateway: Gateway
    network: Network = Network()
    models: tuple[Model, ...] = ()
    groups: tuple[Group, ...] = ()
    backends: tuple[Backend, ...] = ()
    host: Host | None = None
    bounds: Bounds = Bounds()
    soak: Soak = Soak()
    balance: Balance = Balance()
    outage: Outage = Outage()
    tracker: Tracker = Tracker()
    advisories: Advisories = Advisories()
    policy: Policy
    claims: str | None = None
    waivers: str | None = None
    source: Path = Path()
    _notes: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [*_duplicates("models and groups", self.aliases)]
        problems += _duplicates("backends", [backend.name for backend in self.backends])
        known = [backend.name for backend in self.backends]
        for place, served in self._deployments():
            if served.declared and served.backend not in known:
                declared = ", ".join(known) or "none"
                problems.append(f"{place} names the backend {served.backend!r}, declared are: {declared}")
        problems += [
            f"{place} declares a digest, which the protocol of {served.backend} (openai) does not tell: take "
            "it away"
            for place, served in self._deployments()
            if served.digest is not None and self._speaks_openai(served.backend)
        ]
        if GATEWAY_MACHINE in known:
            problems.append(f"backends: {GATEWAY_MACHINE!r} names the gateway's own machine; rename it")
        problems += [
            f"gateway.unjudged_models names {alias!r}, which is a declared model; take it out of one of them"
            for alias in self.aliases
            if alias in self.gateway.unjudged_models
        ]
        problems += [
            f"the alias {alias!r} is a wildcard, which no client asks for: declare the names that clients "
            "use instead, and the wildcard in gateway.unjudged_models"
            for alias in self.aliases
            if "*" in alias
        ]
        if not self.aliases:
            problems.append("no model is declared; add at least one [[models]] entry")
        if (self.kind is EnvironmentKind.EMBEDDED) != (self.embedded is not None):
            problems.append('an [embedded] table and kind = "embedded" belong together')
        if self.kind is EnvironmentKind.PRODUCTION and Effect.EXPOSE in self.policy.effects:
            problems.append(
                "policy.effects holds 'expose', which shows the key to places that are logged; "
                "take it out, no production environment permits it"
            )
        problems += self._key_problems()
        if self.gateway.limited_key is not None:
            problems += self.gateway.limited_key.problems(self.aliases)
        if self.gateway.identity is not None:
            problems += self.gateway.identity.problems(self.gateway.url, self.network, self.host)
        problems += self.network.contradictions()
        if self.gateway.key_header in self.network.headers:
            problems.append(
                f"network.headers holds {self.gateway.key_header!r}, the header of the key: take it out, the "
                "suite sends the key itself"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _speaks_openai(self, name: str) -> bool:
        return any(backend.name == name and backend.product == "openai" for backend in self.backends)

    def _key_problems(self) -> list[str]:
        named = [name for name in KEY_SOURCES if getattr(self.gateway, name) is not None]
        if self.embedded is not None:
            return []
        if not named:
            return [
                "gateway.key_variable is missing: name the variable that holds the gateway's key, or "
                "gateway.key_file, or gateway.key_command"
            ]
        if len(named) > 1:
            which = " and ".join(f"gateway.{name}" for name in named)
            return [f"{which} are given, and a key has one place that it comes from: keep one of them"]
        return []

    @property
    def notes(self) -> tuple[str, ...]:
        """What was understood otherwise than it was written: a sentence each, for whoever runs it."""
        return self._notes

    def with_notes(self, notes: Sequence[str]) -> Self:
        """The same, with something to be said about its file."""
        noted = self.model_copy()
        noted._notes = tuple(notes)
        return noted

    def _deployments(self) -> list[tuple[str, ServedModel]]:
        singles: list[tuple[str, ServedModel]] = [(f"model {model.alias!r}", model) for model in self.models]
        members = [
            (f"group {group.alias!r}", member) for group in self.groups for member in group.deployments
        ]
        return [*singles, *members]

    @property
    def advisory_base(self) -> Path | None:
        """The file that it names as advisory base, or None."""
        named = self.advisories.base
        return None if named is None else self.source.parent / named.expanduser()

    @property
    def aliases(self) -> list[str]:
        """All names that a client may send as ``model``, in order of declaration."""
        return [*(model.alias for model in self.models), *(group.alias for group in self.groups)]

    @property
    def listed(self) -> list[str]:
        """The aliases that ``GET /v1/models`` is to list: all but those that are declared hidden."""
        entries: list[Model | Group] = [*self.models, *self.groups]
        return [entry.alias for entry in entries if not entry.hidden]

    def otherwise_listed(self, names: Sequence[str]) -> list[str]:
        """What is wrong with the names that a gateway lists: the beginning of a sentence each."""
        hidden = [alias for alias in self.aliases if alias not in self.listed]
        strange = [name for name in names if name not in self.aliases and not self.unjudged(name)]
        return [
            *(f"missing: {alias}" for alias in self.listed if alias not in names),
            *(f"not declared: {name}" for name in strange),
            *(f"declared as hidden: {alias}" for alias in hidden if alias in names),
        ]

    def unjudged(self, name: str) -> bool:
        """Whether the gateway may list an id that is no alias here. What is declared is judged, a wildcard or
        not."""
        return name not in self.aliases and any(
            name == one or (one.endswith("*") and name.startswith(one[:-1]))
            for one in self.gateway.unjudged_models
        )

    def aliases_of(self, kind: ModelKind) -> list[str]:
        """The aliases of one kind, groups included."""
        entries: list[Model | Group] = [*self.models, *self.groups]
        return [entry.alias for entry in entries if entry.kind is kind]

    def deployments_of(self, alias: str) -> list[ServedModel]:
        """What stands behind an alias. Raises KeyError for one that is not declared."""
        for model in self.models:
            if model.alias == alias:
                return [model]
        for group in self.groups:
            if group.alias == alias:
                return list(group.deployments)
        raise KeyError(alias)

    def model(self, alias: str) -> Model:
        """The single-deployment model of an alias. Raises KeyError."""
        return {model.alias: model for model in self.models}[alias]

    def group(self, alias: str) -> Group:
        """The balanced group of an alias. Raises KeyError."""
        return {group.alias: group for group in self.groups}[alias]

    def backend(self, name: str) -> Backend:
        """A backend by its name; ``NOBODY`` where none is declared of a model. Raises KeyError."""
        if name == UNDECLARED:
            return NOBODY
        return {backend.name: backend for backend in self.backends}[name]

    @property
    def machines(self) -> dict[str, Machine]:
        """Every declared machine by its name in cases: ``gateway``, then the backends' by backend name."""
        found: dict[str, Machine] = {} if self.host is None else {GATEWAY_MACHINE: self.host}
        return found | {entry.name: entry.host for entry in self.backends if entry.host is not None}

    @property
    def directives(self) -> list[str]:
        """``MACHINE DIRECTIVE`` for each declared hardening directive."""
        return [f"{name} {word}" for name, machine in self.machines.items() for word in machine.hardening]

    @property
    def deployments(self) -> list[tuple[str, ServedModel]]:
        """Every declared deployment with its alias, in order of declaration."""
        return [(alias, served) for alias in self.aliases for served in self.deployments_of(alias)]

    def abilities_of(self, served: ServedModel) -> frozenset[Ability]:
        """What a deployment is declared to be able to do: by itself, or where the same model on the same
        backend is declared; ``ASSUMED`` where nothing is."""
        if not served.declared:
            return ASSUMED if served.abilities is None else frozenset(served.abilities)
        same = [
            one.abilities
            for one in (served, *(other for _, other in self._deployments()))
            if (one.backend, one.upstream) == (served.backend, served.upstream) and one.abilities is not None
        ]
        return frozenset(same[0]) if same else ASSUMED

    def can(self, alias: str, ability: Ability) -> bool:
        """Whether every deployment of an alias is declared to have an ability. Raises KeyError."""
        return all(ability in self.abilities_of(served) for served in self.deployments_of(alias))

    def thinks(self, alias: str) -> bool:
        """Whether any deployment of an alias thinks before it answers. Unknown aliases do not."""
        served = self.deployments_of(alias) if alias in self.aliases else []
        return any(Ability.REASONING in self.abilities_of(one) for one in served)

    @property
    def spoken(self) -> tuple[str, ...]:
        """What the gateway speaks to its backends besides Ollama's own protocol: as it is declared
        (``gateway.upstreams``), and as the declared backends speak themselves."""
        declared = {*self.gateway.upstreams, *(backend.product for backend in self.backends)}
        return tuple(sorted(declared - {NOBODY.product}))

    def upstreams_on(self, backend: str) -> list[str]:
        """The upstream models that the gateway needs on a backend, sorted, without repetition."""
        return sorted({served.upstream for _, served in self._deployments() if served.backend == backend})


def _duplicates(what: str, names: list[str]) -> list[str]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    return [f"{what}: {name!r} is declared more than once" for name in repeated]


def known_keys(root: type[Table], location: tuple[Any, ...]) -> list[str]:
    """The keys that the table at this pydantic location may hold, for the nearest-name hint."""
    table: Any = root
    for part in location:
        if isinstance(part, int):
            continue
        field = getattr(table, "model_fields", {}).get(part)
        if field is None:
            return []
        table = _table_of(field.annotation)
    return [key for key in getattr(table, "model_fields", {}) if key != "source"]


def _table_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _table_of(argument)
        if found is not None:
            return found
    return None
