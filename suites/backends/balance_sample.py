"""One sample of draws per balanced alias: bounded, made once per run, judged by several checks.

Requests go out one after the other. What must not matter is chosen by chance for each of them, so that no
pattern of ours can look like one of the gateway's.
"""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway_acceptance.balance.dependence import Dependence
from gateway_acceptance.balance.null import NoSharesError, Null, UndefinedNullError, null_of
from gateway_acceptance.balance.plan import design_of
from gateway_acceptance.balance.sequential import Outcome, Trial
from gateway_acceptance.environment import ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, Inconclusive, NotApplicable, Untestable
from gateway_acceptance.wire.backend import BackendClient
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.sender import Sender
from suites.backends.witnesses import MARK, counting, new_mark

TEXTS = ("hello", "Zoë grüßt 東京 🎈", "def f(x):\n    return x", "1 + 1", "{}", "the quick brown fox " * 8)
"""What is asked; the last is a long one. Six, so that each comes often enough to be told from chance."""
LONG = 100
"""Characters from which a text counts as long."""
USERS = ("user-a", "user-b", "user-c")
CONNECTIONS = 3
"""Kept open and used by turns of chance."""
ENOUGH = 150
"""Draws after which dependence is not looked for further, where the shares are judged already: nine in
ten gateways that follow a pattern in every second request have shown it by then (docs/balance.md)."""
ANSWER_TOKENS = 1
"""Who serves does not depend on how long the answer is."""
FEATURES = ("content", "length", "user", "connection", "streaming", "temperature")
"""What must not matter, by the names that findings use."""
OF_EMBEDDINGS = ("content", "length", "connection")


@dataclass(frozen=True, slots=True)
class Draw:
    """One answered request. served_by: by the witness, empty where nobody says; between: what stood between
    it and its draw, in words; id: of the answer."""

    served_by: str
    features: Mapping[str, str]
    between: tuple[str, ...] = ()
    id: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """seed: of what was asked; witness: in words; counted: what the backends counted of it, None where they
    do not count exactly."""

    seed: int
    witness: str
    draws: tuple[Draw, ...]
    counted: Mapping[str, int] | None = None


@dataclass
class Judged:
    """A sample against its null hypothesis."""

    sample: Sample
    trial: Trial
    dependence: Dependence
    problems: list[str] = field(default_factory=list)


def sampled(target: Target, alias: str) -> Judged:
    """The one sample of an alias, judged.

    Raises NotApplicable where nothing is promised or can be told apart, Untestable without a witness that can
    be believed, Inconclusive where it is not known what is promised, CheckFailed where one is not answered.
    """
    null = promised(target, alias)
    if not null.can_be_judged:
        raise NotApplicable(f"all deployments of {alias} stand on one backend: no witness tells them apart")
    document = target.shared(f"balance of {alias}", lambda: asdict(_draw(target, alias, null)))
    draws = tuple(Draw(**{**one, "between": tuple(one["between"])}) for one in document["draws"])
    sample = Sample(document["seed"], document["witness"], draws, document["counted"])
    _require_witness(target, sample)
    judged = begun(target, alias, null, sample)
    for draw in sample.draws:
        observe(judged, draw)
    judged.problems = between(sample)
    return judged


def promised(target: Target, alias: str) -> Null:
    """The null hypothesis by backend. Raises NotApplicable for a strategy that promises no shares,
    Inconclusive where it is not known what is promised."""
    environment = target.environment
    version = target.preflight().version or environment.gateway.version
    try:
        return null_of(environment.group(alias), environment.gateway, version)
    except NoSharesError as reason:
        raise NotApplicable(str(reason)) from None
    except UndefinedNullError as problem:
        raise Inconclusive(str(problem)) from None


def begun(target: Target, alias: str, null: Null, sample: Sample) -> Judged:
    """Both tests before the first draw; alpha is for both of them and all groups of the environment."""
    environment = target.environment
    design = design_of(null, environment.balance, len(environment.groups))
    features = features_of(target, alias)
    return Judged(sample, Trial(null, design), Dependence(null, design.alpha, features))


def features_of(target: Target, alias: str) -> tuple[str, ...]:
    """What is varied in requests to an alias."""
    embeds = alias in target.environment.aliases_of(ModelKind.EMBEDDING)
    return OF_EMBEDDINGS if embeds else FEATURES


def observe(judged: Judged, draw: Draw) -> bool:
    """One more draw; whether more are wanted. The test of the shares ends at its outcome; that of dependence
    goes on, for most patterns take longer to show."""
    trial, dependence = judged.trial, judged.dependence
    if trial.outcome is None:
        trial.observe(draw.served_by)
    dependence.observe(draw.served_by, draw.features)
    if trial.outcome is Outcome.FAILED or dependence.pattern is not None:
        return False
    return trial.outcome is None or len(dependence.history) < ENOUGH


def between(sample: Sample) -> list[str]:
    """What stood between requests and their draws, each kind once, with how often."""
    found = Counter(word for draw in sample.draws for word in draw.between)
    ids = Counter(draw.id for draw in sample.draws if draw.id)
    again = sum(times - 1 for times in ids.values())
    problems = [f"{times} of {len(sample.draws)} answers {word}" for word, times in sorted(found.items())]
    if again:
        problems.append(f"{again} of {len(sample.draws)} answers have the id of an earlier one: a cache")
    if sample.counted is not None:
        own = sum(sample.counted.values())
        if own > len(sample.draws):
            problems.append(f"the backends counted {own} requests of {len(sample.draws)}: hidden retries")
        elif own < len(sample.draws):
            problems.append(f"the backends counted {own} requests of {len(sample.draws)}: a cache, or others")
    return problems


