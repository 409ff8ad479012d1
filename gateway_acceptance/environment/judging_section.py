"""What is promised, how it is judged, and how much a run may do: ``[bounds]``, ``[balance]``, ``[outage]``,
``[advisories]``, ``[tracker]``, ``[policy]``, and ``[embedded]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gateway_acceptance.check import Effect
from gateway_acceptance.environment.table import Name, Table


class Bounds(Table):
    """What the deployment promises of time and load. Seconds, and requests at once."""

    health_s: Annotated[float, Field(gt=0)] = 2.0
    first_token_s: Annotated[float, Field(gt=0)] = 30.0
    answer_s: Annotated[float, Field(gt=0)] = 60.0
    concurrency: Annotated[int, Field(gt=0, le=64)] = 8


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


LONGEST_PROOF_H = 2208.0
"""Hours of 92 days, a quarter: what was proven before says nothing of the deployment of today."""


class Tracker(Table):
    """What the tracker may still say of earlier runs. fresh_h: hours that a proof counts; an older one is
    stale, and its claim not verified."""

    fresh_h: Annotated[float, Field(gt=0, le=LONGEST_PROOF_H)] = 168.0


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
