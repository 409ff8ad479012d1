"""API-OPS: is it there, and does it say so truthfully."""

from http import HTTPStatus

from gateway_acceptance.check import MUST, READ, check
from gateway_acceptance.plugin.observations import READINESS
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.subjects import judged
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.operations.rules import reported_status

WELL = frozenset(
    ("healthy", "connected", "ok", "ready", "up", "pass", "passing", "alive", "live", "running", "serving")
)
"""How readiness is told: LiteLLM, Kubernetes, Spring's actuator, application/health+json, gRPC."""


@check(
    "API-OPS-001",
    "the gateway is alive",
    level=MUST,
    effect=READ,
    claims=("STA-02", "SYS-01", "SYS-02"),
    profile="smoke",
    spec="environment: gateway.liveness_path",
)
def test_alive(any_gateway: GatewayClient) -> None:
    """Any answer of 200 on the liveness path, which needs no key. A gateway that has no such path, and
    declares none, is asked for its models instead: whatever it answers but a failure of its own is a sign of
    life, and API-MODELS judges it. The check has no premise, so a gateway that is dead, silent or ill as a
    whole fails here, once, with what to do about it; everything else is untestable because of it."""
    path = any_gateway.product.liveness
    answer = any_gateway.get(path, key=None) if path else any_gateway.get("/v1/models")
    if answer.status != HTTPStatus.OK if path else (answer.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}", blame="gateway")
    if path:
        judged({"answers on the liveness path": 1})  # its status is all that is asked: vLLM's has no body


@check(
    "API-OPS-002",
    "the gateway is ready",
    level=MUST,
    effect=READ,
    claims=("STA-02",),
    profile="smoke",
    spec="environment: gateway.readiness_path",
)
def test_ready(target: Target, live_gateway: GatewayClient) -> None:
    """200 on the readiness path, and a body that does not contradict it: a status in JSON, or a word."""
    path = live_gateway.product.readiness
    if path is None:
        raise NotApplicable(
            "the environment declares no readiness path (gateway.readiness_path)",
            declared="gateway.readiness_path",
        )
    answer = target.at_the_start(READINESS, lambda: live_gateway.get(path, key=None))
    if answer.status != 200:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}", blame="gateway")
    status = reported_status(answer)
    judged({"answers on the readiness path": 1})
    if status is not None and str(status).strip(" .!\n").lower() not in WELL:
        raise CheckFailed(f"{answer.url} answers 200 and says status {status!r}", blame="gateway")
