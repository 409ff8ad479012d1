"""BACKEND-BAL: is a balanced alias balanced at all, and are its shares the declared ones."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway_acceptance.check import MUST, READ, SHOULD, SPEND, check
from gateway_acceptance.lazily import lazily, lazily_from
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import (
    CheckFailed,
    Inconclusive,
    NotApplicable,
    Untestable,
    require,
)
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.meter import Chance
from suites.api.observations import ECHO_TEXT, ask_echo, echoed

if TYPE_CHECKING:
    from gateway_acceptance.balance import second_look
    from gateway_acceptance.balance.expected_shares import WitnessResolution
    from gateway_acceptance.balance.ledger import in_words as spent
    from gateway_acceptance.balance.ledger import ledger, second_within
    from gateway_acceptance.balance.pictures import draw_evidence, draw_shares
    from gateway_acceptance.balance.sequential import SequentialDecision
    from suites.backends.balance import cooldown
    from suites.backends.balance.account import account, in_words
    from suites.backends.balance.evaluation import (
        from_a_cache,
        require_answers,
        tells_of_caches,
        tells_of_tries,
        tried_again,
    )
    from suites.backends.balance.later import later_looks
    from suites.backends.balance.observed import expected, judgement, sample_of
    from suites.backends.balance.recurring import cooling_in, recurrence, taken_out_again
    from suites.backends.balance.sample import null_hypothesis
    from suites.backends.balance.scoped import undeclared_weights
    from suites.backends.balance.trace import suspected, traced
    from suites.backends.routing.probes import embeds, listed
else:  # a collection needs none of it, and it is a tenth of what that of smoke would import
    second_look = lazily("gateway_acceptance.balance.second_look")
    cooldown = lazily("suites.backends.balance.cooldown")
    (WitnessResolution,) = lazily_from("gateway_acceptance.balance.expected_shares", "WitnessResolution")
    (spent,) = lazily_from("gateway_acceptance.balance.ledger", "in_words")
    ledger, second_within = lazily_from("gateway_acceptance.balance.ledger", "ledger", "second_within")
    draw_evidence, draw_shares = lazily_from(
        "gateway_acceptance.balance.pictures", "draw_evidence", "draw_shares"
    )
    (SequentialDecision,) = lazily_from("gateway_acceptance.balance.sequential", "SequentialDecision")
    account, in_words = lazily_from("suites.backends.balance.account", "account", "in_words")
    from_a_cache, require_answers, tells_of_caches, tells_of_tries, tried_again = lazily_from(
        "suites.backends.balance.evaluation",
        *("from_a_cache", "require_answers", "tells_of_caches", "tells_of_tries", "tried_again"),
    )
    (later_looks,) = lazily_from("suites.backends.balance.later", "later_looks")
    expected, judgement, sample_of = lazily_from(
        "suites.backends.balance.observed", "expected", "judgement", "sample_of"
    )
    cooling_in, recurrence, taken_out_again = lazily_from(
        "suites.backends.balance.recurring", "cooling_in", "recurrence", "taken_out_again"
    )
    (null_hypothesis,) = lazily_from("suites.backends.balance.sample", "null_hypothesis")
    (undeclared_weights,) = lazily_from("suites.backends.balance.scoped", "undeclared_weights")
    suspected, traced = lazily_from("suites.backends.balance.trace", "suspected", "traced")
    embeds, listed = lazily_from("suites.backends.routing.probes", "embeds", "listed")


@check(
    "BACKEND-BAL-001",
    "a balanced alias reaches more than one backend",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    profile="smoke",
    spec="environment: groups.deployments",
)
def test_more_than_one(target: Target, gateway: GatewayClient, group: str) -> None:
    """What other checks were answered counts; then draws until a second backend is seen. Gives up when a
    gateway that draws independently by the declared weights would have shown one with a probability of at
    least 1 - 1e-5, and shows none at twelve later moments either: no deployment cools down at each."""
    null = null_hypothesis(target, group, WitnessResolution.BACKEND)
    shares = {name: share for name, share in null.shares.items() if share > 0}
    if len(shares) < 2:
        (only,) = shares
        others = "alone" if len(null.shares) > 1 else "alone, with all its deployments"
        raise NotApplicable(
            f"{group} is declared to be served by {only} {others}: no second backend can be reached",
            declared="groups.deployments",
        )
    seen: Counter[str] = Counter()
    if not embeds(target, group):
        answer = echoed(target, group)
        seen = target.watch.served(group) or Counter([_server_of(answer)])

    def several() -> bool:
        """Whether a second one was seen, or somebody who must not serve; whoever has a share of zero may
        stand in for those that cool down."""
        return sum(name in shares for name in seen) > 1 or not set(seen) <= {*null.shares}

    with target.notebook.meter.chance(Chance.SECOND_BACKEND):
        while not several() and seen.total() < second_within(shares.values()):
            seen[_server_of(_asked(target, group))] += 1
    later_s = 0.0
    if not several():
        since = time.time() - target.environment.outage.cooldown_s * second_look.SLACK
        try:
            later_s = later_looks(target, seen, lambda: _server_of(_asked(target, group)), several)
        except Inconclusive as reason:
            raise Inconclusive(f"{reason}; {traced(target, group, since).words}") from None
    if "" in seen:
        header = gateway.product.served_by or "(none is declared)"
        raise Untestable(
            f"no witness says which backend served {group}: the header {header} is absent",
            "let the gateway send it, or declare gateway.served_by_header",
        )
    undeclared = sorted(name for name in seen if name not in null.shares)
    if undeclared:
        raise CheckFailed(f"{group} was served by {', '.join(undeclared)}, which is not declared for it")
    if not several():
        _require_no_recurrence(target, group, seen, set(shares) - set(seen), later_s)
        raise CheckFailed(
            f"{group} is not balanced: all {seen.total()} requests, over {later_s:.0f} s, were served by "
            f"{', '.join(seen)}; declared are {', '.join(shares)}"
        )


def _require_no_recurrence(
    target: Target, group: str, seen: Counter[str], missing: set[str], later_s: float
) -> None:
    """Raises Inconclusive where those who are missing at every look may be out all the time."""
    again = taken_out_again(missing, cooling_in(target, group, WitnessResolution.BACKEND))
    if again:
        since = time.time() - later_s - target.environment.outage.cooldown_s * second_look.SLACK
        raise Inconclusive(
            f"a deployment may have been cooling down: all {seen.total()} requests, over {later_s:.0f} s, "
            f"were served by {', '.join(seen)}; {again}; {traced(target, group, since).words}"
        )


def _asked(target: Target, group: str) -> Exchange:
    if embeds(target, group):
        return target.gateway.embeddings(group, ECHO_TEXT)
    return ask_echo(target, group)


def _server_of(answer: Exchange) -> str:
    """Who served it; a request that was not served says nothing of balance."""
    if answer.status != 200:
        raise CheckFailed(f"expected 200 from {answer.url}, got {answer.status}: {answer.text[:300]}")
    return answer.served_by


@check(
    "BACKEND-BAL-002",
    "the deployments of a balanced alias serve in their declared shares",
    level=MUST,
    effect=SPEND,
    claims="FUN-05",
    spec="litellm:simple-shuffle",
    alone=True,
)
def test_shares(
    target: Target,
    gateway: GatewayClient,
    group: str,
    note: Callable[[str, object], None],
    picture: Callable[[str, str], None],
) -> None:
    """One-token requests until the shares are shown to be within the tolerance, or not to be the declared
    ones; inconclusive where neither is shown within ``balance.most_draws``, or where a deployment that was
    cooling down explains it. docs/balance.md."""
    found = judgement(target, group)
    trial = found.trial
    for name, value in account(found, target.environment).items():
        note(name, value)
    note("alpha of a run", spent(ledger(target.environment)))
    note("a whole run", expected(target).words)
    picture("shares", draw_shares(trial))
    picture("evidence", draw_evidence(trial))
    if trial.outcome is SequentialDecision.FAILED:
        words = in_words(found, target.environment)
        if trial.unexpected:
            raise CheckFailed(words, blame="gateway")
        scoped = undeclared_weights(target, group)
        if scoped:
            raise Inconclusive(f"the declared shares are not this key's: {scoped}; {words}")
        second = cooldown.second_sample(target, group, found)
        reason = cooldown.explained(found, second)
        if not reason:
            reason = recurrence(target, group, found, trial.counts, second)
        if reason:
            raise suspected(target, found, second, reason, words)
        raise CheckFailed(f"{words}; {cooldown.in_words(second)}", blame="gateway")
    if trial.outcome is not SequentialDecision.PASSED:
        raise Inconclusive(in_words(found, target.environment))


@check(
    "BACKEND-BAL-010",
    "no answer of a balanced alias comes from a cache",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: groups.deployments: each request draws anew",
    alone=True,
)
def test_no_cache(target: Target, gateway: GatewayClient, group: str) -> None:
    """A premise of all that is said of balance, and a promise to who asks twice: as headers, answers' ids and
    the backends' own counts tell."""
    sample = sample_of(target, group)
    require_answers(sample)
    require(from_a_cache(sample), blame="gateway")
    if not tells_of_caches(sample):
        raise NotApplicable(
            "neither headers, nor ids of answers, nor the backends' counts would tell of a cache",
            declared="backends.counts",
        )


