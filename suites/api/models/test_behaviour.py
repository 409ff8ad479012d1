"""API-MODELS: that a listed model is there: retrieved, served, and listed again."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

from gateway_acceptance.check import MUST, READ, SHOULD, SPEND, Level, check
from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.verdict import CheckFailed, NotApplicable, Untestable, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import CREATED_TOLERANCE_S, error_problems, problems_of
from gateway_acceptance.wire.subject import is_subject
from suites.api.models.listing import asked_now
from suites.api.observations import ECHO_PROMPT, listed_models

RETRIEVE = "openai:retrieveModel"
RETRIEVED = "API-MODELS-003"
"""The check that a model is retrieved at all; others say what is told of it."""
UNKNOWN = "no-such-model-retrieved"


@check(
    "API-MODELS-003",
    "every declared model can be retrieved",
    level=MUST,
    effect=READ,
    claims="FUN-03",
    spec=RETRIEVE,
)
def test_retrieve(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Frameworks ask for the one model that they are configured with before they use it (LiteLLM #13128)."""
    problems = []
    for alias in environment.listed or environment.aliases:
        answer = _retrieved(target, alias)
        body = answer.json()
        if answer.status != 200 or not isinstance(body, dict) or body.get("id") != alias:
            problems.append(_not_retrieved(alias, answer))
    require(problems, blame="gateway")


