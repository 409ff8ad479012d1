"""Chat that names one model in its body, and something else beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from gateway_acceptance.environment import Model, ModelKind
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NoAnswer, NotApplicable, Untestable
from gateway_acceptance.wire.exchange import Exchange, Headers
from suites.api.exposure.listener import elsewhere
from suites.api.exposure.parameters import Steered
from suites.api.extract import answered_by_a_model
from suites.api.observations import ECHO_PROMPT, ECHO_TOKENS, echoed, room
from suites.api.steering.names import ADDRESS_HEADERS, ADDRESS_QUERIES
from suites.api.steering.rules import AnswerWitness, Pair, answer_witness

CHAT = "/v1/chat/completions"
MOST_TRIED = 8
"""Other models that are asked for one whose answers differ: each costs a request."""


def asked(
    target: Target, model: str, *, path: str = CHAT, query: str = "", headers: Headers = ()
) -> Exchange:
    """The validation prompt to a model, with something beside the body."""
    body = {
        "model": model,
        "messages": [{"role": "user", "content": ECHO_PROMPT}],
        "temperature": 0,
        "max_tokens": room(target.environment, model, ECHO_TOKENS),
    }
    return target.gateway.request(
        "POST",
        path + (f"?{query}" if query else ""),
        json_body=body,
        headers=headers,
        tokens=2 * ECHO_TOKENS + room(target.environment, model, ECHO_TOKENS),
    )


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """A request, and its answer."""

    what: str
    answer: Exchange


def pair(target: Target) -> Pair:
    """Two models whose answers tell which of them served, and how. Raises NotApplicable where fewer than two
    chat models are declared that are not balanced, or all are one, Untestable where no witness tells any from
    the first."""
    return target.once(("steering", "pair"), lambda: _pair(target))


def _pair(target: Target) -> Pair:
    models = [model for model in target.environment.models if model.kind is ModelKind.CHAT]
    if len({model.alias for model in models}) < 2:
        raise NotApplicable("the environment declares no two chat models to choose from", declared="models")
    first = models[0]
    others = [model for model in models[1:] if model.alias != first.alias and not _one_model(model, first)]
    if not others:
        raise NotApplicable("every alias of chat is the same model, as declared", declared="models.upstream")
    others.sort(key=lambda model: model.backend == first.backend)
    of_first = _witness(target, first.alias)
    for other in others[:MOST_TRIED]:
        found = Pair(first.alias, other.alias, of_first, _witness(target, other.alias))
        if found.distinguishable:
            return found
    raise Untestable(
        "nothing in the answers tells which of two models served",
        "let the gateway name the backend in a header, and declare it: gateway.served_by_header; where all "
        "are names of one model, declare that: models.backend, models.upstream",
    )


def _one_model(one: Model, other: Model) -> bool:
    """Whether two aliases are declared to be the same model: then there is none to be chosen."""
    place = (one.backend, one.upstream)
    return all(place) and place == (other.backend, other.upstream)


def _witness(target: Target, alias: str) -> AnswerWitness:
    answer = asked(target, alias)
    if not answered_by_a_model(answer):
        seen = f"got {answer.status}: {answer.text[:200]}"
        raise CheckFailed(f"expected a model's answer from {answer.url}, {seen}")
    return answer_witness(answer)


def by_queries(target: Target, names: Sequence[str], value: str) -> list[AnsweredRequest]:
    """One request for each name in the URL."""
    first = pair(target).first
    return [
        AnsweredRequest(f"?{name}=", asked(target, first, query=urlencode({name: value}))) for name in names
    ]


def by_headers(target: Target, names: Sequence[str], value: str) -> list[AnsweredRequest]:
    """One request with all headers; where it is led elsewhere, or is not served for one of them, one for
    each."""
    known = pair(target)
    together = asked(target, known.first, headers=[(name, value) for name in names])
    if together.status == 200 and not known.led(together):
        return [AnsweredRequest("headers that name another model", together)]
    return [
        AnsweredRequest(f"{name}:", asked(target, known.first, headers=[(name, value)])) for name in names
    ]


def addressed_beside(target: Target) -> list[Steered]:
    """Chat with an address in headers, and in the URL."""
    alias = target.environment.aliases_of(ModelKind.CHAT)[:1]
    if not alias:
        raise NotApplicable("the environment declares no chat model", declared="models")
    found = []
    plain = answered_by_a_model(echoed(target, alias[0]))
    with elsewhere(target.gateway.url) as place:
        headers = [(name, place.url) for name in ADDRESS_HEADERS]
        query = urlencode(dict.fromkeys(ADDRESS_QUERIES, place.url))
        for what, given, said in (("headers", headers, ""), ("the URL", [], query)):
            try:
                answer: Exchange | None = asked(target, alias[0], headers=given, query=said)
            except NoAnswer:
                answer = None
            name = f"chat with an address in {what}"
            found.append(Steered(name, answer, tuple(place.taken()), served_without=plain))
    return found
