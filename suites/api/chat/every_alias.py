"""What is declared of an alias's models, asked of that alias itself: one question for each ability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gateway_acceptance.environment import Ability, Environment, Model
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.exchange import Exchange
from suites.api.chat import probes as chat
from suites.api.chat.formats import JSON_MODE, OBJECT_FORM, SCHEMA, SCHEMA_FORM
from suites.api.chat.probes import ChatProbe
from suites.api.extract import first_text, refused_honestly
from suites.api.tools import probes as tools
from suites.api.tools.probes import ToolProbe


@dataclass(frozen=True, slots=True)
class Question:
    """ability: that it shows; does: what a model that has it does, in words. asks: sends it to an alias;
    shown: whether the answer shows it, or is an honest refusal; control: whether the model shows it past
    the gateway, or in plain words where its backend may not be asked."""

    ability: Ability
    does: str
    asks: Callable[[Target, str], Exchange]
    shown: Callable[[Exchange], bool]
    control: Callable[[Target, Model], bool] = field(repr=False)


def _of_chat(question: ChatProbe, **parameters: Any) -> Question:
    def control(target: Target, model: Model) -> bool:
        if target.environment.backend(model.backend).direct:
            return question.able(chat.directly(target, model, question))
        return chat.plainly(target, model, question)

    def shown(answer: Exchange) -> bool:
        return (bool(parameters) and refused_honestly(answer)) or question.able(first_text(answer))

    return Question(
        question.needs[0],
        question.does,
        lambda target, alias: chat.asked(target, alias, question, **parameters),
        shown,
        control,
    )


def _of_tools(question: ToolProbe) -> Question:
    def control(target: Target, model: Model) -> bool:
        if target.environment.backend(model.backend).direct:
            return tools.shows_directly(target, model, question)
        return tools.writes_calls(target, model)

    def shown(answer: Exchange) -> bool:
        turn = tools.turn_of(answer)
        return question.able(turn.called(), turn.text)

    return Question(question.needs[0], question.does, partial(tools.asked, question=question), shown, control)


QUESTIONS = (
    _of_chat(chat.COUNT),
    _of_chat(chat.SYSTEM),
    _of_chat(chat.TURNS),
    _of_chat(JSON_MODE, response_format=OBJECT_FORM),
    _of_chat(SCHEMA, response_format=SCHEMA_FORM),
    _of_tools(tools.ONE),
    _of_tools(tools.TWO),
)
"""Exact texts and seeds are asked of every alias by API-CHAT-002."""
INCLUDED = {Ability.JSON_OBJECT: Ability.JSON_SCHEMA, Ability.TOOLS: Ability.PARALLEL_TOOLS}
"""Who keeps to a schema answers in JSON, and who calls two tools calls one: not asked apart."""


def questions_for(environment: Environment, alias: str) -> list[Question]:
    """One for each ability that all of the alias's models are declared to have. Raises KeyError."""
    return [
        question
        for question in QUESTIONS
        if environment.can(alias, question.ability)
        and not (question.ability in INCLUDED and environment.can(alias, INCLUDED[question.ability]))
    ]


def models_behind(environment: Environment, alias: str) -> list[Model]:
    """The models of an alias's deployments, as far as they have an alias of their own."""
    places = {(one.backend, one.upstream) for one in environment.deployments_of(alias)}
    return [model for model in environment.models if (model.backend, model.upstream) in places]
