"""Blame is located: where a case failed, the question goes straight to the backend, and status, time and body
of both answers are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest

from gateway_acceptance.environment import Environment, ServedModel
from gateway_acceptance.plugin.outcome import Outcome
from gateway_acceptance.plugin.parametrise import environment_of, parameters_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.verdict import CheckFailed, NotApplicable, NotPermitted, Untestable
from gateway_acceptance.wire.backends import BackendClient, Offer
from gateway_acceptance.wire.comparison import (
    BACKEND,
    EITHER,
    TIMED_OUT,
    Asked,
    by_status,
    by_text,
    by_time,
    gave_up,
    is_late,
)
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.strict_json import parse_json

BLAME_TOKENS, MOST_TOKENS = 32, 256
"""Tokens that a question asked again may bring: where it named no limit, and at most."""
AGAIN = 2
"""So often more a backend is asked where the gateway was refused for asking too often: one question alone is
not too often."""


def located(outcome: Outcome, item: pytest.Item, state: WorkerState) -> Outcome:
    """The same outcome, with the blame located where the case concerns an alias.

    Where the check itself blames the gateway, only what is evidence without its words is asked about: an
    answer that was refused or late, for a backend's own refusal or delay is no gateway's."""
    environment = state.environment(environment_of(item))
    return located_by(outcome, list(state.notebook.exchanges), parameters_of(item), environment, state)


def located_by(
    outcome: Outcome,
    exchanges: Sequence[Exchange],
    parameters: Mapping[str, str],
    environment: Environment,
    state: WorkerState,
) -> Outcome:
    """As ``located``, by the exchanges that a finding rests on. parameters: of its case."""
    target = state.targets.get(environment.name)
    if target is None or outcome.blame not in ("", "gateway"):
        return outcome
    before = list(state.notebook.exchanges)
    asked = [exchange for exchange in exchanges if exchange.request_body]
    refused = [one for one in asked if _refused(one.status)]
    wrong = [one for one in asked if one.status != HTTPStatus.OK]
    late = sorted((one for one in asked if is_late(one, environment.bounds)), key=lambda one: one.elapsed_s)
    if outcome.blame and not (refused or late):
        return outcome
    last = (refused or late or wrong or asked)[-1] if asked else None
    alias = _alias(parameters, last)
    if alias not in environment.aliases:
        return outcome
    try:
        blame = _blame(target, environment, alias, last, asked)
    finally:
        state.notebook.exchanges[:] = before  # the evidence is what the check saw
    if outcome.blame and not blame.startswith(BACKEND):
        return outcome
    return replace(outcome, blame=blame)


def _refused(status: int | None) -> bool:
    return status is None or status >= HTTPStatus.TOO_MANY_REQUESTS or status in TIMED_OUT


def _alias(parameters: Mapping[str, str], last: Exchange | None) -> str:
    """The alias that a case concerns: by its parameters, or else by what it asked for."""
    for name in ("chat_model", "embedding_model", "group"):
        if name in parameters:
            return parameters[name]
    return str(_request(last).get("model", ""))


def _blame(
    target: Target, environment: Environment, alias: str, last: Exchange | None, asked: Sequence[Exchange]
) -> str:
    """The first sentence that blames a backend, else that of a deployment which says the same by itself: it
    may be the one that served. Else what all of them leave to say."""
    deployments = environment.deployments_of(alias)
    if last is not None and last.served_by:
        deployments = [d for d in deployments if d.backend == last.served_by] or deployments
    said = []
    for served in deployments:
        try:
            shown = served if served.declared else _shown(target, alias, [*asked, *filter(None, [last])])
            sentence = _compared(target, shown, last)
        except NotPermitted:
            return ""
        except (NotApplicable, Untestable):
            continue
        if sentence.startswith(BACKEND):
            return sentence
        said.append(sentence)
    alike = [sentence for sentence in said if sentence.startswith(EITHER)]
    return "; ".join(dict.fromkeys(alike or said))


def _shown(target: Target, alias: str, asked: Sequence[Exchange]) -> ServedModel:
    """What stands behind an alias where the environment does not say so and an answer does: the declared
    backend that its header names, and what that holds under the name that the answer has for the model, or
    the alias's own. Raises NotApplicable where nothing tells."""
    names = {backend.name for backend in target.environment.backends}
    answers = [one for one in asked if one.served_by in names and _request(one).get("model") == alias]
    for answer in reversed(answers):
        client = target.backend(answer.served_by)
        try:
            held = client.models()
        except CheckFailed:  # the backend's own fault, which is told where it is asked
            return ServedModel(backend=answer.served_by, upstream=alias)
        for name in (_named(answer), alias):
            if name and client.name_of(name) in held:
                return ServedModel(backend=answer.served_by, upstream=name)
    raise NotApplicable("what serves the model is not declared", declared="models.backend")


