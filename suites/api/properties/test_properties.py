"""API-PROP: what holds for any request, valid or made invalid by one mutation; Hypothesis draws them.

The seed is fixed and told by every failure; ``GATEWAY_ACCEPTANCE_SEED`` sets another. A failure shows the
smallest request found that breaks the property, as the one to ask again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from gateway_acceptance.check import MUST, SPEND, Level, check
from gateway_acceptance.environment import Ability, Environment, Model, ModelKind
from gateway_acceptance.plugin.counterexample import ExplorationBudget, explore
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.verdict import CheckFailed, NoAnswer, NotApplicable, NotPermitted, Untestable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.schema import (
    chat_completion_problems,
    embedding_problems,
    error_problems,
    parse_json,
)
from gateway_acceptance.wire.sender import tokens_needed
from gateway_acceptance.wire.stream import read_chat_stream
from gateway_acceptance.wire.vectors import openai_vectors
from suites.api.embeddings.rules import unit
from suites.api.observations import single
from suites.api.properties.offered import not_offered
from suites.api.properties.strategies import (
    CHAT_MUTATIONS,
    CHAT_PATH,
    EMBEDDING_MUTATIONS,
    EMBEDDINGS_PATH,
    MOST_TOKENS,
    Json,
    Mutation,
    encoded,
    mutated,
    valid_chats,
    valid_embeddings,
)

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

VALID = ExplorationBudget(examples=25, seconds=60, enough=5)
"""A nightly run's share: each example costs an answer of a few tokens, and a small model needs a second."""
STREAMED = ExplorationBudget(examples=10, seconds=40, enough=3)
"""Fewer: requests are drawn as for whole answers, only the way back differs."""
INVALID = ExplorationBudget(examples=2, seconds=20, enough=1)
"""For each mutation: its simplest instance, and one at random; some fifty requests for all of them."""

VECTOR_TOLERANCE = 1e-4
"""Between components: vectors pass through JSON, and servers compute in single precision."""

STREAM_ID = "stream.id.same"
"""The rule that LiteLLM 1.106.2 breaks in every stream (LiteLLM issue 38098). It has checks of its own among
API-STREAM; here it would hide everything else."""

Judge = Callable[[Exchange, Json], Sequence[Problem]]


@check(
    "API-PROP-001",
    "any valid chat request is answered, and the answer conforms",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionRequest",
)
def test_valid_chat(
    target: Target, gateway: GatewayClient, environment: Environment, note: Callable[[str, object], None]
) -> None:
    """Unicode of every kind, one to six turns, long texts, every sampling parameter in its range."""
    model = single(environment, ModelKind.CHAT)
    requests = valid_chats(model.alias, system=_heeds_rules(environment, model))
    answered = explore(
        target.notebook,
        requests,
        _asks(gateway, CHAT_PATH, _complete),
        VALID,
        blame=lambda: _blame(target, model),
    )
    note("examples", answered)


@check(
    "API-PROP-002",
    "any valid chat request is streamed as a whole and conforming stream",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:CreateChatCompletionStreamResponse",
)
def test_valid_stream(
    target: Target, gateway: GatewayClient, environment: Environment, note: Callable[[str, object], None]
) -> None:
    """The state machine over the raw bytes, ids excepted (see ``STREAM_ID``)."""
    model = single(environment, ModelKind.CHAT)
    requests = valid_chats(model.alias, system=_heeds_rules(environment, model), stream=True)
    answered = explore(
        target.notebook,
        requests,
        _asks(gateway, CHAT_PATH, _streamed),
        STREAMED,
        blame=lambda: _blame(target, model),
    )
    note("examples", answered)


@check(
    "API-PROP-003",
    "any valid embedding request is answered with one conforming vector for each text",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="openai:CreateEmbeddingRequest",
)
def test_valid_embeddings(
    target: Target, gateway: GatewayClient, environment: Environment, note: Callable[[str, object], None]
) -> None:
    """One text, or up to four in one request, of the same kinds as for chat."""
    model = single(environment, ModelKind.EMBEDDING)

    def vectors(answer: Exchange, request: Json) -> Sequence[Problem]:
        body, problems = parse_json(answer.body)
        texts = request["input"]
        inputs = 1 if isinstance(texts, str) else len(texts)
        return problems or embedding_problems(
            body, inputs=inputs, dimensions=model.dimensions, distinct=False
        )

    answered = explore(
        target.notebook,
        valid_embeddings(model.alias),
        _asks(gateway, EMBEDDINGS_PATH, vectors),
        VALID,
        blame=lambda: _blame(target, model),
    )
    note("examples", answered)


@check(
    "API-PROP-004",
    "any chat request made invalid by one mutation is refused with 4xx and the envelope",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:guides/error-codes 400",
)
@pytest.mark.parametrize("mutation", CHAT_MUTATIONS)
def test_mutated_chat(
    target: Target, gateway: GatewayClient, environment: Environment, mutation: str
) -> None:
    """Broken JSON, a required field missing, a value of the wrong type. A 5xx makes clients try again, and
    a 200 hides the mistake from the one who made it."""
    valid = valid_chats(single(environment, ModelKind.CHAT).alias)
    _explore_invalid(target, gateway, valid, CHAT_MUTATIONS[mutation])


@check(
    "API-PROP-005",
    "any embedding request made invalid by one mutation is refused with 4xx and the envelope",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="openai:guides/error-codes 400",
)
@pytest.mark.parametrize("mutation", EMBEDDING_MUTATIONS)
def test_mutated_embeddings(
    target: Target, gateway: GatewayClient, environment: Environment, mutation: str
) -> None:
    """As for chat."""
    valid = valid_embeddings(single(environment, ModelKind.EMBEDDING).alias)
    _explore_invalid(target, gateway, valid, EMBEDDING_MUTATIONS[mutation])


