"""What models are declared to be able to do, and which of them a question goes to."""

from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway_acceptance.environment import ASSUMED, MEANS, Ability, Environment, load_environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import NotApplicable, Untestable
from gateway_acceptance.wire.reasoning import spent_on_reasoning
from suites.api.abilities import able_alias, declared_able
from suites.api.observations import REASONING_TOKENS, room

GATEWAY = """
name = "mini"
kind = "staging"
gateway = { url = "http://127.0.0.1:4000", key_variable = "KEY" }
policy = { effects = ["read"], requests = 1, tokens = 1, seconds = 1 }
"""
BACKENDS = """
[[backends]]
name = "one"
url = "http://127.0.0.1:1"
[[backends]]
name = "two"
url = "http://127.0.0.1:2"
direct = false
"""


def loaded(folder: Path, models: str) -> Environment:
    path = folder / "mini.toml"
    path.write_text(GATEWAY + BACKENDS + models, encoding="utf-8")
    return load_environment(str(path), folder, {})


def model(alias: str, backend: str = "one", more: str = "") -> str:
    own = f'alias = "{alias}"\nkind = "chat"\nbackend = "{backend}"\nupstream = "{alias}:1b"'
    return f"[[models]]\n{own}\n{more}\n"


def target_of(environment: Environment) -> Target:
    return cast(Target, SimpleNamespace(environment=environment))


def test_an_unknown_word_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem) as refused:
        loaded(tmp_path, model("a", more='abilities = ["exact", "paralel_tools"]'))
    (sentence,) = refused.value.sentences
    assert "models[1] (a).abilities[2]" in sentence
    assert "'paralel_tools', did you mean 'parallel_tools'?" in sentence
    assert all(word in sentence for word in Ability)


def test_an_embedding_model_has_none(tmp_path: Path) -> None:
    embedding = (
        '[[models]]\nalias = "e"\nkind = "embedding"\nbackend = "one"\nupstream = "e"\ndimensions = 3\n'
        'abilities = ["exact"]'
    )
    with pytest.raises(UsageProblem, match="abilities belong to a chat model"):
        loaded(tmp_path, embedding)


def test_what_is_not_declared_is_assumed(tmp_path: Path) -> None:
    environment = loaded(tmp_path, model("a"))
    assert environment.abilities_of(environment.model("a")) == ASSUMED
    assert set(MEANS) - ASSUMED == {Ability.REASONING, Ability.VISION, Ability.LOGPROBS}


def test_a_member_of_a_group_is_the_same_model(tmp_path: Path) -> None:
    group = (
        '[[groups]]\nalias = "g"\ndeployments = [{ backend = "one", upstream = "a:1b" }, '
        '{ backend = "two", upstream = "b:1b", abilities = ["exact", "reasoning"] }]'
    )
    environment = loaded(tmp_path, model("a", more='abilities = ["exact", "count"]') + group)
    assert environment.can("g", Ability.EXACT)
    assert not environment.can("g", Ability.COUNT)
    assert environment.thinks("g")
    assert not environment.thinks("a")
    assert not environment.thinks("nobody")


def test_a_model_that_thinks_is_given_room(tmp_path: Path) -> None:
    environment = loaded(tmp_path, model("a", more='abilities = ["reasoning"]') + model("b"))
    assert [room(environment, alias, 16) for alias in ("a", "b")] == [16 + REASONING_TOKENS, 16]


def asked(
    environment: Environment, *, direct: Collection[str] = (), plain: Collection[str] = ()
) -> tuple[list[str], Any]:
    """The controls that were asked, and the alias or the verdict."""
    log: list[str] = []

    def control(how: str, able: Collection[str]) -> Any:
        def shows(model: Any) -> bool:
            log.append(f"{how} {model.alias}")
            return model.alias in able

        return shows

    try:
        found: Any = able_alias(
            target_of(environment),
            (Ability.TOOLS,),
            "calls a tool",
            directly=control("directly", direct),
            plainly=control("plainly", plain),
        )
    except (NotApplicable, Untestable) as verdict:
        found = verdict
    return log, found


def test_only_who_declares_it_is_asked(tmp_path: Path) -> None:
    models = model("a", more='abilities = ["exact"]') + model("b", more='abilities = ["tools"]')
    assert asked(loaded(tmp_path, models), direct={"b"}) == (["directly b"], "b")


def test_who_may_be_asked_directly_is_asked_first(tmp_path: Path) -> None:
    environment = loaded(tmp_path, model("closed", "two") + model("open"))
    assert asked(environment, direct={"open"}, plain={"closed"}) == (["directly open"], "open")
    assert asked(environment, plain={"closed"}) == (["directly open", "plainly closed"], "closed")


def test_not_declared_is_not_applicable(tmp_path: Path) -> None:
    models = model("a", more='abilities = ["exact"]') + model("b", more="abilities = []")
    log, verdict = asked(loaded(tmp_path, models))
    assert log == []
    assert isinstance(verdict, NotApplicable)
    assert verdict.declared == "models.abilities"
    assert str(verdict) == "a, b do not declare tools (models.abilities)"


def test_declared_and_not_shown_is_the_models(tmp_path: Path) -> None:
    _, verdict = asked(loaded(tmp_path, model("a", more='abilities = ["tools"]')))
    assert isinstance(verdict, Untestable)
    assert "model: no model calls a tool when its backend is asked directly: a, declared to be able" in (
        verdict.missing
    )
    assert "gateway-acceptance abilities --env mini" in verdict.provide


def test_without_a_chat_model_of_its_own(tmp_path: Path) -> None:
    group = (
        '[[groups]]\nalias = "g"\ndeployments = [{ backend = "one", upstream = "a" }, '
        '{ backend = "two", upstream = "a" }]'
    )
    with pytest.raises(NotApplicable, match="no chat model with a single deployment"):
        declared_able(loaded(tmp_path, group), Ability.EXACT)


def counted(tokens: int) -> object:
    return {"completion_tokens_details": {"reasoning_tokens": tokens}}


THOUGHT = {"role": "assistant", "content": "", "reasoning_content": "Okay, the user"}


@pytest.mark.parametrize(
    ("text", "finish", "message", "usage", "told"),
    [
        ("", "length", THOUGHT, None, "after the reasoning 'Okay, the user'"),
        (None, "length", {"reasoning": "Hm"}, None, "after the reasoning 'Hm'"),
        (
            "",
            "length",
            {},
            {"completion_tokens_details": {"reasoning_tokens": 16}},
            "after 16 tokens of reas",
        ),
        ("", "length", {}, {"completion_tokens_details": {"reasoning_tokens": 0}}, ""),
        ("", "length", {"content": ""}, None, ""),
        ("", "stop", THOUGHT, None, ""),
        ("HX", "length", THOUGHT, None, ""),
    ],
)
def test_a_limit_spent_on_reasoning(
    text: object, finish: str, message: object, usage: object, told: str
) -> None:
    said = spent_on_reasoning(text, finish, [message], usage)
    assert told in said
    assert bool(said) == bool(told)
