"""``[[backends]]``, ``[[models]]``, ``[[groups]]``: what the gateway serves, and what stands behind it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from gateway_acceptance.environment.abilities import KnownAbility
from gateway_acceptance.environment.base_url import BaseUrl
from gateway_acceptance.environment.host import BackendHost
from gateway_acceptance.environment.network import VARIABLE_NAME
from gateway_acceptance.environment.table import Name, Table

SIMPLE_SHUFFLE: Final = "simple-shuffle"
"""The one strategy whose shares are promised: independent draws."""
LEAST_OF_A_GROUP = 2
UNDECLARED: Final = ""
"""The backend, and the upstream model, of an alias of which the environment does not say what serves it."""


class ModelKind(StrEnum):
    """Which endpoint a model serves."""

    CHAT = "chat"
    EMBEDDING = "embedding"


class Backend(Table):
    """One server behind the gateway. url: as the suite reaches it; gateway_url: as the gateway calls it,
    where that differs; product: whose protocol it speaks, Ollama's own or OpenAI's; direct: whether the suite
    may ask it past the gateway; key_variable: the variable with its own key, where it demands one; host: its
    machine, where the suite may look at it; counts: where it is told what the backend served, the second
    witness of routing: a URL, or a path at ``url``. ``{mark}`` in it stands for a text that the counted
    requests hold."""

    name: Name
    url: BaseUrl
    gateway_url: BaseUrl | None = None
    product: Literal["ollama", "openai"] = "ollama"
    direct: bool = True
    key_variable: Annotated[str, Field(pattern=VARIABLE_NAME)] | None = None
    host: BackendHost | None = None
    counts: Annotated[str, Field(pattern=r"^(/|https?://)")] | None = None

    @property
    def counts_url(self) -> str | None:
        """The URL of its own count."""
        return f"{self.url}{self.counts}" if (self.counts or "").startswith("/") else self.counts

    @property
    def called(self) -> str:
        """The URL by which the gateway calls it."""
        return self.gateway_url or self.url

    @property
    def urls(self) -> tuple[str, ...]:
        """Every URL that means it: as the gateway calls it, then as the suite does, each once."""
        return tuple(dict.fromkeys((self.called, self.url)))


NOBODY: Final = Backend.model_construct(name=UNDECLARED, url="", direct=False)
"""What stands behind a model where the environment does not say: nothing that could be asked."""


class ServedModel(Table):
    """What stands behind an alias: an upstream model on a backend; both empty where the environment does not
    say (a provider in the cloud, a gateway that does not tell). digest: as Ollama lists it, or its first
    digits (at least 12, as ``ollama list`` shows); abilities: what a chat model can do, None where the
    environment does not say."""

    backend: Name = UNDECLARED
    upstream: str = UNDECLARED
    abilities: tuple[KnownAbility, ...] | None = None
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.backend == UNDECLARED) != (self.upstream == UNDECLARED):
            raise ValueError(
                "backend and upstream belong together: declare both, or neither where nobody can tell"
            )
        if self.digest is not None and not self.declared:
            raise ValueError("a digest is of an upstream model on a backend: declare both, or take it away")
        return self

    @property
    def declared(self) -> bool:
        """Whether the environment says what stands behind the alias."""
        return self.backend != UNDECLARED


class Model(ServedModel):
    """An alias with exactly one deployment. dimensions: of the vectors, for embedding models; unit_norm:
    whether the model promises vectors of length one; hidden: it is served, and not listed."""

    alias: str
    kind: ModelKind
    hidden: bool = False
    dimensions: Annotated[int, Field(gt=0)] | None = None
    unit_norm: bool = False

    @model_validator(mode="after")
    def _dimensions_fit_the_kind(self) -> Self:
        if (self.kind is ModelKind.EMBEDDING) != (self.dimensions is not None):
            raise ValueError("dimensions belong to an embedding model, and to no other")
        if self.kind is ModelKind.EMBEDDING and self.abilities is not None:
            raise ValueError("abilities belong to a chat model: take them from this embedding model")
        return self


class Deployment(ServedModel):
    """One member of a balanced group. weight, rpm, tpm, order: None where the configuration gives none. While
    any deployment of the lowest order is there, no other serves. scoped_weight: what the
    ``router_settings.weights`` of the suite's key, or of its team, give it; it comes before all others
    (LiteLLM from 1.106.2 on)."""

    weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    rpm: Annotated[int, Field(ge=0)] | None = None
    tpm: Annotated[int, Field(ge=0)] | None = None
    scoped_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    order: int | None = None


class Group(Table):
    """An alias that the gateway balances over several deployments. strategy: as LiteLLM calls them; hidden:
    as of ``Model``."""

    alias: str
    kind: ModelKind = ModelKind.CHAT
    hidden: bool = False
    strategy: Literal[
        "simple-shuffle",
        "least-busy",
        "usage-based-routing",
        "usage-based-routing-v2",
        "latency-based-routing",
        "cost-based-routing",
    ] = SIMPLE_SHUFFLE
    deployments: tuple[Deployment, ...]

    @model_validator(mode="after")
    def _balances(self) -> Self:
        if not all(member.declared for member in self.deployments):
            raise ValueError(
                "has a deployment without backend and upstream, whose share nobody could tell: declare them, "
                "or the alias as [[models]]"
            )
        if len(self.deployments) < LEAST_OF_A_GROUP:
            raise ValueError(
                f"has {len(self.deployments)} deployment(s), which is no balancing: declare all that the "
                "gateway has for it, or the one as [[models]]"
            )
        return self
