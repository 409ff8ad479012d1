"""BACKEND-BAL: is a balanced alias balanced, as declared, by nothing but chance (docs/balance.md)."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gateway_acceptance.balance.pictures import evidence_svg, shares_svg
from gateway_acceptance.balance.sequential import Outcome
from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.environment import Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import CheckFailed, Inconclusive, NotApplicable, Untestable, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.observations import ask_echo, echoed_twice
from suites.backends.balance_sample import Judged, promised, sampled

FALSE_ALARM = 1e-5
"""How often a gateway that balances as declared may be called unbalanced by the checks that only look whether
a second backend serves at all."""


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
    shares = _serving(target, group)
    seen: Counter[str] = Counter()
    for answer in echoed_twice(target, group):
        seen[_server_of(answer)] += 1
    while _may_be_chance(seen, shares):
        seen[_server_of(ask_echo(target, group))] += 1
    _require_several(target, group, seen, shares, "")


@check(
    "BACKEND-BAL-002",
    "each backend serves its declared share of a balanced alias",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    spec="litellm:simple-shuffle",
)
def test_shares(
    target: Target,
    gateway: GatewayClient,
    group: str,
    note: Callable[[str, object], None],
    picture: Callable[[str, str], None],
) -> None:
    """Passed: every share is shown to be within the tolerance. Failed: the declared shares are disproved."""
    judged = sampled(target, group)
    trial = judged.trial
    note(f"balance of {group}: null hypothesis", trial.null.sentence)
    note(f"balance of {group}: seen", f"{trial.sentence()}; witness: {judged.sample.witness}")
    picture(f"shares of {group}", shares_svg(trial))
    picture(f"evidence against the shares of {group}", evidence_svg(trial))
    if trial.unexpected:
        raise CheckFailed(
            f"{group} was served by {', '.join(trial.unexpected)}, which is not declared for it"
        )
    _require_premises(judged)
    hint = f"; {judged.dependence.sentence()}" if judged.dependence.pattern else ""
    if trial.outcome is Outcome.FAILED:
        raise CheckFailed(f"{trial.sentence()}{hint}. Declared: {trial.null.sentence}")
    if trial.outcome is not Outcome.PASSED:
        why = hint or "; raise balance.most_draws or balance.tolerance (gateway-acceptance balance plan)"
        raise Inconclusive(f"{trial.sentence()}{why}")


@check(
    "BACKEND-BAL-003",
    "which backend serves depends neither on what is asked, nor on who asks, nor on who served before",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    spec="litellm:simple-shuffle",
)
def test_independence(
    target: Target, gateway: GatewayClient, group: str, note: Callable[[str, object], None]
) -> None:
    """Routing by content, user or connection puts the load of one client on one backend although the shares
    are right over all; taking turns is not what is declared either."""
    judged = sampled(target, group)
    note(f"balance of {group}: independence", judged.dependence.sentence())
    _require_premises(judged)
    if judged.trial.outcome is Outcome.FAILED:
        raise Inconclusive(
            f"the shares of {group} are not as declared (BACKEND-BAL-002): dependence is judged against these"
        )
    if judged.dependence.pattern is not None:
        raise CheckFailed(f"{judged.dependence.sentence()}. Declared: {judged.trial.null.sentence}")


@check(
    "BACKEND-BAL-004",
    "nothing stands between a request to a balanced alias and its draw: no retry, no cache, no fallback",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-05",
)
def test_premises(target: Target, gateway: GatewayClient, group: str) -> None:
    """Under each of them the shares that are seen are not those that were drawn, and nothing can be said of
    balance; while all backends are well there is no reason for any."""
    judged = sampled(target, group)
    require([Problem("", text) for text in judged.problems], blame="gateway")


@check(
    "BACKEND-BAL-005",
    "requests at the same time reach more than one backend",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-05",
    spec="bounds.concurrency",
)
def test_at_once(target: Target, gateway: GatewayClient, group: str, environment: Environment) -> None:
    """As many at once as are declared, until a second backend is seen, or a gateway that draws independently
    would have shown one with a probability of at least 1 - 1e-5."""
    shares = _serving(target, group)
    load = environment.bounds.concurrency
    seen: Counter[str] = Counter()
    with ThreadPoolExecutor(load) as pool:
        while not seen or _may_be_chance(seen, shares):
            asked = [pool.submit(ask_echo, target, group) for _ in range(load)]
            seen.update(_server_of(one.result()) for one in asked)
    _require_several(target, group, seen, shares, f", {load} at a time")


def _serving(target: Target, alias: str) -> dict[str, float]:
    """The backends that are declared to serve at all, with their shares. Raises CheckFailed for one alone."""
    shares = {name: share for name, share in promised(target, alias).shares.items() if share > 0}
    if len(shares) < 2:
        raise CheckFailed(f"{alias} is declared over the one backend {', '.join(shares)}: it cannot balance")
    return shares


def _may_be_chance(seen: Counter[str], shares: dict[str, float]) -> bool:
    """Whether one backend alone was seen so far, and a right gateway might still have done that."""
    alone = len(seen) < 2 and set(seen) <= {*shares}
    return alone and sum(share ** seen.total() for share in shares.values()) > FALSE_ALARM


def _require_several(
    target: Target, alias: str, seen: Counter[str], shares: dict[str, float], how: str
) -> None:
    if "" in seen:
        header = target.gateway.product.served_by
        if header is None:
            raise NotApplicable(
                "no header of this gateway names the backend; its shares are judged by counts"
            )
        raise Untestable(
            f"no witness says which backend served {alias}: the header {header} is absent",
            "let the gateway send it, or declare gateway.served_by_header",
        )
    undeclared = sorted(name for name in seen if name not in shares)
    if undeclared:
        raise CheckFailed(f"{alias} was served by {', '.join(undeclared)}, which is not declared for it")
    if len(seen) < 2:
        (only,) = seen
        raise CheckFailed(
            f"not balanced: all {seen.total()} requests to {alias}{how} were served by {only}; "
            f"declared are {', '.join(shares)}"
        )


def _server_of(answer: Exchange) -> str:
    """Who served it; a request that was not served says nothing of balance."""
    if answer.status != 200:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:300]}")
    return answer.served_by


def _require_premises(judged: Judged) -> None:
    if judged.problems:
        raise Inconclusive(f"a premise does not hold, so nothing follows of {'; '.join(judged.problems)}")