@check(
    "API-PROP-006",
    "any text reaches the model as it was sent",
    level=MUST,
    effect=SPEND,
    claims="FUN-02",
    spec="RFC 8259 section 8",
)
def test_text_unchanged(
    target: Target, gateway: GatewayClient, environment: Environment, note: Callable[[str, object], None]
) -> None:
    """The vector of a text through the gateway is the vector that the backend itself gives it: whoever
    strips, escapes or normalises on the way changes it. No model's obedience is needed for that."""
    model = single(environment, ModelKind.EMBEDDING)
    backend = target.backend(model.backend)  # not applicable where it is declared closed

    def differs(answer: Exchange, request: Json) -> Sequence[Problem]:
        direct = backend.embedding(model.upstream, request["input"])
        if direct.status != 200:
            raise Untestable(
                f"{model.backend} itself answers {direct.status} to a text: {direct.text[:120]}",
                "fix the backend",
            )
        ours, theirs = openai_vectors(answer.json()), backend.vectors(direct)
        if theirs is None:
            raise Untestable(
                f"{model.backend} itself answers no vectors to a text: {direct.text[:120]}",
                "fix the backend",
            )
        target.notebook.exchanges.append(target.notebook.exchanges.pop(-2))  # the gateway's comes last
        if ours is None:
            return [Problem("vector.missing", f"expected a vector for each text, got {answer.text[:200]}")]
        if len(ours) == len(theirs) and all(map(_same, ours, theirs)):
            return []
        said = json.dumps(request["input"])[:200]
        return [Problem("text.changed", f"{said} has another vector when {model.backend} is asked itself")]

    answered = explore(
        target.notebook,
        valid_embeddings(model.alias),
        _asks(gateway, EMBEDDINGS_PATH, differs),
        STREAMED,
        blame=lambda: "gateway",
    )
    note("examples", answered)


def _heeds_rules(environment: Environment, model: Model) -> bool:
    """Whether the model is declared to know system messages: others may refuse them."""
    return Ability.INSTRUCTIONS in environment.abilities_of(model)


def _same(ours: list[float], theirs: list[float]) -> bool:
    """Whether two vectors have one direction. A gateway may take the backend's vectors before they are
    normalised; whether length one is promised is API-EMB-002."""
    ours, theirs = unit(ours), unit(theirs)
    return len(ours) == len(theirs) and all(
        math.isclose(one, other, abs_tol=VECTOR_TOLERANCE) for one, other in zip(ours, theirs, strict=True)
    )


def _asks(gateway: GatewayClient, path: str, judge: Judge) -> Callable[[Json], Sequence[Problem]]:
    """Ask a valid request: an answer other than 200 is broken, the judge says what else is. Without what a
    gateway says that it does not offer it is asked again."""

    def broken(request: Json) -> Sequence[Problem]:
        answer = _ask(gateway, path, encoded(request))
        while (name := not_offered(answer, request)) is not None:
            request = {key: value for key, value in request.items() if key != name}
            answer = _ask(gateway, path, encoded(request))
        if answer.status != 200:
            seen = f"expected 200 for a valid request, got {answer.status}: {answer.text[:200]}"
            return [Problem("valid.refused", seen)]
        return at_level(judge(answer, request), Level.MUST)

    return broken


def _complete(answer: Exchange, _: Json) -> Sequence[Problem]:
    body, problems = parse_json(answer.body)
    return problems or chat_completion_problems(body)


def _streamed(answer: Exchange, _: Json) -> Sequence[Problem]:
    problems = read_chat_stream(answer.status or 0, answer.headers, answer.chunks).problems
    return [problem for problem in problems if problem.rule != STREAM_ID]


def _explore_invalid(
    target: Target, gateway: GatewayClient, valid: SearchStrategy[Json], mutation: Mutation
) -> None:
    def broken(body: bytes) -> Sequence[Problem]:
        answer = _ask(gateway, mutation.path, body)
        status = answer.status or 0
        if not 400 <= status <= 499:
            seen = "it was served" if status < 400 else answer.text[:120]
            return [Problem("", f"{mutation.name}: expected a refusal with 4xx, got {status}: {seen}")]
        found = at_level(error_problems(status, answer.headers, answer.body), Level.MUST)
        return [Problem("", f"{mutation.name}: {problem}") for problem in found]

    explore(target.notebook, mutated(valid, mutation), broken, INVALID, blame=lambda: "gateway")


def _ask(gateway: GatewayClient, path: str, body: bytes) -> Exchange:
    tokens = tokens_needed(body.decode("utf-8", errors="replace"), MOST_TOKENS)
    return gateway.request(
        "POST", path, body=body, headers=[("content-type", "application/json")], tokens=tokens
    )


def _blame(target: Target, model: Model) -> str:
    """Whether the backend is well: then what was broken is the gateway's."""
    try:
        if model.kind is ModelKind.EMBEDDING:
            answer = target.backend(model.backend).embedding(model.upstream, "hello")
        else:
            answer = target.backend(model.backend).chat(model.upstream, "hello", max_tokens=1)
    except NoAnswer as failure:
        return f"backend: {failure}"
    except (CheckFailed, NotApplicable, NotPermitted, Untestable):
        return ""
    return "gateway" if answer.status == 200 else f"backend: {model.backend} itself answers {answer.status}"
