"""Requests that try to steer the gateway: another upstream, another configuration, an invented answer.

``api_key`` is never sent beside an address. LiteLLM 1.74.15 takes both together for a complete credential and
adds a deployment that stays for everybody (BerriAI/litellm pull request 5575): that would change the target.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gateway_acceptance.environment import ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.problem import Problem
from gateway_acceptance.verdict import NoAnswer, NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.schema import envelope_broken
from suites.api.embeddings.probes import single
from suites.api.exposure.listener import Elsewhere, elsewhere
from suites.api.extract import answered_by_a_model, embedded
from suites.api.observations import ECHO_PROMPT, ECHO_TOKENS, echoed, room

PATIENCE_S = 2
"""Seconds that a misled gateway is told to wait for the address that we made up."""

OF_A_CALL = re.compile(
    r"connect(ion)?\b.{0,40}\b(error|refused|timed? ?out|failed|attempts)|timed? ?out|unreachable", re.I
)
"""Words of an error that only somebody writes who has tried to connect."""


@dataclass(frozen=True, slots=True)
class Steered:
    """A request with an address in its body. answer: None where none came; arrived: what was seen at that
    address; waited_s: seconds until it was clear that none comes; broke: what ended the wait, in words;
    served_without: whether a model answers the same request without the address."""

    name: str
    answer: Exchange | None
    arrived: tuple[str, ...]
    waited_s: float = 0.0
    broke: str = ""
    served_without: bool = True


def chat_alias(target: Target) -> str:
    """The alias that steering is tried with: one with a single deployment, so that nothing hides in a
    balance."""
    models = [model.alias for model in target.environment.models if model.kind is ModelKind.CHAT]
    aliases = models or target.environment.aliases_of(ModelKind.CHAT)
    if not aliases:
        raise NotApplicable("the environment declares no chat model", declared="models")
    return aliases[0]


def echo_with(target: Target, parameters: Mapping[str, Any]) -> Exchange:
    """The validation prompt with more in the body."""
    alias = chat_alias(target)
    limit = room(target.environment, alias, ECHO_TOKENS)
    return target.gateway.chat(alias, ECHO_PROMPT, temperature=0, max_tokens=limit, **parameters)


def served_plainly(target: Target) -> bool:
    """Whether a model answers the validation prompt with nothing more in the body: what serves nobody calls
    no address either, and makes up no answer."""
    return answered_by_a_model(echoed(target, chat_alias(target)))


def telling(steered: Sequence[Steered]) -> int:
    """How many of them tell what the gateway makes of an address: without it they are served, and with it
    an answer comes, even an internal error. One too many at the moment (429) is not looked at."""
    answers = [one.answer for one in steered if one.served_without and one.answer is not None]
    return sum(answer.status != HTTPStatus.TOO_MANY_REQUESTS for answer in answers)


def addressed(target: Target) -> list[Steered]:
    """Chat and embeddings with ``api_base`` and ``base_url``."""
    return target.once(("exposure", "addressed"), lambda: _addressed(target))


def _addressed(target: Target) -> list[Steered]:
    embedding = target.environment.aliases_of(ModelKind.EMBEDDING)[:1]
    plain = served_plainly(target)
    with elsewhere(target.gateway.url) as place:
        found = [
            _asked(
                target,
                place,
                f"chat with {name}",
                functools.partial(echo_with, target, {name: place.url}),
                plain=plain,
            )
            for name in ("api_base", "base_url")
        ]
        for alias in embedding:
            ask = functools.partial(target.gateway.embeddings, alias, "hello", api_base=place.url)
            plain = embedded(single(target, alias))
            found.append(_asked(target, place, "embeddings with api_base", ask, plain=plain))
    return found


def configured(target: Target) -> Steered:
    """Chat with a router configuration of one's own (LiteLLM's ``user_config``)."""
    plain = served_plainly(target)
    with elsewhere(target.gateway.url) as place:
        upstream = {"model": "openai/anything", "api_base": place.url, "api_key": "none"}
        router = {
            "model_list": [{"model_name": chat_alias(target), "litellm_params": upstream}],
            "num_retries": 0,
            "timeout": PATIENCE_S,
        }
        ask = functools.partial(echo_with, target, {"user_config": router})
        return _asked(target, place, "chat with user_config", ask, plain=plain)


def _asked(
    target: Target, place: Elsewhere, name: str, ask: Callable[[], Exchange], *, plain: bool
) -> Steered:
    try:
        return Steered(name, ask(), tuple(place.taken()), served_without=plain)
    except NoAnswer as failure:
        waited = target.notebook.exchanges[-1].elapsed_s
        return Steered(name, None, tuple(place.taken()), waited, str(failure), served_without=plain)


def followed(seen: Steered) -> list[Problem]:
    """Signs that the gateway called the address: what arrived there, or what only a caller can answer."""
    if seen.arrived:
        return [Problem("", f"{seen.name}: the gateway called it, {seen.arrived[0]} arrived there")]
    if seen.answer is None and seen.waited_s < PATIENCE_S:
        ended = f"no answer came, after {seen.waited_s:.3f} s: {seen.broke}"
        return [Problem("", f"{seen.name}: {ended}; whether the address is called, that does not tell")]
    if seen.answer is None:
        waited = f"within {seen.waited_s:.0f} s"
        return [
            Problem("", f"{seen.name}: no answer came {waited}, as of somebody who waits for that address")
        ]
    words = OF_A_CALL.search(seen.answer.text) if (seen.answer.status or 0) >= 400 else None
    if words:
        return [Problem("", f"{seen.name}: the answer tells of a call, {words[0]!r}")]
    return []


def improper_refusal(name: str, answer: Exchange) -> list[Problem]:
    """A parameter that is not honoured is ignored, or refused with the envelope; nothing else."""
    if answer.status == 200:
        return []
    problems = envelope_broken(answer.status or 0, answer.headers, answer.body)
    if problems and (answer.status or 0) >= 500:
        return [
            Problem("", f"{name}: expected it refused or ignored, got {answer.status}: {answer.text[:200]}")
        ]
    return [Problem(found.rule, f"{name}: {found.message}", found.where) for found in problems]


def all_of(found: Sequence[list[Problem]]) -> list[Problem]:
    """One list of many."""
    return [problem for problems in found for problem in problems]
