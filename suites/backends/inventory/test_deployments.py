"""BACKEND-ROUTE: the gateway's own list of deployments, against the declared ones and the backends' own."""

from gateway_acceptance.check import MUST, READ, SHOULD, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import require
from gateway_acceptance.wire.backends import BackendClient
from gateway_acceptance.wire.gateway import GatewayClient
from suites.backends.routing import rules as routing_rules
from suites.backends.routing.probes import listed


@check(
    "BACKEND-ROUTE-001",
    "the gateway has every declared deployment",
    level=MUST,
    effect=READ,
    claims="MOD-08",
    spec="litellm:GET /v1/model/info",
)
def test_every_declared(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Alias, backend and upstream model, as often as it is declared."""
    require(routing_rules.missing(environment, listed(target)), blame="gateway")


@check(
    "BACKEND-ROUTE-002",
    "the gateway has no deployment that is not declared",
    level=MUST,
    effect=READ,
    claims="MOD-08",
    spec="litellm:GET /v1/model/info",
)
def test_no_other(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """A server that nobody declared would be sent the clients' prompts."""
    require(routing_rules.undeclared(environment, listed(target)), blame="gateway")


@check(
    "BACKEND-ROUTE-003",
    "the deployments of a balanced alias have the declared weights",
    level=MUST,
    effect=READ,
    claims="FUN-05",
    spec="litellm:simple-shuffle: a missing weight counts as 0 beside one that is set",
)
def test_weights(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """One weight in one entry starves all entries without."""
    require(routing_rules.other_weights(environment, listed(target)), blame="gateway")


@check(
    "BACKEND-ROUTE-004",
    "each deployment has an id of its own",
    level=SHOULD,
    effect=READ,
    spec="litellm:GET /v1/model/info: model_info.id",
)
def test_ids(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """By its id a deployment is cooled down, named in headers, and asked alone."""
    require(routing_rules.without_own_id(environment, listed(target)), blame="gateway")


@check(
    "BACKEND-INV-006",
    "the backend holds what the gateway's own deployments ask it for",
    level=MUST,
    effect=READ,
    claims="STA-03",
    spec="litellm:GET /v1/model/info; ollama:GET /api/tags",
)
def test_held(target: Target, gateway: GatewayClient, backend: BackendClient) -> None:
    """The gateway's view against the backend's: a name mistyped in its configuration is found here without
    a token."""
    entries = listed(target)
    require(
        routing_rules.not_held(entries, backend.backend.name, backend.models(), backend.name_of),
        blame="gateway",
    )
