"""Each declared ability is asked of every alias, once."""

from __future__ import annotations

import os
from pathlib import Path

from gateway_acceptance.environment import Ability, load_environment
from suites.api.chat.every_alias import QUESTIONS, models_behind, questions_for

LOCAL = load_environment("local", Path(__file__).parents[2], os.environ)


def asked(alias: str) -> set[Ability]:
    return {question.ability for question in questions_for(LOCAL, alias)}


def test_what_includes_another_ability_is_asked_alone() -> None:
    assert asked("llm01-llama3.2-3b") == {
        Ability.COUNT,
        Ability.INSTRUCTIONS,
        Ability.RECALL,
        Ability.JSON_SCHEMA,
        Ability.PARALLEL_TOOLS,
    }


def test_a_model_is_not_asked_for_what_it_does_not_declare() -> None:
    assert asked("llm02-phi3") == asked("llm01-llama3.2-3b") - {Ability.PARALLEL_TOOLS}


def test_a_group_is_asked_for_what_all_of_its_models_declare() -> None:
    assert asked("hx-chat") == asked("llm02-phi3")
    assert [model.alias for model in models_behind(LOCAL, "hx-chat")] == [
        "llm01-llama3.2-3b",
        "llm02-phi3",
        "llm02-gemma2-2b",
    ]


def test_every_ability_that_shows_in_one_answer_has_a_question() -> None:
    elsewhere = {Ability.EXACT, Ability.SEED}
    unasked = {Ability.REASONING, Ability.VISION, Ability.LOGPROBS}
    assert {question.ability for question in QUESTIONS} == set(Ability) - elsewhere - unasked
