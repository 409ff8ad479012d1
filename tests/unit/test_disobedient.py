"""A model that is not declared to obey, behind a gateway that tells nothing of it: what can still be judged,
and what is not the gateway's."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_acceptance.environment import Environment
from gateway_acceptance.verdict import NotApplicable
from suites.api.chat.concurrency import mixed_up_at_once
from suites.api.chat.probes import may_be_asked
from tests.unit.declared import environment

ONE, OTHER = "HX-amber-01", "HX-cedar-02"
ALIAS = "chat-one"
SENTENCE = "The harbour is quiet tonight."


class Asked:
    """What ``may_be_asked`` needs of a target."""

    def __init__(self, declared: Environment) -> None:
        self.environment = declared


def declared(*abilities: str, **model: Any) -> Environment:
    chat = {"alias": ALIAS, "kind": "chat", "abilities": list(abilities), **model}
    return environment(models=[chat], backends=model.pop("backends", []), groups=[])


def test_one_sentence_for_everybody_is_nobodys_answer() -> None:
    with pytest.raises(NotApplicable, match="not declared to repeat a text"):
        mixed_up_at_once(declared(), ALIAS, {ONE: SENTENCE, OTHER: SENTENCE})


def test_the_answer_of_another_is_one_whatever_is_declared() -> None:
    crossed = {ONE: f"You want {OTHER}", OTHER: SENTENCE}
    assert mixed_up_at_once(declared(), ALIAS, crossed) == [f"who asked for {ONE} got {OTHER}"]


def test_who_is_declared_to_repeat_must() -> None:
    answers = {ONE: SENTENCE, OTHER: OTHER}
    assert mixed_up_at_once(declared("exact"), ALIAS, answers) == [f"who asked for {ONE} got {SENTENCE!r}"]
    assert mixed_up_at_once(declared(), ALIAS, answers) == []


def test_what_never_varies_is_the_gateways_only_beside_its_backend() -> None:
    with pytest.raises(NotApplicable, match="nothing behind the gateway may be asked"):
        may_be_asked(Asked(declared("seed")), ALIAS)  # type: ignore[arg-type]
    may_be_asked(Asked(environment()), ALIAS)  # type: ignore[arg-type]
