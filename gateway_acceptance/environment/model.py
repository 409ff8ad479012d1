"""What an environment file declares. One instance per ``--env``; validated whole before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.abilities import ASSUMED, Ability, KnownAbility
from gateway_acceptance.environment.base_url import BaseUrl
from gateway_acceptance.environment.host import BackendHost, Host, Machine
from gateway_acceptance.environment.identity import Identity
from gateway_acceptance.environment.limited_key import LimitedKey
from gateway_acceptance.environment.network import VARIABLE_NAME, Network
from gateway_acceptance.environment.product_names import ANY_OTHER, ProductName
from gateway_acceptance.environment.table import Name, Table, Url

GATEWAY_MACHINE = "gateway"
"""The name of the gateway's own machine; no backend can have it."""
SIMPLE_SHUFFLE: Final = "simple-shuffle"
"""The one strategy whose shares are promised: independent draws."""
LEAST_OF_A_GROUP = 2
UNDECLARED: Final = ""
"""The backend, and the upstream model, of an alias of which the environment does not say what serves it."""


KEY_SOURCES: Final = ("key_variable", "key_file", "key_command")
BEARER_HEADER: Final = "authorization"
"""Where a key is a bearer token; in any other header it stands alone."""


class EnvironmentKind(StrEnum):
    """What an environment is for. Only ``production`` can be PRODUCTION READY."""

    EMBEDDED = "embedded"
    STAGING = "staging"
    PRODUCTION = "production"


class ModelKind(StrEnum):
    """Which endpoint a model serves."""

    CHAT = "chat"
    EMBEDDING = "embedding"


class Bounds(Table):
    """What the deployment promises of time and load. Seconds, and requests at once."""

    health_s: Annotated[float, Field(gt=0)] = 2.0
    first_token_s: Annotated[float, Field(gt=0)] = 30.0
    answer_s: Annotated[float, Field(gt=0)] = 60.0
    concurrency: Annotated[int, Field(gt=0, le=64)] = 8


class Gateway(Table):
    """The gateway under test.

    variant: how the product was installed, where that matters (``prisma``: LiteLLM with its database
    driver; empty for without); key_variable, key_file, key_command: where its key comes from, exactly one
    (an environment variable, a file, the output of a program); key_header: the header that it is sent in,
    as a bearer token in ``authorization``, by itself in any other, and nowhere else; endpoints: those
    beyond models, chat and embeddings that it promises; description_path: where it publishes its OpenAPI
    description, empty for nowhere; public_paths: what may answer without a key; response_headers: what
    every answer must carry; cors_origins: origins that browsers may call from (none by default);
    unjudged_models: ids that the gateway lists beyond the declared ones, and that nobody judges (images, a
    wildcard); one that ends with ``*`` stands for all that begin so; pre_call_checks: LiteLLM's
    ``enable_pre_call_checks``, without which 1.74.15 takes no notice of an ``order``; limited_key: a second
    key that may do less (docs/limited-keys.md); identity: by what it is known on every connection.
    """

    url: BaseUrl
    product: ProductName = ANY_OTHER
    version: str | None = None
    variant: Annotated[str, Field(pattern=r"^[a-z0-9]*$")] | None = None
    key_variable: Annotated[str, Field(pattern=VARIABLE_NAME)] | None = None
    key_file: Path | None = None
    key_command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    key_header: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = BEARER_HEADER
    known_default_keys: tuple[str, ...] = ()
    liveness_path: str | None = None
    readiness_path: str | None = None
    description_path: str | None = None
    served_by_header: str | None = None
    endpoints: tuple[Literal["completions", "responses"], ...] = ()
    public_paths: tuple[str, ...] = ()
    response_headers: dict[str, str] = Field(default_factory=dict)
    cors_origins: tuple[str, ...] = ()
    unjudged_models: tuple[str, ...] = ()
    pre_call_checks: bool = False
    limited_key: LimitedKey | None = None
    identity: Identity | None = None
    connect_deadline_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    request_deadline_s: Annotated[float, Field(gt=0, le=3600)] = 120.0


class Backend(Table):
    """One server behind the gateway. url: as the suite reaches it; gateway_url: as the gateway calls it,
    where that differs; direct: whether the suite may ask it past the gateway; host: its machine, where the
    suite may look at it; counts: where it is told what the backend served, the second witness of routing: a
    URL, or a path at ``url``. ``{mark}`` in it stands for a text that the counted requests hold."""

    name: Name
    url: Url
    gateway_url: Url | None = None
    product: Literal["ollama"] = "ollama"
    direct: bool = True
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


class Served(Table):
    """What stands behind an alias: an upstream model on a backend; both empty where the environment does not
    say (a provider in the cloud, a gateway that does not tell). digest: as Ollama lists it, or its first
    digits (at least 12, as ``ollama list`` shows); abilities: what a chat model can do, None where the
    environment does not say."""

    backend: Name = UNDECLARED
    upstream: str = UNDECLARED
    abilities: tuple[KnownAbility, ...] | None = None
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
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


class Model(Served):
    """An alias with exactly one deployment. dimensions: of the vectors, for embedding models; unit_norm:
    whether the model promises vectors of length one."""

    alias: str
    kind: ModelKind
    dimensions: Annotated[int, Field(gt=0)] | None = None
    unit_norm: bool = False

    @model_validator(mode="after")
    def _dimensions_fit_the_kind(self) -> Self:
        if (self.kind is ModelKind.EMBEDDING) != (self.dimensions is not None):
            raise ValueError("dimensions belong to an embedding model, and to no other")
        if self.kind is ModelKind.EMBEDDING and self.abilities is not None:
            raise ValueError("abilities belong to a chat model: take them from this embedding model")
        return self


