"""Sentinels of what stands beside a question: it changes neither who answers nor what, and calls nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from gateway_acceptance.environment import Ability, Environment, ModelKind
from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.verdict import NotApplicable
from gateway_acceptance.wire.exchange import Exchange, Headers
from gateway_acceptance.wire.gateway import OWN_KEY
from suites.api.abilities import declared_able
from suites.api.exposure.listener import elsewhere
from suites.api.exposure.parameters import chat_alias
from suites.api.extract import refused
from suites.api.observations import ECHO_PROMPT, ECHO_TOKENS, echoed, room
from suites.api.steering.names import (
    ADDRESS_HEADERS,
    MODEL_HEADERS,
    MODEL_QUERIES,
    PARAMETERS,
)
from suites.api.steering.rules import answer_witness, changed

CHAT = "/v1/chat/completions"
OK = 200
TOKENS = 3 * ECHO_TOKENS


def steered(target: Target) -> bool:
    """A plain question with what steers beside it. The answer is that of the plain question, or a refusal,
    and nobody is called. Left out where the question for tools carries it (``suites.sentinels.tools``)."""
    return carried_by_tools(target) or steered_plainly(target)


def steered_plainly(target: Target) -> bool:
    """The same, whatever the question for tools carries."""
    alias = chat_alias(target)
    plain = echoed(target, alias)
    answer, called = asked_beside(target, _question(target, alias), _tokens(target, alias))
    return not called and (
        refused(answer) or (same_server(target, answer) and not changed(plain, answer, "it"))
    )


def carried_by_tools(target: Target) -> bool:
    """Whether the model that is asked for tools is the one that steering is tried with."""
    try:
        able = declared_able(target.environment, Ability.TOOLS, Ability.PARALLEL_TOOLS)
    except NotApplicable:
        return False
    return able[0].alias == chat_alias(target)


def asked_beside(target: Target, question: Mapping[str, Any], tokens: int) -> tuple[Exchange, bool]:
    """The answer to a question beside which stand another model in headers and in the URL, a server in
    headers, parameters in the URL; the scheme of the key in small letters. And whether the server was
    called."""
    others = other_models(target.environment, str(question["model"]))
    with elsewhere(target.gateway.url) as place:
        answer = target.gateway.request(
            "POST",
            f"{CHAT}?{query(others)}",
            json_body=question,
            headers=[*headers(others, place.url), *in_small_letters(target)],
            key=None if in_small_letters(target) else OWN_KEY,
            tokens=tokens,
        )
        return answer, bool(place.taken())


def same_server(target: Target, answer: Exchange) -> bool:
    """Whether it says that who answers the plain question gave it."""
    plain = echoed(target, chat_alias(target))
    return answer.status == OK and answer_witness(answer) == answer_witness(plain)


def other_models(environment: Environment, alias: str) -> list[str]:
    """Another chat model than this one, where there is one."""
    chats = [model.alias for model in environment.models if model.kind is ModelKind.CHAT]
    return [other for other in chats if other != alias][-1:]


def query(others: Sequence[str]) -> str:
    """The URL's part: names of another model, and parameters that would show. Servers are named in headers:
    what refuses them in the URL refuses all of it. ``?model=`` is left out: LiteLLM heeds it by itself, and
    would be asked all of it in each smoke."""
    pairs = [(name, other) for name in MODEL_QUERIES if name != "model" for other in others]
    return urlencode([*pairs, *PARAMETERS.items()])


def headers(others: Sequence[str], place: str) -> Headers:
    """Headers that name another model, and a server."""
    pairs = [(name, other) for name in MODEL_HEADERS for other in others]
    return [*pairs, *((name, place) for name in ADDRESS_HEADERS)]


def in_small_letters(target: Target) -> Headers:
    """The key, where it is a bearer token, with the scheme in small letters."""
    if target.environment.gateway.key_header != BEARER_HEADER:
        return []
    return [(BEARER_HEADER, f"bearer {target.key}")]


def _question(target: Target, alias: str) -> dict[str, object]:
    limit = room(target.environment, alias, ECHO_TOKENS)
    messages = [{"role": "user", "content": ECHO_PROMPT}]
    return {"model": alias, "messages": messages, "temperature": 0, "max_tokens": limit}


def _tokens(target: Target, alias: str) -> int:
    return TOKENS + room(target.environment, alias, ECHO_TOKENS)


STEERED = ("suites.api.steering.test_steering", "suites.api.auth.test_keys:test_scheme_case")
BESIDE_SENTINELS = (
    Sentinel(
        "a question that is steered",
        "API-ERR-001",
        STEERED,
        steered,
    ),
)