def _named(answer: Exchange) -> str:
    """How an answer names its model; empty where it does not."""
    body = parse_json(answer.body)[0]
    return str(body.get("model") or "") if isinstance(body, dict) else ""


def _compared(target: Target, served: ServedModel, last: Exchange | None) -> str:
    """Who is to blame by one backend's own answer, and what decided."""
    client = target.backend(served.backend)
    try:
        if client.name_of(served.upstream) not in client.models():
            return f"{BACKEND}: {served.backend} does not hold {served.upstream}"
        asked = _asked(client, served, last)
        if last is None or asked is None:
            return f"gateway: {served.backend} is reachable and holds {served.upstream}"
        decided = by_status(last, asked)
        if last.status == HTTPStatus.TOO_MANY_REQUESTS:
            for _ in range(AGAIN):
                decided = decided if decided.startswith(BACKEND) else _again(client, served, last)
        bounds = target.environment.bounds
        if decided.startswith(BACKEND) or (decided and not gave_up(last, bounds)):
            return decided
        if decided or is_late(last, bounds):
            timed = _by_time(target, client, served, last, asked)
            return timed if timed.startswith(BACKEND) or not decided else decided
        return by_text(_text_through(last), asked)
    except CheckFailed as failure:
        return f"{BACKEND}: {failure}"


def _again(client: BackendClient, served: ServedModel, last: Exchange) -> str:
    asked = _asked(client, served, last)
    return by_status(last, asked) if asked is not None else ""


def _by_time(target: Target, client: BackendClient, served: ServedModel, last: Exchange, asked: Asked) -> str:
    """By the time of the answer; where that was quick, once more after another model of the same backend,
    which may have room for one at a time."""
    decided = by_time(last, asked)
    others = [one for one in target.environment.upstreams_on(served.backend) if one != served.upstream]
    if decided.startswith(BACKEND) or not others or Offer.LOADING not in client.offers:
        return decided
    client.load(others[0])
    after = _asked(client, served, last)
    again = by_time(last, after, f", asked after {others[0]}") if after is not None else ""
    return again if again.startswith(BACKEND) else decided


def _asked(client: BackendClient, served: ServedModel, last: Exchange | None) -> Asked | None:
    """The question asked of the backend itself; None where it is none that a backend can be asked. Raises
    CheckFailed where a success holds no answer."""
    name, body = served.backend, _request(last)
    texts = body.get("input")
    if isinstance(texts, list) and texts and isinstance(texts[0], str):
        texts = texts[0]
    if isinstance(texts, str):
        return Asked(name, client.embedding(served.upstream, texts))
    prompt = _prompt(body)
    if prompt is None:
        return None
    wanted = body.get("max_tokens", body.get("max_completion_tokens"))
    tokens = min(wanted, MOST_TOKENS) if isinstance(wanted, int) and wanted > 0 else BLAME_TOKENS
    answer = client.chat(served.upstream, prompt, max_tokens=tokens)
    if answer.status != HTTPStatus.OK:
        return Asked(name, answer)
    said = client.read(answer).text
    if said is None:
        raise CheckFailed(f"{name} itself answers 200 without a message: {answer.text[:160]}")
    return Asked(name, answer, said)


def _request(last: Exchange | None) -> Mapping[str, Any]:
    body = parse_json(last.request_body)[0] if last is not None else {}
    return body if isinstance(body, dict) else {}


def _prompt(body: Mapping[str, Any]) -> str | None:
    """The last user message of a chat request."""
    try:
        content = body["messages"][-1]["content"]
    except (KeyError, TypeError, IndexError):
        return None
    return content if isinstance(content, str) else None


def _text_through(last: Exchange) -> str | None:
    """The text that came through the gateway; None where that is not to be seen (a stream, an error)."""
    try:
        body: Any = parse_json(last.body)[0]
        content = body["choices"][0]["message"]["content"]
    except (KeyError, TypeError, IndexError):
        return None
    return content if isinstance(content, str) else None
