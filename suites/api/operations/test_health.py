"""API-OPS: the health routes are cheap and true, also under load."""

from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus

from gateway_acceptance.check import MUST, READ, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.extract import answered_by_a_model
from suites.api.observations import ask_echo, balanced_or_first, echoed


@check(
    "API-OPS-003",
    "liveness answers within its bound",
    level=MUST,
    effect=READ,
    claims="STA-02",
    spec="bounds.health_s",
)
def test_liveness_is_cheap(live_gateway: GatewayClient, environment: Environment) -> None:
    """Asked every few seconds by whoever watches the service: a route that calls models is none
    (LiteLLM issue 5816)."""
    _within(_liveness(live_gateway), environment.bounds.health_s)


@check(
    "API-OPS-004",
    "readiness answers within its bound",
    level=MUST,
    effect=READ,
    claims="STA-02",
    spec="bounds.health_s",
)
def test_readiness_is_cheap(live_gateway: GatewayClient, environment: Environment) -> None:
    """Load balancers take a slow gateway out."""
    _within(_readiness(live_gateway), environment.bounds.health_s)


@check(
    "API-OPS-005",
    "a gateway that says it is ready serves",
    level=MUST,
    effect=SPEND,
    claims=("STA-02", "STA-06"),
    spec="environment: models, groups; kubernetes: readiness probes",
)
def test_readiness_is_true(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Readiness says yes, and the next chat completion is answered."""
    ready = _readiness(gateway)
    if ready.status != 200:
        raise Untestable(f"it does not say that it is ready ({ready.status})", "see API-OPS-002")
    answer = echoed(target, balanced_or_first(environment))
    if not answered_by_a_model(answer):
        raise CheckFailed(
            f"{ready.url} says ready, and a chat completion gets {answer.status}: {answer.text[:200]}"
        )


@check(
    "API-OPS-006",
    "liveness answers within its bound while requests are under way",
    level=MUST,
    effect=SPEND,
    claims="STA-02",
    spec="bounds.health_s, bounds.concurrency",
)
def test_liveness_under_load(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """A gateway that is only busy must not be restarted for it. bounds.concurrency requests run meanwhile."""
    alias = balanced_or_first(environment)
    load = environment.bounds.concurrency
    with ThreadPoolExecutor(load) as pool:
        running: list[Future[Exchange]] = [pool.submit(ask_echo, target, alias) for _ in range(load)]
        alive = _liveness(gateway)
        served = sum(answered_by_a_model(one.result()) for one in running)
    judged({"requests under way": served})
    _within(alive, environment.bounds.health_s)


def _liveness(gateway: GatewayClient) -> Exchange:
    path = gateway.product.liveness
    if path is None:
        raise NotApplicable(
            "the environment declares no liveness path (gateway.liveness_path)",
            declared="gateway.liveness_path",
        )
    return gateway.get(path, key=None)


def _readiness(gateway: GatewayClient) -> Exchange:
    path = gateway.product.readiness
    if path is None:
        raise NotApplicable(
            "the environment declares no readiness path (gateway.readiness_path)",
            declared="gateway.readiness_path",
        )
    return gateway.get(path, key=None)


def _within(answer: Exchange, bound_s: float) -> None:
    judged({"answers of a health route": int(answer.status == HTTPStatus.OK)})
    if answer.elapsed_s > bound_s:
        raise CheckFailed(
            f"expected {answer.url} to answer within {bound_s:g} s, it took {answer.elapsed_s:.2f} s",
            blame="gateway",
        )
