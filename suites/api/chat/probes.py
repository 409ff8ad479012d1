"""What the chat checks ask, and which models can answer it when their backends are asked directly."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from gateway_acceptance.environment import Ability, Model
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.backends import DirectAnswer, DirectChat
from gateway_acceptance.wire.exchange import Exchange
from suites.api import abilities
from suites.api.abilities import Shows
from suites.api.extract import Json, first_text, numbers_in, same_text
from suites.api.observations import COUNT_PROMPT, COUNT_TO, COUNT_TOKENS, ECHO_TEXT, room

WORDS = 1200
"""Of a long prompt that any window holds: Ollama's smallest default is 2048 tokens."""
CODE_WORD = "heron4821"
NAME = "Wilhelmina"


def user(text: str) -> Json:
    """A message of the user."""
    return {"role": "user", "content": text}


def echo(text: str) -> list[Json]:
    """The validation prompt with another text."""
    return [user(f"Return exactly the text: {text}")]


def with_code_word(words: int) -> list[Json]:
    """A prompt of about so many words: the code word comes first, and is asked for last."""
    filler = " ".join(["The tide is out and the boats lie still."] * (words // 9))
    return [user(f"The code word is {CODE_WORD}\n{filler}\nWhat is the code word?")]


@dataclass(frozen=True, slots=True)
class ChatProbe:
    """messages: in OpenAI's form; able: whether the model's own text is an answer; tokens: its limit.

    does: what a model that is able does, in words; needs: the abilities that it takes. form: that the answer
    must keep where the backend itself is asked, as of ``DirectChat``. plain, plainly: the same in one message
    without any form, and whether a text answers that; by default the question itself.
    """

    name: str
    does: str
    messages: Sequence[Json]
    able: Callable[[str], bool]
    tokens: int = 32
    form: Literal["json"] | Json | None = None
    needs: tuple[Ability, ...] = (Ability.EXACT,)
    plain: Sequence[Json] | None = None
    plainly: Callable[[str], bool] | None = None


def counts(text: str) -> bool:
    """Whether a text counts to COUNT_TO."""
    return numbers_in(text) == list(range(1, COUNT_TO + 1))


def says(word: str) -> Callable[[str], bool]:
    """Whether a text holds this word."""
    return lambda text: word in text


def repeats(name: str, text: str, tokens: int = 96) -> ChatProbe:
    """The question for a text to be repeated."""
    return ChatProbe(
        f"echo {name}",
        f"repeats {name}",
        echo(text),
        lambda said: same_text(said, text),
        tokens,
        plain=echo(ECHO_TEXT),
        plainly=lambda said: same_text(said, ECHO_TEXT),
    )


COUNT = ChatProbe(
    "count",
    f"counts to {COUNT_TO}",
    [user(COUNT_PROMPT)],
    counts,
    COUNT_TOKENS,
    needs=(Ability.COUNT,),
)
SYSTEM_WORD = "HX-SYSTEM"
SYSTEM = ChatProbe(
    "system",
    "heeds a system message",
    [{"role": "system", "content": f"Always answer with exactly: {SYSTEM_WORD}"}, user("Good morning.")],
    lambda text: same_text(text, SYSTEM_WORD),
    needs=(Ability.INSTRUCTIONS,),
    plain=echo(SYSTEM_WORD),
)
DEVELOPER = ChatProbe(
    "developer",
    "heeds a system message",
    [{"role": "developer", "content": f"Always answer with exactly: {SYSTEM_WORD}"}, user("Good morning.")],
    lambda text: same_text(text, SYSTEM_WORD),
    needs=(Ability.INSTRUCTIONS,),
    plain=echo(SYSTEM_WORD),
)
NAME_IN_ONE = [user(f"My name is {NAME} and I ask you: What is my name?")]
TURNS = ChatProbe(
    "turns",
    "remembers what was said before",
    [
        user(f"My name is {NAME}"),
        {"role": "assistant", "content": "Good to meet you."},
        user("Today it rains."),
        {"role": "assistant", "content": "So it does."},
        user("What is my name?"),
    ],
    says(NAME),
    needs=(Ability.RECALL,),
    plain=NAME_IN_ONE,
)
ROLES = ChatProbe(
    "roles",
    "knows who said what",
    [
        user(f"My name is {NAME}"),
        {"role": "assistant", "content": "Good to meet you. My name is Bertram"},
        user("What is my name?"),
    ],
    lambda text: NAME in text and "Bertram" not in text,
    needs=(Ability.RECALL,),
    plain=NAME_IN_ONE,
)
PARTS = ChatProbe(
    "parts",
    "repeats a code word",
    [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": f"The code word is {CODE_WORD}\n"},
                {"type": "text", "text": "What is the code word?"},
            ],
        }
    ],
    says(CODE_WORD),
    needs=(Ability.RECALL,),
    plain=[user(f"The code word is {CODE_WORD}\nWhat is the code word?")],
)
LONG_TEXT = " ".join(f"item-{number:03d}" for number in range(1, 121))
"""More than a thousand characters, no part like another: what is lost is missed."""
LONG_ECHO = repeats("a long text", LONG_TEXT, 1024)
LONG_PROMPT = ChatProbe(
    "long prompt",
    f"finds a word at the start of {WORDS} words",
    with_code_word(WORDS),
    says(CODE_WORD),
    needs=(Ability.RECALL,),
    plain=with_code_word(18),
)


