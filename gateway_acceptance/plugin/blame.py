"""Blame is located: where a case failed, the question goes straight to the backend."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest

from gateway_acceptance.environment import Environment, Served
from gateway_acceptance.plugin.outcome import Outcome
from gateway_acceptance.plugin.parametrise import environment_of, parameters_of
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.worker import WorkerState
from gateway_acceptance.verdict import CheckFailed, NotApplicable, NotPermitted, Untestable
from gateway_acceptance.wire.backend import full_name
from gateway_acceptance.wire.exchange import Exchange

BLAME_TOKENS = 32
"""Tokens that a question asked again may bring."""


def located(outcome: Outcome, item: pytest.Item, state: WorkerState) -> Outcome:
    """The same outcome, with the blame located where the case concerns an alias and was not yet blamed."""
    environment = state.environment(environment_of(item))
    target = state.targets.get(environment.name)
    if outcome.blame or target is None:
        return outcome
    exchanges = list(state.notebook.exchanges)
    asked = [exchange for exchange in exchanges if exchange.request_body]
    refused = [exchange for exchange in asked if exchange.status != HTTPStatus.OK]
    last = (refused or asked)[-1] if asked else None
    alias = _alias(parameters_of(item), last)
    if alias not in environment.aliases:
        return outcome
    try:
        blame = _blame(target, environment, alias, last)
    finally:
        state.notebook.exchanges[:] = exchanges  # the evidence is what the check saw
    return replace(outcome, blame=blame)


def _alias(parameters: Mapping[str, str], last: Exchange | None) -> str:
    """The alias that a case concerns: by its parameters, or else by what it asked for."""
    for name in ("chat_model", "embedding_model", "group"):
        if name in parameters:
            return parameters[name]
    try:
        return str(json.loads(last.request_body)["model"]) if last is not None else ""
    except (ValueError, KeyError, TypeError):
        return ""


def _blame(target: Target, environment: Environment, alias: str, last: Exchange | None) -> str:
    deployments = environment.deployments_of(alias)
    if last is not None and last.served_by:
        deployments = [d for d in deployments if d.backend == last.served_by] or deployments
    healthy = []
    for served in deployments:
        try:
            finding, word = _asked_directly(target, served, last)
        except NotPermitted:
            return ""
        except (NotApplicable, Untestable):
            continue
        if finding:
            return f"backend: {finding}"
        healthy.append(word)
    return f"gateway: {'; '.join(dict.fromkeys(healthy))}" if healthy else ""


def _asked_directly(target: Target, served: Served, last: Exchange | None) -> tuple[str, str]:
    """(what is wrong with the backend, or empty; what it answered, where it is well)."""
    client = target.backend(served.backend)
    try:
        if full_name(served.upstream) not in client.models():
            return f"{served.backend} does not hold {served.upstream}", ""
        prompt = _prompt(last)
        if prompt is None:
            return "", f"{served.backend} is reachable and holds {served.upstream}"
        answer = client.chat(served.upstream, prompt, max_tokens=BLAME_TOKENS)
        if answer.status != 200:
            return f"{served.backend} itself answers {answer.status}: {answer.text[:160]}", ""
        content = str(answer.json()["message"]["content"])
    except CheckFailed as failure:
        return str(failure), ""
    except (KeyError, TypeError):
        return f"{served.backend} itself answers 200 without a message: {answer.text[:160]}", ""
    return "", f"{served.backend} itself answers the same question with {content[:80]!r}"


def _prompt(last: Exchange | None) -> str | None:
    """The last user message of a chat request."""
    if last is None:
        return None
    try:
        messages: Any = json.loads(last.request_body)["messages"]
        content = messages[-1]["content"]
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return content if isinstance(content, str) else None
