"""Requests at the same time, each with a text of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gateway_acceptance.environment import Ability, Environment
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, NotApplicable
from gateway_acceptance.wire.exchange import Exchange
from suites.api.asking import balanced_chat, read, stream_of
from suites.api.extract import any_answered, mixed_up
from suites.api.observations import room

Got = TypeVar("Got")

WORDS = ("amber", "cedar", "delta", "ember", "fjord", "grove", "heron", "indigo")
TOKENS = 24


def texts(count: int) -> list[str]:
    """So many texts, none part of another."""
    return [f"HX-{WORDS[number % len(WORDS)]}-{number:02d}" for number in range(1, count + 1)]


def prompt(text: str) -> str:
    """What is asked."""
    return f"Return exactly the text: {text}"


def asked_at_once(target: Target) -> Mapping[str, Exchange]:
    """As many requests at the same time as declared: text -> answer. Raises what a request raised."""
    alias = balanced_chat(target.environment)
    limit = room(target.environment, alias, TOKENS)

    def ask(text: str) -> Exchange:
        return target.gateway.chat(alias, prompt(text), temperature=0, max_tokens=limit)

    return target.once(("chat at once",), lambda: _at_once(target, ask))


def streamed_at_once(target: Target) -> Mapping[str, str]:
    """The same as streams: text -> what the stream spells. Raises CheckFailed where one does not come."""
    alias = balanced_chat(target.environment)
    limit = room(target.environment, alias, TOKENS)

    def ask(text: str) -> str:
        exchange = stream_of(target, alias, prompt(text), max_tokens=limit)
        if exchange.status != 200:
            raise CheckFailed(f"expected a stream, got {exchange.status}: {exchange.text[:200]}")
        return read(exchange).text()

    return target.once(("chat streams at once",), lambda: _at_once(target, ask))


def mixed_up_at_once(environment: Environment, alias: str, answers: Mapping[str, str]) -> list[str]:
    """Whose answer went to whom: text asked for -> answer. Raises NotApplicable where the model is not
    declared to repeat a text, and does not."""
    if environment.can(alias, Ability.EXACT):
        return mixed_up(answers)
    if not any_answered(answers):
        raise NotApplicable(
            f"{alias} is not declared to repeat a text, and does not: nothing tells its answers apart",
            declared="models.abilities",
        )
    return mixed_up(answers, obeys=False)


def _at_once(target: Target, ask: Callable[[str], Got]) -> Mapping[str, Got]:
    asked = texts(target.environment.bounds.concurrency)
    with ThreadPoolExecutor(len(asked)) as pool:
        return dict(zip(asked, pool.map(ask, asked), strict=True))