class Deployment(Served):
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
    """An alias that the gateway balances over several deployments. strategy: as LiteLLM calls them."""

    alias: str
    kind: ModelKind = ModelKind.CHAT
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


class Balance(Table):
    """How the proportions of balanced groups are judged (docs/balance.md).

    alpha: the most probable a false alarm may be, over all tests of balance of a run together (shares and
    independence of each group, and the shares of those that are left in an outage); power: how surely an
    imbalance of the tolerance is not passed, and the certainty that ``balance plan`` plans with; tolerance:
    the smallest imbalance worth finding, as the largest difference of any share from the declared one;
    relative_tolerance: the same as a part of the declared share, where that is smaller; most_draws: requests
    per group after which the judgement is inconclusive; independence_draws: how many are made at least,
    decided or not, where most_draws allows it (of more than ten groups each has its part); witness: what is
    told apart, the servers or each deployment (server and model), which takes more draws. The defaults suit
    a production deployment: 64 requests of one token each.
    """

    alpha: Annotated[float, Field(gt=0, le=0.1)] = 0.0003
    power: Annotated[float, Field(ge=0.5, lt=1)] = 0.9
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 0.3
    relative_tolerance: Annotated[float, Field(gt=0, lt=1)] | None = None
    most_draws: Annotated[int, Field(ge=10, le=10_000)] = 64
    independence_draws: Annotated[int, Field(ge=10, le=10_000)] = 120
    witness: Literal["backend", "deployment"] = "backend"


class Outage(Table):
    """What the deployment promises while backends are away (docs/outage.md). retries: attempts of a request
    beyond the first, each drawing anew; cooldown_s: the longest that a backend which failed is left out;
    patience_s: seconds after which the gateway gives a silent backend up; requests: how many are sent while
    one is away; alpha: the most probable a false alarm may be, of the test of their number (docs/balance.md
    has the account of all of a run).
    """

    retries: Annotated[int, Field(ge=0, le=10)] = 0
    cooldown_s: Annotated[float, Field(ge=0, le=600)] = 5.0
    patience_s: Annotated[float, Field(gt=0)] = 60.0
    requests: Annotated[int, Field(ge=20, le=1000)] = 90
    alpha: Annotated[float, Field(gt=0, le=0.1)] = 0.0001


Precondition = Literal[
    "database",
    "internal-users",
    "other-keys",
    "mcp",
    "jwt",
    "sso",
    "guardrails",
    "semantic-cache",
    "unvalidated-host",
    "reverse-proxy",
    "gunicorn",
    "open-backend-port",
    "pulls",
    "agent-mode",
]
"""What published holes need, in words that an environment can declare absent (docs/advisories.md)."""


class Advisories(Table):
    """How published holes are judged (docs/advisories.md). max_age_days: how old the advisory base may be;
    base: its file, from the environment's folder, where it is not the user's or the shipped one; without:
    what holes need and this deployment does not have."""

    max_age_days: Annotated[int, Field(gt=0)] = 60
    base: Path | None = None
    without: tuple[Precondition, ...] = ()


class Tracker(Table):
    """What the tracker may still say of earlier runs. fresh_h: hours that a proof counts; an older one is
    stale, and its claim not verified."""

    fresh_h: Annotated[float, Field(gt=0)] = 168.0


class Policy(Table):
    """What a run may do there, and how much of it: enforced before sending, over all workers.

    requests_per_second, concurrency: the pace, and how many may be asked at once; neither is limited where it
    is not given.
    """

    effects: Annotated[tuple[Effect, ...], Field(min_length=1)]
    requests: Annotated[int, Field(gt=0)]
    tokens: Annotated[int, Field(gt=0)]
    seconds: Annotated[float, Field(gt=0)]
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    concurrency: Annotated[int, Field(gt=0)] | None = None


class Embedded(Table):
    """The suite itself starts the environment. provider: a name in ``gateway_acceptance.embedded``."""

    provider: Name
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)


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
        if GATEWAY_MACHINE in known:
            problems.append(f"backends: {GATEWAY_MACHINE!r} names the gateway's own machine; rename it")
        problems += [
            f"gateway.unjudged_models names {alias!r}, which is a declared model; take it out of one of them"
            for alias in self.aliases
            if self.unjudged(alias)
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

    def _deployments(self) -> list[tuple[str, Served]]:
        singles: list[tuple[str, Served]] = [(f"model {model.alias!r}", model) for model in self.models]
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

    def unjudged(self, name: str) -> bool:
        """Whether the gateway may list an id that is no alias here."""
        return any(
            name == one or (one.endswith("*") and name.startswith(one[:-1]))
            for one in self.gateway.unjudged_models
        )

    def aliases_of(self, kind: ModelKind) -> list[str]:
        """The aliases of one kind, groups included."""
        entries: list[Model | Group] = [*self.models, *self.groups]
        return [entry.alias for entry in entries if entry.kind is kind]

    def deployments_of(self, alias: str) -> list[Served]:
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
    def deployments(self) -> list[tuple[str, Served]]:
        """Every declared deployment with its alias, in order of declaration."""
        return [(alias, served) for alias in self.aliases for served in self.deployments_of(alias)]

    def abilities_of(self, served: Served) -> frozenset[Ability]:
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
