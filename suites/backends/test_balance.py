"""BACKEND-BAL: is a balanced alias balanced at all. Proportions are another matter than more than one."""

from collections import Counter

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, Untestable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.observations import ask_echo, echoed_twice

FALSE_ALARM = 1e-5
"""How often a gateway that balances as declared may be called unbalanced."""


@check(
    "BACKEND-BAL-001",
    "a balanced alias reaches more than one backend",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    profile="smoke",
)
def test_more_than_one(target: Target, gateway: GatewayClient, group: str, environment: Environment) -> None:
    """Draws until a second backend is seen. Gives up when a gateway that draws independently by the declared
    weights would have shown one with a probability of at least 1 - 1e-5."""
    shares = _shares(environment, group)
    if len(shares) < 2:
        raise CheckFailed(f"{group} is declared over the one backend {', '.join(shares)}: it cannot balance")
    seen: Counter[str] = Counter()
    for answer in echoed_twice(target, group):
        seen[_server_of(answer)] += 1
    while (
        len(seen) < 2
        and set(seen) <= {*shares}
        and sum(share ** seen.total() for share in shares.values()) > FALSE_ALARM
    ):
        seen[_server_of(ask_echo(target, group))] += 1
    if "" in seen:
        header = gateway.product.served_by or "(none is declared)"
        raise Untestable(
            f"no witness says which backend served {group}: the header {header} is absent",
            "let the gateway send it, or declare gateway.served_by_header",
        )
    undeclared = sorted(name for name in seen if name not in shares)
    if undeclared:
        raise CheckFailed(f"{group} was served by {', '.join(undeclared)}, which is not declared for it")
    if len(seen) < 2:
        (only,) = seen
        raise CheckFailed(
            f"all {seen.total()} requests to {group} were served by {only}; declared are {', '.join(shares)}"
        )


def _server_of(answer: Exchange) -> str:
    """Who served it; a request that was not served says nothing of balance."""
    if answer.status != 200:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:300]}")
    return answer.served_by


def _shares(environment: Environment, alias: str) -> dict[str, float]:
    """The share of requests by backend that the declaration promises; without weights, each deployment
    the same; with any, a missing weight counts as zero (LiteLLM's simple-shuffle)."""
    deployments = environment.group(alias).deployments
    weighted = any(deployment.weight is not None for deployment in deployments)
    weights = [deployment.weight or 0.0 if weighted else 1.0 for deployment in deployments]
    shares: dict[str, float] = {}
    for deployment, weight in zip(deployments, weights, strict=True):
        shares[deployment.backend] = shares.get(deployment.backend, 0.0) + weight / sum(weights)
    return {name: share for name, share in shares.items() if share > 0}
