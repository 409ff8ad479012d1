"""Probes that need no obedience: what a model says by itself is cut, ended and counted.

The count is asked for, and whoever counts is asked as ever. Whoever does not says something else, and says it
again at temperature 0: that is as good to cut. Design: docs/abilities.md.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, Inconclusive, NotApplicable, Untestable
from gateway_acceptance.wire.exchange import Exchange
from suites.api.asking import LEAST_TOKENS, single_chat
from suites.api.chat.probes import (
    COUNT,
    able_alias,
    directly,
)
from suites.api.extract import first_text, reason_of, reasoned, reported_count, tokens_or_words
from suites.api.observations import COUNT_TOKENS, room

CUT_TOKENS = 8
"""Too few for the count in any tokenizer: a number is at least one token."""
WORD = re.compile(r"[A-Za-z]{3,}|\d{2,}")
"""What can be a stop string: who is asked to count, and is not declared to, may say numbers alone."""
OFTEN = 4
"""So often a letter stands in a text that another text of the same kind holds it as well."""


@dataclass(frozen=True, slots=True)
class Own:
    """A model's whole answer to the count. counts: it is declared, and shown, to count; tokens: of the text,
    without those of a reasoning."""

    alias: str
    answer: Exchange
    counts: bool

    @property
    def text(self) -> str:
        """What it says. Raises CheckFailed where there is none."""
        return first_text(self.answer)

    @property
    def tokens(self) -> int:
        """Of the text, as of ``tokens_or_words``."""
        count = reported_count(self.answer, "completion_tokens")
        return tokens_or_words(None if count is None else count - reasoned(self.answer), self.text)

    @property
    def limit(self) -> int:
        """A limit that cuts it: ``CUT_TOKENS``, or half of its tokens. Raises Untestable where it is too
        short."""
        if self.counts:
            return CUT_TOKENS
        if self.tokens < LEAST_TOKENS:
            raise Untestable(
                f"{self.alias} says only {self.text[:80]!r}: too little to be cut",
                "serve a model that talks",
            )
        return min(CUT_TOKENS, self.tokens // 2)


def own(target: Target) -> Own:
    """The answer of a model that counts, or else of the first one with a single deployment.

    Raises NotApplicable where there is no chat model."""
    try:
        alias, able = able_alias(target, COUNT), True
    except (NotApplicable, Untestable):
        alias, able = single_chat(target.environment).alias, False
    return Own(alias, _asked(target, alias, {}), able)


def asked_again(target: Target, **parameters: Any) -> Exchange:
    """The same question of the same model, with these parameters; None leaves the limit out."""
    return _asked(target, own(target).alias, parameters)


def _asked(target: Target, alias: str, parameters: dict[str, Any]) -> Exchange:
    limit = room(target.environment, alias, COUNT_TOKENS)
    given = {"temperature": 0, "max_tokens": limit, **parameters}
    sent = {name: value for name, value in given.items() if value is not None}
    return target.once(
        ("chat", COUNT.name, alias, json.dumps(sent, sort_keys=True)),
        lambda: target.gateway.chat(alias, COUNT.messages, **sent),
    )


def said_directly(target: Target, said: Own) -> str:
    """What the backend itself says; empty where it may not be asked."""
    model = target.environment.model(said.alias)
    if not target.environment.backend(model.backend).direct:
        return ""
    return directly(target, model, COUNT)


def require_end(target: Target, said: Own) -> None:
    """That an answer which is called complete is not the beginning of a longer one. Raises CheckFailed,
    Untestable where the model did not come to an end."""
    reason = reason_of(said.answer)
    if reason == "length" and said.tokens >= COUNT_TOKENS:
        raise Untestable(f"{said.alias} came to no end in {said.tokens} tokens", "serve a model that does")
    if reason != "stop":
        raise CheckFailed(f"expected finish_reason stop, got {reason!r}")
    itself = said_directly(target, said)
    if len(itself) > len(said.text) and itself.startswith(said.text):
        raise CheckFailed(
            f"finish_reason is stop after {said.text[-60:]!r}; asked directly, the backend goes on with "
            f"{itself[len(said.text) :][:60]!r}",
            blame="gateway",
        )


def marks_of(said: Own) -> tuple[str, str]:
    """Two words out of the middle of a text, in its order, neither of which comes before its place; of one
    that says the same again and again, any but the first word. Raises Untestable where there are none."""
    text = said.text
    new = [match for match in WORD.finditer(text) if 0 < match.start() == text.find(match[0])]
    late = [match for match in new if match.start() > len(text) // 4]
    found = [match[0] for match in (late if len(late) > 1 else new)]
    if len(found) < 2:
        raise Untestable(
            f"{said.alias} says only {text[:80]!r}: no word of it can be a stop string",
            "serve a model that talks",
        )
    return found[0], found[1]


def require_ended_at(
    target: Target, said: Own, answer: Exchange, stop: str | Sequence[str], mark: str
) -> None:
    """That an answer is the model's own text up to a mark. A model that says something else is asked to end
    at a letter that it uses often. Raises CheckFailed; Inconclusive where it uses none."""
    expected, text = said.text[: said.text.find(mark)].strip(), first_text(answer).strip()
    if text == expected:
        return
    if text.startswith(expected):
        raise CheckFailed(
            f"expected the answer to end before {mark!r} with stop {stop!r}, it goes on: {text[-80:]!r}",
            blame="gateway",
        )
    if expected.startswith(text):
        raise CheckFailed(
            f"expected the answer up to {mark!r} with stop {stop!r}, it ends early: {text[-80:]!r}",
            blame="gateway",
        )
    letter, times = Counter(filter(str.isalnum, said.text)).most_common(1)[0]
    if times < OFTEN:
        otherwise = f"{text[:80]!r}, not {expected[:80]!r}"
        raise Inconclusive(f"{said.alias} says otherwise when asked again: {otherwise}")
    given = letter if isinstance(stop, str) else [mark, letter]
    ended = first_text(asked_again(target, stop=given))
    if letter in ended:
        raise CheckFailed(
            f"expected the answer to end before {letter!r} with stop {given!r}, got {ended[:80]!r}",
            blame="gateway",
        )