@check(
    "API-MODELS-004",
    "a retrieved model has the documented shape",
    level=MUST,
    effect=READ,
    claims="FUN-03",
    spec="openai:Model",
)
def test_retrieved_shape(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """A strict client reads id, object, created and owned_by."""
    body = _retrieved_model(target, environment)
    require(at_level(problems_of(body, "model"), Level.MUST), blame="gateway")


@check(
    "API-MODELS-005",
    "a retrieved model is the one that is listed",
    level=SHOULD,
    effect=READ,
    claims="FUN-03",
    spec="openai:Model",
)
def test_retrieved_is_listed(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """One model, told in two places: same creation, same owner. Who does not know when it was created says
    the time of asking (vLLM, llama-server), in both places."""
    alias = _first(environment)
    body, there = _retrieved_model(target, environment), _listed(target)
    listed = [entry for entry in _entries(there) if entry.get("id") == alias]
    if not listed:
        raise CheckFailed(f"expected {alias!r} to be listed", blame="gateway")
    fields = {name: body.get(name) for name in ("created", "owned_by")}
    expected = {name: listed[0].get(name) for name in ("created", "owned_by")}
    if asked_now(fields["created"], _retrieved(target, alias)) and asked_now(expected["created"], there):
        fields["created"] = expected["created"]
    if fields != expected:
        raise CheckFailed(f"expected {expected}, as listed, got {fields}", blame="gateway")


@check(
    "API-MODELS-006",
    "retrieving a model that does not exist is 404",
    level=MUST,
    effect=READ,
    claims="FUN-03",
    spec=RETRIEVE,
)
def test_retrieve_unknown(target: Target, gateway: GatewayClient) -> None:
    """Whoever asks wants to know whether it is there."""
    answer = _retrieved(target, UNKNOWN)
    if answer.status != 404:
        raise CheckFailed(f"expected 404, got {answer.status}: {answer.text[:200]}", blame="gateway")


@check(
    "API-MODELS-007",
    "retrieving a model that does not exist is told in the error envelope",
    level=MUST,
    effect=READ,
    claims="FUN-03",
    spec="openai:ErrorResponse",
)
def test_retrieve_unknown_envelope(target: Target, gateway: GatewayClient) -> None:
    """Clients show error.message; another form leaves them with nothing to show."""
    answer = _retrieved(target, UNKNOWN)
    problems = at_level(error_problems(answer.status or 0, answer.headers, answer.body), Level.MUST)
    seen = f"; got {answer.text[:100]}"
    require([replace(found, message=found.message + seen) for found in problems], blame="gateway")


@check(
    "API-MODELS-008",
    "every listed chat model answers",
    level=MUST,
    effect=SPEND,
    claims="FUN-03",
    spec="openai:Model.id can be referenced in the API endpoints",
)
def test_chat_servable(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """Some lists are mere configuration. One token each; what nobody declared may serve either endpoint, and
    what is declared to be judged by nobody (images, speech) neither."""
    embeds = environment.aliases_of(ModelKind.EMBEDDING)
    listed = [alias for alias in _ids(_listed(target)) if not environment.unjudged(alias)]
    aliases = [alias for alias in listed if alias not in embeds]
    if not environment.aliases_of(ModelKind.CHAT) and not aliases:
        raise NotApplicable("the environment declares no chat model, and none is listed", declared="models")
    _require_served(target, aliases, embeds=False)


@check(
    "API-MODELS-009",
    "every listed embedding model embeds",
    level=MUST,
    effect=SPEND,
    claims=("FUN-03", "FUN-02"),
    spec="openai:Model.id can be referenced in the API endpoints",
)
def test_embedding_servable(target: Target, gateway: GatewayClient, environment: Environment) -> None:
    """As with chat models: one word each."""
    embeds = environment.aliases_of(ModelKind.EMBEDDING)
    if not embeds:
        raise NotApplicable("the environment declares no embedding model", declared="models")
    _require_served(target, [alias for alias in _ids(_listed(target)) if alias in embeds], embeds=True)


@check(
    "API-MODELS-010",
    "two lists in a row hold the same models",
    level=MUST,
    effect=READ,
    claims="FUN-03",
    spec="openai:listModels",
)
def test_list_stable(target: Target, gateway: GatewayClient) -> None:
    """In any order. A list that depends on who is asked behind the gateway hides models at random."""
    first, second = set(_ids(_listed(target))), set(_ids(gateway.models()))
    if first != second:
        changed = ", ".join(sorted(first ^ second))
        raise CheckFailed(f"expected the same models twice, only one list has: {changed}", blame="gateway")


@check(
    "API-MODELS-011",
    "a model was created in the past, in Unix seconds",
    level=SHOULD,
    effect=READ,
    claims="FUN-03",
    spec="openai:Model.created",
)
def test_created(target: Target, gateway: GatewayClient) -> None:
    """A constant, or 0, is allowed: gateways do not know better. Milliseconds are not."""
    latest = time.time() + CREATED_TOLERANCE_S
    wrong = {
        str(entry.get("id")): entry.get("created")
        for entry in _entries(_listed(target))
        if isinstance(entry.get("created"), bool)
        or not isinstance(entry.get("created"), int)
        or not 0 <= entry["created"] <= latest
    }
    if wrong:
        raise CheckFailed(f"expected Unix seconds from 0 to {latest:.0f}, got {wrong}", blame="gateway")


def _listed(target: Target) -> Exchange:
    return listed_models(target)


def _entries(answer: Exchange) -> list[dict[str, Any]]:
    body = answer.json()
    data = body.get("data") if isinstance(body, dict) else None
    entries = [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []
    if answer.status != 200 or not entries:
        raise CheckFailed(f"expected 200 and a list of models, got {answer.status}: {answer.text[:200]}")
    return entries


def _ids(answer: Exchange) -> list[str]:
    return [str(entry.get("id")) for entry in _entries(answer)]


def _retrieved(target: Target, model: str) -> Exchange:
    path = f"/v1/models/{quote(model, safe='')}"
    return target.once(("retrieved", model), lambda: target.gateway.get(path))


def _first(environment: Environment) -> str:
    """The first that is listed: a hidden one may be told of, or not."""
    return (environment.listed or environment.aliases)[0]


def _not_retrieved(alias: str, answer: Exchange) -> Problem:
    seen = f"{answer.status}: {answer.text[:100]}"
    return Problem("models.retrieve", f"expected 200 and the model {alias!r}, got {seen}")


def _retrieved_model(target: Target, environment: Environment) -> dict[str, Any]:
    """What the first declared model is told to be. Raises Untestable where none is retrieved."""
    first = _first(environment)
    answer = _retrieved(target, first)
    if answer.status != 200:
        saw = _not_retrieved(first, answer)
        raise Untestable(f"retrieving a model gives {answer.status}", root=RETRIEVED, saw=str(saw))
    body = answer.json()
    if not isinstance(body, dict):
        raise CheckFailed(f"expected a model, got {answer.text[:100]}", blame="gateway")
    return body


def _require_served(target: Target, aliases: Sequence[str], *, embeds: bool) -> None:
    if not aliases:
        raise Untestable("no such model is listed", "see API-MODELS-001")
    problems = []
    for alias in aliases:
        answer = target.once(("servable", alias), partial(_used, target, alias, embeds))
        if not _serves(answer):
            seen = f"{answer.status}: {answer.text[:160]}"
            problems.append(Problem("models.servable", f"{alias} is listed, and using it gives {seen}"))
    require(problems)


def _used(target: Target, alias: str, embeds: bool) -> Exchange:
    if embeds:
        return target.gateway.embeddings(alias, "word")
    answer = target.gateway.chat(alias, ECHO_PROMPT, temperature=0, max_tokens=1)
    if _serves(answer) or alias in target.environment.aliases:
        return answer
    return target.gateway.embeddings(alias, "word")


def _serves(answer: Exchange) -> bool:
    if answer.status != 200 or not is_subject(answer):
        return False
    body = answer.json()
    entries = (body.get("choices") or body.get("data")) if isinstance(body, dict) else None
    first = entries[0] if isinstance(entries, list) and entries else None
    if not isinstance(first, dict):
        return False
    return isinstance(first.get("message"), dict) or bool(first.get("embedding"))
