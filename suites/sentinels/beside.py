"""Sentinels of what stands beside a question: it changes neither who answers nor what, and calls nobody."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from gateway_acceptance.environment import Environment, ModelKind
from gateway_acceptance.environment.model import BEARER_HEADER
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.plugin.waking import Sentinel
from gateway_acceptance.wire.exchange import Exchange, Headers
from gateway_acceptance.wire.gateway import OWN_KEY
from suites.api.exposure.listener import elsewhere
from suites.api.exposure.parameters import chat_alias
from suites.api.observations import ECHO_PROMPT, ECHO_TOKENS, echoed_twice, room
from suites.api.steering.names import (
    ADDRESS_HEADERS,
    MODEL_HEADERS,
    MODEL_QUERIES,
    PARAMETERS,
)
from suites.api.steering.rules import answer_witness, changed

CHAT = "/v1/chat/completions"
OK, REFUSED, SERVER_ERROR = 200, 400, 500
TOKENS = 3 * ECHO_TOKENS


def steered(target: Target) -> bool:
    """Another model in headers and in the URL, a server in headers, parameters in the URL; the scheme of the
    key in small letters. The answer is that of the plain question, or a refusal, and nobody is called."""
    alias = chat_alias(target)
    plain, _ = echoed_twice(target, alias)
    with elsewhere(target.gateway.url) as place:
        others = other_models(target.environment, alias)
        answer = target.gateway.request(
            "POST",
            f"{CHAT}?{query(others)}",
            json_body=_question(target, alias),
            headers=[*headers(others, place.url), *in_small_letters(target)],
            key=None if in_small_letters(target) else OWN_KEY,
            tokens=_tokens(target, alias),
        )
        called = bool(place.taken())
    same = (
        answer.status == OK
        and answer_witness(answer) == answer_witness(plain)
        and not changed(plain, answer, "it")
    )
    return not called and (same or _refused(answer))


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


def _refused(answer: Exchange) -> bool:
    return answer.status is not None and REFUSED <= answer.status < SERVER_ERROR


STEERING = "suites.api.steering.test_steering"
BESIDE_SENTINELS = (
    Sentinel(
        "a question that is steered",
        "API-ERR-001",
        (STEERING, "suites.api.auth.test_keys:test_scheme_case"),
        steered,
    ),
)
