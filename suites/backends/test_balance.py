"""BACKEND-BAL: is a balanced alias balanced at all. Proportions are another matter than more than one."""

from collections import Counter

from gateway_acceptance.balance.null import NoSharesError, UndefinedNullError, null_of
from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, Inconclusive, NotApplicable, Untestable
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
def test_more_than_one(target: Target, gateway: GatewayClient, group: str) -> None:
    """Draws until a second backend is seen. Gives up when a gateway that draws independently by the declared
    weights would have shown one with a probability of at least 1 - 1e-5."""
    shares = _shares(target, group)
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


def _shares(target: Target, alias: str) -> dict[str, float]:
    """The share of requests by backend that the declaration promises of those that serve at all. Raises
    NotApplicable for a strategy that promises none, Inconclusive where it is not known what is promised."""
    environment = target.environment
    version = target.preflight().version or environment.gateway.version
    try:
        null = null_of(environment.group(alias), environment.gateway, version)
    except NoSharesError as reason:
        raise NotApplicable(str(reason)) from None
    except UndefinedNullError as problem:
        raise Inconclusive(str(problem)) from None
    return {name: share for name, share in null.shares.items() if share > 0}