def chat_answer(target: Target, question: ChatProbe, **parameters: Any) -> Exchange:
    """The gateway's answer at temperature 0, by a model that is known to be able; asked once per worker.

    parameters: beside those, or instead of ``max_tokens``, which None leaves out. Raises as ``able_alias``.
    Who answers rightly is able: no control is asked in other words, where only the gateway may be asked.
    """
    first = abilities.declared_able(target.environment, *question.needs)[0]
    if not target.environment.backend(first.backend).direct:
        answer = asked(target, first.alias, question, **parameters)
        if _right(answer, question):
            return answer
    return asked(target, able_alias(target, question), question, **parameters)


def _right(answer: Exchange, question: ChatProbe) -> bool:
    try:
        return question.able(first_text(answer))
    except CheckFailed:
        return False


def able_alias(target: Target, question: ChatProbe) -> str:
    """The first alias with one deployment whose model is declared, and shown, to be able to answer.

    Raises as ``abilities.able_alias``; CheckFailed is blamed on the backend where one fails that is asked.
    """
    return abilities.able_alias(
        target,
        question.needs,
        question.does,
        directly=lambda model: any(
            question.able(said(target, model, question)) for said in (through, directly)
        ),
        plainly=lambda model: plainly(target, model, question),
    )


def model_that(target: Target, does: str, directly: Shows) -> str:
    """The first alias whose model draws its answers as ``Ability.SEED`` says. Where its backend may not be
    asked, it is declared to. Raises as ``abilities.able_alias``."""
    return abilities.able_alias(target, (Ability.SEED,), does, directly=directly, plainly=lambda _: True)


def may_be_asked(target: Target, alias: str) -> None:
    """What an alias's model does by itself can be seen. Raises NotApplicable where nothing behind the gateway
    may be asked: then nobody knows whether it is the model that never varies."""
    served = target.environment.deployments_of(alias)[0]
    if not target.environment.backend(served.backend).direct:
        raise NotApplicable(
            f"{alias} never varies, and nothing behind the gateway may be asked whether the model does",
            declared="backends.direct",
        )


def asked(target: Target, alias: str, question: ChatProbe, **parameters: Any) -> Exchange:
    """The gateway's answer of an alias at temperature 0, asked once per worker; parameters as of
    ``chat_answer``."""
    given = {"temperature": 0, "max_tokens": room(target.environment, alias, question.tokens), **parameters}
    sent = {name: value for name, value in given.items() if value is not None}
    return target.once(
        ("chat", question.name, alias, json.dumps(sent, sort_keys=True)),
        lambda: target.gateway.chat(alias, question.messages, **sent),
    )


def through(target: Target, model: Model, question: ChatProbe) -> str:
    """What the model says through the gateway: where it is right, nobody need ask the backend; empty where
    nothing can be read."""
    try:
        return first_text(asked(target, model.alias, question))
    except CheckFailed:
        return ""


def plainly(target: Target, model: Model, question: ChatProbe) -> bool:
    """Whether the model answers the question in plain words, through the gateway. Raises CheckFailed where
    it gives no text at all."""
    messages = question.messages if question.plain is None else question.plain
    answer = target.once(
        ("chat plainly", question.name, model.alias),
        lambda: target.gateway.chat(
            model.alias,
            messages,
            temperature=0,
            max_tokens=room(target.environment, model.alias, question.tokens),
        ),
    )
    return (question.plainly or question.able)(first_text(answer))


def directly(target: Target, model: Model, question: ChatProbe) -> str:
    """What the model says at temperature 0 when its backend is asked; empty where that refuses."""
    return target.once(
        ("chat directly", question.name, model.alias),
        lambda: said_directly(
            target,
            model,
            DirectChat(
                question.messages,
                room(target.environment, model.alias, question.tokens),
                form=question.form,
            ),
        ),
    )


def said_directly(target: Target, model: Model, question: DirectChat) -> str:
    """The text of the backend's own answer; empty where it refuses. Raises as ``answer_directly``."""
    return answer_directly(target, model, question).said


def answer_directly(target: Target, model: Model, question: DirectChat) -> DirectAnswer:
    """What the backend itself says; nothing where it refuses. Raises CheckFailed, blamed on the backend,
    where it fails."""
    backend = target.backend(model.backend)
    try:
        answer = backend.converse(model.upstream, question)
        said = backend.read(answer)
    except CheckFailed as failure:
        raise type(failure)(failure.problems, blame="backend") from None
    if answer.status is None or answer.status >= 500:
        raise CheckFailed(
            f"{model.backend} itself answers {answer.status}: {answer.text[:200]}", blame="backend"
        )
    return said


OPEN_PROMPT = "Write one short sentence about the sea."
OPEN_TOKENS = 24
"""Enough for two answers to differ."""
SEEDS = (11, 12, 13)
"""The first is asked twice; that three seeds say the same of the sea by chance is unlikely."""


def drawn_directly(target: Target, model: Model, turn: int, options: Mapping[str, float]) -> str:
    """What the model says to an open question, past the gateway. turn: tells equal requests apart; options:
    temperature and seed."""
    question = DirectChat([user(OPEN_PROMPT)], OPEN_TOKENS, options)
    return target.once(
        ("chat drawn directly", model.alias, str(turn), json.dumps(dict(options), sort_keys=True)),
        partial(said_directly, target, model, question),
    )


def drawn(target: Target, alias: str, turn: int, parameters: Mapping[str, Any]) -> Exchange:
    """The gateway's answer to the same question."""
    return target.once(
        ("chat drawn", alias, str(turn), json.dumps(dict(parameters), sort_keys=True)),
        lambda: target.gateway.chat(alias, OPEN_PROMPT, max_tokens=OPEN_TOKENS, **parameters),
    )
