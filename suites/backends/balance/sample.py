"""A sample of a balanced group: drawn once per run, judged by several checks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway_acceptance import subjects
from gateway_acceptance.balance.expected_shares import (
    ExpectedShares,
    NoSharesError,
    UndefinedSharesError,
    WitnessResolution,
    null_of,
)
from gateway_acceptance.balance.plan import design_in
from gateway_acceptance.balance.second_look import LONGEST_S, SLACK, spread_of
from gateway_acceptance.balance.sequential import Trial
from gateway_acceptance.environment import ModelKind
from gateway_acceptance.plugin.counterexample import seed_of_the_run
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import Inconclusive, NoAnswer, NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.meter import Chance
from gateway_acceptance.wire.sender import tokens_needed
from suites.backends.balance.probes import (
    CONNECTIONS,
    PARAMETER,
    STREAM,
    BalanceQuestion,
    Features,
    rounds,
)
from suites.backends.balance.witness import CountWitness, Who, who_of, witness_of
from suites.backends.routing.probes import new_mark

MOST_UNKNOWN = 3
"""Requests without an answer, or of which nobody says who served them, after which no more are sent: nothing
can be judged by then."""
KEPT = 2
"""Exchanges at each end of a sample that stay as evidence; hundreds would make a record nobody opens."""
RETRIES, FALLBACKS = "x-litellm-attempted-retries", "x-litellm-attempted-fallbacks"
CACHE_HEADERS = {"x-litellm-cache-key": "", "x-cache": "hit", "cf-cache-status": "hit"}
"""Headers that tell of a cache, and the word in them that does; empty: any."""
UNIQUE_ID = 20
"""Characters of an answer's id that is not there twice by chance; those of Ollama itself are shorter, and
are."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One request and who served it. served: in the words of the null hypothesis, empty where nobody says;
    refused: why there was no answer, or empty; id: of the answer, empty where it tells nothing; cached: the
    header that says so; contradiction: between two headers of the gateway; at: sent, in Unix seconds;
    tells_tries: whether a header says how often it was tried."""

    features: Features
    served: str = ""
    contradiction: str = ""
    refused: str = ""
    retries: int = 0
    fallbacks: int = 0
    cached: str = ""
    id: str = ""
    at: float = 0.0
    tells_tries: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """draws: in the order of sending; counted: requests by identity as the backends counted them, None where
    they do not; exact: they counted these requests alone."""

    draws: Sequence[Draw]
    counted: dict[str, int] | None = None
    exact: bool = False
    witness: str = WitnessResolution.BACKEND.value
    mark: str = field(default="", compare=False)


def null_hypothesis(target: Target, alias: str, witness: WitnessResolution) -> ExpectedShares:
    """What the declaration promises. Raises NotApplicable for a strategy that promises no shares,
    Inconclusive where it is not known what is promised."""
    environment = target.environment
    version = target.preflight().version or environment.gateway.version
    try:
        return null_of(environment.group(alias), environment.gateway, version, witness)
    except NoSharesError as reason:
        raise NotApplicable(str(reason), declared="groups.strategy") from None
    except UndefinedSharesError as problem:
        raise Inconclusive(str(problem)) from None


def sampled(target: Target, alias: str, null: ExpectedShares) -> Sample:
    """The sample of a group: drawn by whoever asks first, the same for all workers of the run."""
    found = target.once_per_run(f"sample of {alias}", lambda: asdict(_drawn(target, alias, null)))
    subjects.judged(draws=len(found["draws"]))
    return Sample(**{**found, "draws": [Draw(**draw) for draw in found["draws"]]})


def _drawn(target: Target, alias: str, null: ExpectedShares) -> Sample:
    """Draws until the shares are decided and independence had its least number, or there are enough."""
    environment = target.environment
    balance, group = environment.balance, environment.group(alias)
    trial = Trial(null, design_in(environment, null))
    least, most = trial.design.paid, balance.most_draws
    let_own_failures_pass(target, alias)
    mark, who = new_mark(), who_of(target, group)
    counting = CountWitness(target, group, mark)
    draws: list[Draw] = []
    with _clients(target) as (kept, crowd), little_evidence(target), ThreadPoolExecutor() as pool:

        def ask(asked: BalanceQuestion) -> Draw:
            gateway = kept[asked.connection] if asked.connection is not None else crowd
            if group.kind is ModelKind.EMBEDDING:
                features = asked.features | {PARAMETER: None, STREAM: None}
                return drawn(gateway, asked.embedding_body(alias, mark), features, who, agent=asked.client)
            return drawn(gateway, asked.body(alias, mark), asked.features, who, agent=asked.client)

        spread_s = spread_of(
            environment.outage.cooldown_s, environment.policy.seconds, len(environment.groups)
        )
        with target.notebook.meter.chance(Chance.SAMPLE):
            for batch in paced(rounds(seed_of_the_run()), least, spread_s):
                made = list(pool.map(ask, batch[: most - len(draws)])) if len(batch) > 1 else [ask(batch[0])]
                draws += made
                for draw in made:
                    if draw.served:
                        trial.observe(draw.served)
                unknown = sum(not draw.served for draw in draws)
                decided = trial.outcome is not None and len(draws) >= least
                if decided or len(draws) >= most or unknown >= MOST_UNKNOWN:
                    break
        counted = counting.counted()
    return Sample(draws, counted, counting.exact, witness_of(target).value, mark)


def paced(
    batches: Iterable[list[BalanceQuestion]], draws: int, spread_s: float
) -> Iterator[list[BalanceQuestion]]:
    """The batches, of which so many draws begin evenly within these seconds; those after them at once."""
    begun, sent = time.monotonic(), 0
    for batch in batches:
        pause(begun + spread_s * min(sent, draws) / draws - time.monotonic())
        yield batch
        sent += len(batch)


def let_own_failures_pass(target: Target, alias: str) -> None:
    """Wait until whoever failed a request of this run itself must be back."""
    failed = target.failures.of(alias)
    cooldown_s = target.environment.outage.cooldown_s * SLACK
    if failed and cooldown_s <= LONGEST_S:
        pause(failed[-1].at + cooldown_s - time.time())


def pause(seconds: float) -> None:
    """Let time pass between draws, as the plan of the sample says; an interrupt ends it."""
    if seconds > 0:
        threading.Event().wait(seconds)


def drawn(
    gateway: GatewayClient, body: dict[str, Any], features: Features, who: Who, *, agent: str = ""
) -> Draw:
    """One request, and what its answer says of itself. Raises NotPermitted."""
    headers = [("user-agent", agent)] if agent else []
    path = "/v1/embeddings" if "input" in body else "/v1/chat/completions"
    try:
        answer = gateway.request("POST", path, json_body=body, headers=headers, tokens=_tokens(body))
    except NoAnswer as failure:
        return Draw(features, refused=str(failure))
    if answer.status != 200:
        return Draw(features, refused=f"got {answer.status}: {answer.text[:200]}")
    served, contradiction = who(answer)
    return Draw(
        features,
        served,
        contradiction,
        retries=_number(answer, RETRIES),
        fallbacks=_number(answer, FALLBACKS),
        cached=_cached(answer),
        id=_id(answer),
        at=answer.sent_at,
        tells_tries=answer.header(RETRIES) is not None,
    )


def _tokens(body: dict[str, Any]) -> int:
    return tokens_needed(json.dumps(body), int(body.get("max_tokens", 0)))


def _number(answer: Exchange, header: str) -> int:
    value = answer.header(header) or ""
    return int(value) if value.isdecimal() else 0


def _cached(answer: Exchange) -> str:
    for name, word in CACHE_HEADERS.items():
        value = answer.header(name)
        if value and word in value.lower():
            return f"{name}: {value}"
    return ""


def _id(answer: Exchange) -> str:
    """The id of a completion, or of the first event of a stream."""
    text = answer.text.lstrip().removeprefix("data:").lstrip()
    start = text.find('"id"')
    value = text[start:].split('"')[3] if start >= 0 and text[start:].count('"') >= 4 else ""
    return value if len(value) >= UNIQUE_ID else ""


@contextmanager
def _clients(target: Target) -> Iterator[tuple[dict[str, GatewayClient], GatewayClient]]:
    """One client for each connection that is kept, and one for requests at the same time."""
    with ExitStack() as stack:

        def client() -> GatewayClient:
            sender = target.sender.another()
            stack.callback(sender.close)
            return GatewayClient(target.environment, target.key, sender)

        yield {name: client() for name in CONNECTIONS}, client()


@contextmanager
def little_evidence(target: Target) -> Iterator[None]:
    """Of what is sent within, only the ends stay in the notebook."""
    before = len(target.notebook.exchanges)
    try:
        yield
    finally:
        made = target.notebook.exchanges[before:]
        if len(made) > 2 * KEPT:
            target.notebook.exchanges[before:] = [*made[:KEPT], *made[-KEPT:]]