@check(
    "BACKEND-BAL-011",
    "no request of a balanced alias is tried again, or answered by another alias",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: groups.deployments: each request draws once",
    alone=True,
)
def test_not_tried_again(target: Target, gateway: GatewayClient, group: str) -> None:
    """While all is well nothing is to be tried again: each try is another draw, and costs another answer."""
    sample = sample_of(target, group)
    require_answers(sample)
    require(tried_again(sample), blame="gateway")
    if not tells_of_tries(sample):
        raise NotApplicable(
            "neither headers of the gateway nor the backends' counts would tell of another try",
            declared="backends.counts",
        )


@check(
    "BACKEND-BAL-012",
    "behind a balanced alias the gateway has more than one deployment",
    level=MUST,
    effect=READ,
    claims="FUN-05",
    spec="litellm:GET /v1/model/info",
)
def test_several_deployments(target: Target, gateway: GatewayClient, group: str) -> None:
    """Aliases by which routers rename a model (``model_group_alias``), and ``router_settings.model_group``,
    which LiteLLM does not know, balance nothing."""
    entries = [entry for entry in listed(target) if entry.alias == group]
    if not entries:
        raise CheckFailed(
            f"{group} is not balanced: the gateway lists no deployment of that name. An alias balances where "
            "several model_list entries share its model_name; router_settings.model_group has no effect, and "
            "model_group_alias only renames"
        )
    if len(entries) == 1:
        raise CheckFailed(f"{group} is not balanced: it has a single deployment, {entries[0]}")
