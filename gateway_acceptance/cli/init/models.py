"""What each model is: chat or embedding, its dimensions, what it can do. Asked in turns, within a budget."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gateway_acceptance.cli.abilities_asked import (
    OBJECT,
    QUESTIONS,
    REASONING_TOKENS,
    AbilityProbe,
    Message,
    message_text,
    thoughts,
)
from gateway_acceptance.cli.init.asker import LONGEST_S, Asker, document_of
from gateway_acceptance.cli.init.found import Alias, Found
from gateway_acceptance.cli.init.witness import examine_named_backends, hear, settle
from gateway_acceptance.environment import Ability, ModelKind
from gateway_acceptance.environment.products import PRODUCTS
from gateway_acceptance.wire.breaker import knows_no_key
from gateway_acceptance.wire.exchange import Exchange

EMBEDS = re.compile(r"(?i)embed|(^|[^a-z])(emb|bge|gte|e5|minilm)([^a-z]|$)")
"""A name that speaks of embeddings."""
UNIT_WITHIN = 1e-3
"""Of the length of a vector: float32 and two decimals of rounding."""
TEXT = "A small harbour town in the north."
MOST_LISTENING = 12
"""Requests that tell a second name of a model from an alias that is balanced."""
KEPT_FOR_CHAT = 2
"""Requests per chat model that embeddings may not use up."""
NO_CHAT = "a chat completion of it"
"""How a remark begins on a model that did not answer one."""
WAITED = f"{NO_CHAT} gave no answer within {LONGEST_S:.0f} s"
HEARD = AbilityProbe(({"role": "user", "content": TEXT},), {}, 1, {})
EXACT, COUNT, INSTRUCTIONS, RECALL, TOOLS, SCHEMA, _ = QUESTIONS
REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)


def examine_models(asker: Asker, found: Found) -> None:
    """Kind and dimensions of each alias, completions, then abilities. Raises Silent."""
    for alias in found.aliases:
        if alias.kind is ModelKind.CHAT and _guess(alias) is ModelKind.EMBEDDING:
            alias.kind = (
                None  # LiteLLM calls all chat of which its price list knows no better: both are asked
            )
    guessed = {alias.name: alias.kind or _guess(alias) for alias in found.aliases}
    embeds = [alias for alias in found.aliases if guessed[alias.name] is ModelKind.EMBEDDING]
    others = [alias for alias in found.aliases if alias not in embeds]
    for alias in embeds:
        if asker.left > KEPT_FOR_CHAT * len(others[:4]):
            _examine_vectors(asker, alias, found)
    for alias in embeds:
        if alias.kind is None and alias.dimensions == 0:
            others.append(alias)  # its name promised otherwise
    refused = _examine_chat(asker, others, found)
    for alias in others:
        unclear = alias.kind is None or alias in refused
        if unclear and not alias.balanced and asker.left > 0 and alias not in embeds:
            _examine_vectors(asker, alias, found)
    _examine_briefly(asker, [alias for alias in refused if WAITED in alias.remarks], found)
    settle(found)
    for alias in found.aliases:
        alias.kind = alias.kind or _of_a_twin(alias, found) or guessed[alias.name]
    found.limited = asker.limited


def _guess(alias: Alias) -> ModelKind:
    names = [alias.name, *(member.upstream for member in alias.members)]
    return ModelKind.EMBEDDING if any(EMBEDS.search(name) for name in names) else ModelKind.CHAT


def _of_a_twin(alias: Alias, found: Found) -> ModelKind | None:
    """The kind of another alias that the same model serves."""
    places = {member.place for member in alias.members if all(member.place)}
    return next((one.kind for one in found.aliases if one.kind and one.member.place in places), None)


def _examine_vectors(asker: Asker, alias: Alias, found: Found) -> None:
    answer = asker.post(
        "/v1/embeddings", {"model": alias.name, "input": TEXT, "encoding_format": "float"}, tokens=0
    )
    _note(answer, found)
    vector = vector_of(document_of(answer))
    if vector:
        alias.kind, alias.dimensions = ModelKind.EMBEDDING, len(vector)
        alias.remarks = [said for said in alias.remarks if not said.startswith(NO_CHAT)]
        alias.unit_norm = abs(math.sqrt(sum(value * value for value in vector)) - 1) <= UNIT_WITHIN
        hear(answer, alias, found)
    elif answer is not None:
        alias.refused.append(answer.status or 0)
        alias.remarks.append(f"one embedding of it was answered with {answer.status} and no vector")


def vector_of(document: Mapping[str, Any]) -> list[float]:
    """The one vector of an answer with embeddings; empty where there is none."""
    data = document.get("data")
    first = data[0] if isinstance(data, list) and data else None
    vector = first.get("embedding") if isinstance(first, Mapping) else None
    if not isinstance(vector, list) or not all(type(value) in (int, float) for value in vector):
        return []
    return [float(value) for value in vector] if all(math.isfinite(value) for value in vector) else []


@dataclass
class _Asked:
    """One chat model while it is measured."""

    alias: Alias
    thinks: bool = False
    schema: str = ""
    done: bool = False


def _examine_chat(asker: Asker, aliases: Sequence[Alias], found: Found) -> list[Alias]:
    """The first question of every model before the second of any; those that did not answer it."""
    asked = [_Asked(alias) for alias in _singles(aliases)]
    for one in asked:
        one.done = not _answers(asker, one, found)
    refused = [one.alias for one in asked if one.done]
    _listen(asker, [one for one in asked if not one.done], found)
    examine_named_backends(asker, found)
    _examine_completions(asker, [one.alias for one in asked if not one.done], found)
    _measure(asker, asked, found)
    return refused


def _measure(asker: Asker, asked: Sequence[_Asked], found: Found) -> None:
    """The questions after the first, in turns."""
    for step in (_count, _recall, _tools, _schema, _same, _exact, _object):
        for one in asked:
            if not one.done:
                step(asker, one, found)


def _examine_briefly(asker: Asker, aliases: Sequence[Alias], found: Found) -> None:
    """Models whose first answer came to no end in time are asked it again with little room: a small model
    talks on, and a slow machine lets it. One that thinks needs the room, and is measured no further."""
    asked = [_Asked(alias) for alias in aliases if alias.kind is not ModelKind.EMBEDDING]
    for one in asked:
        if not asker.answering or asker.left <= 0:
            one.done = True
            continue
        answered = _answers(asker, one, found, brief=True)
        one.done = one.thinks or not answered
        if answered:
            one.alias.remarks.append("with little room it answers, and only so it was measured")
        elif one.alias.remarks[-1] == WAITED:
            one.alias.remarks.pop()  # it stands there already
    _measure(asker, asked, found)


def _singles(aliases: Sequence[Alias]) -> list[Alias]:
    """Each model once: an alias of a model that another one stands for is measured with that."""
    seen: set[tuple[str, str]] = set()
    chosen = []
    for alias in aliases:
        place = alias.member.place
        if (alias.balanced and not alias.alike) or (all(place) and place in seen):
            continue
        seen.add(place)
        chosen.append(alias)
    return chosen


def _answers(asker: Asker, one: _Asked, found: Found, *, brief: bool = False) -> bool:
    """The first question tells whether it is a chat model at all, and whether it thinks. brief: without room
    to think."""
    answer = _ask(asker, one, INSTRUCTIONS, found, first=not brief)
    message = _message(answer, one)
    if message is None:
        if answer is None:
            one.alias.remarks.append(WAITED if asker.left > 0 else "no request was left to ask it")
        else:
            one.alias.refused.append(answer.status or 0)
            one.alias.remarks.append(f"{NO_CHAT} was answered with {answer.status}")
        return False
    other = _named(answer, one.alias, found)
    if other and _guess(one.alias) is ModelKind.EMBEDDING:
        one.alias.remarks.append(f"{NO_CHAT} was answered by {other}")
        return False
    one.alias.answered_as = other
    one.alias.kind, one.alias.abilities = ModelKind.CHAT, set()
    if INSTRUCTIONS.shows[Ability.INSTRUCTIONS](
        message
    ):  # it repeats a text exactly, and where it is told to
        one.alias.abilities |= {Ability.INSTRUCTIONS, Ability.EXACT}
    if one.thinks:
        one.alias.abilities.add(Ability.REASONING)
    return True


def _named(answer: Exchange | None, alias: Alias, found: Found) -> str:
    """The other alias that an answer says it is of, as fallbacks do; empty for none. What has a provider
    before its name is the same by both names."""
    said = str(document_of(answer).get("model") or "")
    if said == alias.name or alias.name.endswith(f"/{said}") or said.endswith(f"/{alias.name}"):
        return ""
    return next((one.name for one in found.aliases if one.name == said), "")


def _listen(asker: Asker, answering: Sequence[_Asked], found: Found) -> None:
    """Two aliases that one model served are two names of it, or one of them is balanced over it and others:
    both are asked again, in turns, until one of them is served by another."""
    most = min(asker.left, MOST_LISTENING)
    while most > 0:
        heard = [(one, next(iter(one.alias.heard))) for one in answering if len(one.alias.heard) == 1]
        names = Counter(place for _, place in heard)
        unclear = [one for one, place in heard if names[place] > 1]
        if not unclear:
            return
        for one in unclear[:most]:
            _ask(asker, one, HEARD, found)
        most -= len(unclear)


def _examine_completions(asker: Asker, answering: Sequence[Alias], found: Found) -> None:
    if not answering or asker.left <= 0:
        return
    body = {"model": answering[0].name, "prompt": TEXT, "max_tokens": 4}
    answer = asker.post("/v1/completions", body, tokens=4)
    if document_of(answer).get("object") == "text_completion":
        found.endpoints.append("completions")


Step = Callable[[Asker, _Asked, Found], None]


def _shown(question: AbilityProbe) -> Step:
    """A step that asks one question, for all that it shows."""

    def step(asker: Asker, one: _Asked, found: Found) -> None:
        if asker.left <= 0:
            one.alias.unasked += list(question.shows)
            return
        message = _message(_ask(asker, one, question, found), one)
        shown = {word for word, shows in question.shows.items() if message is not None and shows(message)}
        assert one.alias.abilities is not None
        one.alias.abilities |= shown

    return step


_count, _recall, _tools = _shown(COUNT), _shown(RECALL), _shown(TOOLS)
_SEEDED = AbilityProbe(SCHEMA.messages, SCHEMA.shows, SCHEMA.tokens, {**SCHEMA.parameters, "seed": 11})


def _schema(asker: Asker, one: _Asked, found: Found) -> None:
    """Who answers as a schema demands answers in JSON."""
    if asker.left <= 0:
        one.alias.unasked += [Ability.JSON_SCHEMA]
        return
    message = _message(_ask(asker, one, _SEEDED, found), one)
    assert one.alias.abilities is not None
    if message is not None and _SEEDED.shows[Ability.JSON_SCHEMA](message):
        one.alias.abilities |= {Ability.JSON_SCHEMA, Ability.JSON_OBJECT}
    one.schema = message_text(message) if message is not None else ""


def _same(asker: Asker, one: _Asked, found: Found) -> None:
    """The same question again, with the same seed at temperature 0."""
    if asker.left <= 0:
        one.alias.unasked.append(Ability.SEED)
        return
    if not one.schema:
        return
    message = _message(_ask(asker, one, _SEEDED, found), one)
    assert one.alias.abilities is not None
    if message is not None and message_text(message) == one.schema:
        one.alias.abilities.add(Ability.SEED)


def _exact(asker: Asker, one: _Asked, found: Found) -> None:
    if one.alias.abilities is not None and Ability.EXACT not in one.alias.abilities:
        _shown(EXACT)(asker, one, found)


def _object(asker: Asker, one: _Asked, found: Found) -> None:
    if one.alias.abilities is not None and Ability.JSON_OBJECT not in one.alias.abilities:
        _shown(OBJECT)(asker, one, found)


def _ask(
    asker: Asker, one: _Asked, question: AbilityProbe, found: Found, *, first: bool = False
) -> Exchange | None:
    tokens = question.tokens + (REASONING_TOKENS if first or one.thinks else 0)
    body = {
        "model": one.alias.name,
        "messages": list(question.messages),
        "temperature": 0,
        "max_tokens": tokens,
        **question.parameters,
    }
    answer = asker.post("/v1/chat/completions", body, tokens=tokens)
    _note(answer, found)
    hear(answer, one.alias, found)
    return answer


def _message(answer: Exchange | None, one: _Asked) -> Message | None:
    """The message of an answer; None where it has none."""
    document = document_of(answer)
    choices = document.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        return None
    one.thinks = one.thinks or thoughts(document, message)
    return message


def _note(answer: Exchange | None, found: Found) -> None:
    """What every answer tells beside what it was asked for: the version, limits, how long it took."""
    if answer is None:
        return
    if found.product == "litellm" and not found.version:
        found.version = answer.header(PRODUCTS["litellm"].version_header or "") or ""
    for name, value in answer.headers:
        if name.lower().startswith("x-ratelimit-limit"):
            found.limits[name.lower()] = value
    if knows_no_key(answer):
        found.refusal = found.refusal or answer
    else:
        found.past_the_key = True
    if answer.status == HTTPStatus.OK:
        found.slowest_s = max(found.slowest_s, answer.elapsed_s)