def _require_witness(target: Target, sample: Sample) -> None:
    silent = sum(1 for draw in sample.draws if not draw.served_by)
    if silent:
        header = target.gateway.product.served_by or "(none is declared)"
        raise Untestable(
            f"no witness says which backend served {silent} of {len(sample.draws)} requests (header: "
            f"{header})",
            "let the gateway send it, declare gateway.served_by_header, or declare counts of every backend",
        )
    said = Counter(draw.served_by for draw in sample.draws)
    counted = sample.counted or {}
    lies = [name for name, own in counted.items() if said[name] > own]
    if lies and sum(counted.values()) == len(sample.draws):
        named = ", ".join(f"{name} {said[name]} times, it counted {counted[name]}" for name in lies)
        raise Untestable(
            f"the witnesses disagree: the header names {named}", "see BACKEND-WITNESS-001: one of them lies"
        )


def _draw(target: Target, alias: str, null: Null) -> Sample:
    """Draws until both tests have an outcome, or there were enough."""
    seed = secrets.randbits(32)
    chance, mark = random.Random(seed), new_mark()  # noqa: S311  (not for secrets)
    clients = [BackendClient(backend, target.sender) for backend in counting(target.environment)]
    exact = bool(clients) and len(clients) == len(target.environment.backends)
    exact = exact and all(MARK in (client.backend.counts or "") for client in clients)
    header = target.gateway.product.served_by
    witness = f"the header {header}" if header else "the backends' own counts" if exact else "none"
    judged = begun(target, alias, null, Sample(seed, witness, ()))
    draws: list[Draw] = []
    counted: dict[str, int] = {}
    connections = [target.new_sender() for _ in range(CONNECTIONS)]
    try:
        for _ in range(judged.trial.design.most_draws):
            chosen = _chosen(chance, features_of(target, alias))
            answer = _ask(target, alias, mark, chosen, connections)
            served = answer.served_by
            if not header and exact:
                served, counted = _grown(counted, _counted(clients, mark))
            draw = Draw(served, chosen, _between(target, answer), _id_of(answer))
            draws.append(draw)
            if not served or not observe(judged, draw):
                break
    finally:
        for sender in connections:
            sender.close()
    return Sample(seed, witness, tuple(draws), _counted(clients, mark) if exact else None)


def _chosen(chance: random.Random, features: tuple[str, ...]) -> dict[str, str]:
    text = chance.randrange(len(TEXTS))
    chosen = {
        "content": str(text),
        "length": "long" if len(TEXTS[text]) >= LONG else "short",
        "user": chance.choice(USERS),
        "connection": str(chance.randrange(CONNECTIONS)),
        "streaming": chance.choice(("streamed", "whole")),
        "temperature": chance.choice(("0", "1")),
    }
    return {name: chosen[name] for name in features}


def _ask(
    target: Target, alias: str, mark: str, chosen: Mapping[str, str], connections: list[Sender]
) -> Exchange:
    """The mark is the same in all of a sample: equal texts are equal requests, to a cache and to a hash."""
    client = GatewayClient(target.environment, target.key, connections[int(chosen["connection"])])
    text = f"{TEXTS[int(chosen['content'])]} [{mark}]"
    if "streaming" in chosen:
        more: dict[str, Any] = {"stream": True} if chosen["streaming"] == "streamed" else {}
        more |= {"user": chosen["user"], "temperature": int(chosen["temperature"])}
        answer = client.chat(alias, text, max_tokens=ANSWER_TOKENS, **more)
    else:
        answer = client.embeddings(alias, text)
    if answer.status != 200:
        raise CheckFailed(f"expected 200 for {alias}, got {answer.status}: {answer.text[:300]}")
    return answer


def _counted(clients: list[BackendClient], mark: str) -> dict[str, int]:
    return {client.backend.name: sum(client.counts(mark).values()) for client in clients}


def _grown(before: Mapping[str, int], after: dict[str, int]) -> tuple[str, dict[str, int]]:
    """(whose count grew, the counts after); nobody's where it grew nowhere."""
    return next((name for name, count in after.items() if count > before.get(name, 0)), ""), after


def _between(target: Target, answer: Exchange) -> tuple[str, ...]:
    product = target.gateway.product
    found = []
    for header, words in (
        (product.retries, "were tried again"),
        (product.fallbacks, "fell back to another alias"),
    ):
        value = answer.header(header) if header else None
        if value not in (None, "", "0"):
            found.append(f"{words} ({header})")
    if product.cached and answer.header(product.cached) is not None:
        found.append(f"came from a cache ({product.cached})")
    return tuple(found)


def _id_of(answer: Exchange) -> str:
    """The answer's id, of a stream that of its first chunk; embeddings have none."""
    text = answer.text
    start = text.find('"id"')
    if start < 0:
        return ""
    _, _, rest = text[start + 4 :].partition('"')
    return rest.partition('"')[0]
