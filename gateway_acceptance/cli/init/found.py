"""What ``init`` found out, before it is written."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from gateway_acceptance.environment import Ability, ModelKind
from gateway_acceptance.environment.model import GATEWAY_MACHINE
from gateway_acceptance.environment.product_names import ANY_OTHER
from gateway_acceptance.wire.exchange import Exchange

UNNAMED = "behind"
"""The name of a server whose address says nothing."""
Values = dict[str, Any]


@dataclass
class Behind:
    """A server behind the gateway. url: as the gateway calls it; models: what it lists itself, full name ->
    digest, None where it could not be asked; why: what came instead; product: whose protocol it speaks;
    names: of its models, as it lists them; demands_key: whether it refuses who has no key of its own."""

    name: str
    url: str
    models: dict[str, str] | None = None
    why: str = ""
    product: str = "ollama"
    names: tuple[str, ...] = ()
    demands_key: bool = False


@dataclass
class FoundDeployment:
    """One deployment of an alias. backend: the name of a ``Behind``, empty where nobody tells; extra: weight,
    rpm, tpm and order, where they are given; entry: the gateway's id of what was configured, where it has
    one."""

    upstream: str = ""
    backend: str = ""
    extra: Values = field(default_factory=dict)
    entry: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """What two aliases share that are served by the same model."""
        return (self.backend, self.upstream)


@dataclass
class Alias:
    """What clients may send as ``model``. kind: None until it is known; abilities: None where it was not
    asked at all; unasked: abilities that no request was left for; remarks: a sentence each;
    heard: (URL, model) of who served it, by its answers' own words; hidden: it is not listed, and was named
    by who asks; answered_as: another alias that its answer names; refused: statuses of answers that were
    none."""

    name: str
    kind: ModelKind | None = None
    members: list[FoundDeployment] = field(default_factory=list)
    dimensions: int = 0
    unit_norm: bool = False
    abilities: set[Ability] | None = None
    unasked: list[Ability] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    heard: set[tuple[str, str]] = field(default_factory=set)
    hidden: bool = False
    refused: list[int] = field(default_factory=list)
    answered_as: str = ""

    @property
    def member(self) -> FoundDeployment:
        """What stands behind an alias with one deployment."""
        return self.members[0] if self.members else FoundDeployment()

    @property
    def balanced(self) -> bool:
        """Whether the gateway balances it over several deployments."""
        return len(self.members) > 1

    @property
    def alike(self) -> bool:
        """Whether all its deployments have the same model: replicas, of which each may answer for all."""
        upstreams = {member.upstream for member in self.members}
        return len(upstreams) == 1 and all(upstreams)


@dataclass
class Found:
    """Everything about the gateway. lists_all: whether the gateway itself lists what stands behind it;
    description: where it publishes its OpenAPI description to anybody, if no product is known to do so there;
    alive: further health routes of it that answer without a key; left_out: ids that are not declared, each
    with why; limits: headers of answers that speak of limits;
    identity: by what it can be known, as it was met; upstreams: what it speaks to what stands behind it,
    besides Ollama's own protocol; refusal: the first answer of a model, where that knew no such key;
    past_the_key: whether any model answered otherwise."""

    product: str = ANY_OTHER
    version: str = ""
    liveness: str = ""
    description: str = ""
    alive: list[str] = field(default_factory=list)
    served_by: str = ""
    lists_all: bool = False
    strategy: str = ""
    outage: dict[str, float] = field(default_factory=dict)
    endpoints: list[str] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    behind: list[Behind] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    limits: dict[str, str] = field(default_factory=dict)
    limited: bool = False
    slowest_s: float = 0.0
    requests: int = 0
    identity: Values = field(default_factory=dict)
    upstreams: list[str] = field(default_factory=list)
    refusal: Exchange | None = None
    past_the_key: bool = False

    def backend(self, name: str) -> Behind:
        """A server by its name. Raises KeyError."""
        return {one.name: one for one in self.behind}[name]


def name_for(url: str, taken: Collection[str]) -> str:
    """A name of our own for a server at an address: its host, with the port where that is taken."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    plain = re.sub(r"[^a-z0-9._-]+", "-", host.lower()).strip("-._") or UNNAMED
    candidates = [plain, f"{plain}-{port or 80}", *(f"{plain}-{number}" for number in range(2, 1000))]
    return next(name for name in candidates if name not in taken and name != GATEWAY_MACHINE)
