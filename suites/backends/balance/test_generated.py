"""BACKEND-BAL: whatever is asked, the same chances. Hypothesis draws the requests."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from gateway_acceptance import subjects
from gateway_acceptance.balance.ledger import PART_OF_GENERATED
from gateway_acceptance.balance.plan import (
    GENERATED_DRAWS,
    design_in,
    generated_draws,
)
from gateway_acceptance.balance.sequential import power_of_ten
from gateway_acceptance.check import SHOULD, SPEND, check
from gateway_acceptance.environment import ModelKind
from gateway_acceptance.plugin.counterexample import SEED_VARIABLE, seed_of_the_run
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.meter import Chance
from suites.backends.balance.evaluation import require_premises
from suites.backends.balance.generated import (
    FAMILY,
    REQUEST,
    Json,
    family,
    order_of,
    smallest,
    smallest_pair,
    weighed,
)
from suites.backends.balance.sample import (
    MOST_UNKNOWN,
    Draw,
    Sample,
    drawn,
    little_evidence,
    null_hypothesis,
)
from suites.backends.balance.witness import CountWitness, who_of, witness_of
from suites.backends.routing.probes import new_mark

SHOWN = 600
"""Characters of a request that a message shows."""


@check(
    "BACKEND-BAL-014",
    "whatever is asked, and however, the same deployments serve with the same chances",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-05",
    spec="environment: groups.strategy",
    alone=True,
)
def test_any_request(
    target: Target, gateway: GatewayClient, group: str, note: Callable[[str, object], None]
) -> None:
    """Ten generated requests, each sent several times in an order of chance: no feature of a request, nor
    the request as a whole, decides who serves it."""
    environment = target.environment
    if environment.group(group).kind is not ModelKind.CHAT:
        raise NotApplicable(
            f"{group} is no chat alias: requests are generated for chat", declared="groups.kind"
        )
    null = null_hypothesis(target, group, witness_of(target))
    if not null.can_be_judged:
        raise NotApplicable(
            f"the witness cannot tell the deployments of {group} apart", declared="balance.witness"
        )
    if not generated_draws(environment.balance.most_draws, len(environment.groups)):
        raise NotApplicable(
            f"generated requests take {GENERATED_DRAWS} draws beyond the sample, balance.most_draws allows "
            f"{environment.balance.most_draws}; what the sample varies is judged (BACKEND-BAL-003 to 009)",
            declared="balance.most_draws",
        )
    requests, sample = _drawn(target, group)
    require_premises(sample, null)
    alpha = design_in(environment, null).alpha * PART_OF_GENERATED
    test = weighed(requests, sample.draws, null, alpha)
    note("requests", len(requests))
    note("draws", len(sample.draws))
    note("largest e-value", power_of_ten(max(test.largest.values())))
    note("fails at an e-value of", power_of_ten(test.threshold))
    found = smallest(test, requests)
    if found is None:
        return
    pair = smallest_pair(found, requests, sample.draws)
    shown = "; ".join(
        f"{json.dumps(requests[number], ensure_ascii=False)[:SHOWN]} was served by {served}"
        for number, served in pair
    )
    raise CheckFailed(
        f"who serves {group} depends on the {found.feature} (e-value "
        f"{power_of_ten(test.log_e(found.feature))}, {len(sample.draws)} draws of {len(requests)} requests, "
        f"alpha {alpha:.2g}); the smallest that show it: {shown} (seed {seed_of_the_run()}, "
        f"{SEED_VARIABLE} sets another)",
        blame="gateway",
    )


def _drawn(target: Target, alias: str) -> tuple[list[Json], Sample]:
    """The family, and the draws of it: made once per run."""
    found: dict[str, Any] = target.once_per_run(f"generated for {alias}", lambda: _draw(target, alias))
    sample = found["sample"]
    subjects.judged(draws=len(sample["draws"]))
    return found["requests"], Sample(**{**sample, "draws": [Draw(**draw) for draw in sample["draws"]]})


def _draw(target: Target, alias: str) -> dict[str, Any]:
    chosen, mark = seed_of_the_run(), new_mark()
    environment = target.environment
    group = environment.group(alias)
    most = generated_draws(environment.balance.most_draws, len(environment.groups))
    requests, who = family(alias, mark, chosen), who_of(target, group)
    counting = CountWitness(target, group, mark)
    draws: list[Draw] = []
    with little_evidence(target), target.notebook.meter.chance(Chance.GENERATED):
        for number in order_of(min(FAMILY, len(requests)), most, chosen):
            draws.append(drawn(target.gateway, requests[number], {REQUEST: str(number)}, who))
            if sum(not draw.served for draw in draws) >= MOST_UNKNOWN:
                break
    sample = Sample(draws, counting.counted(), counting.exact, witness_of(target).value, mark)
    return {"requests": requests, "sample": asdict(sample)}
