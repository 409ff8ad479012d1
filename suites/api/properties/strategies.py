"""Requests as Hypothesis draws them: valid ones, and invalid ones, a valid one changed by one mutation.

What a *valid* request may hold is what the specification allows and every model can serve: no images, tools
or logprobs. Contents are strings only: content parts are a check of their own (API-CHAT), because LiteLLM
1.74.15 hands them to Ollama as they are (LiteLLM issue 9959), and a property that always trips there would
find nothing else.

Of the *invalid* requests none is left out for what a product is known to accept: every mutation is a case of
its own, with its own verdict.
"""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from gateway_acceptance.lazily import lazily

if TYPE_CHECKING:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
else:
    st = lazily("hypothesis.strategies")

CHAT_PATH, EMBEDDINGS_PATH = "/v1/chat/completions", "/v1/embeddings"

MOST_TOKENS = 16
"""Of an answer: the property is about form, and a small model's tokens take their time."""

LONG_TEXT = 2000
"""Characters of the longest text: some hundred tokens, within any model's window."""

Json = dict[str, Any]
Mutate = Callable[[Json], "SearchStrategy[bytes]"]
Values = Callable[[], "SearchStrategy[Any]"]
"""Strategies are made when they are drawn from: Hypothesis takes longer to import than a suite to collect."""

TOUGH = (
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "e\u0301 \u1e9b\u0323 Z\u0351\u036b",
    "שלום \u202eabc\u202c مرحبا",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 \U0010fffd",
    "a\u0000b\u001f\u007f",
    "\ufeff\u200b\u2028\u2029",
    '"}],"role":"system"\\',
    "<|im_end|>\n<|start_header_id|>",
    "{{ .System }} %s ${HOME} ../..",
    "data: [DONE]\n\n",
)
"""Texts that break what treats text as bytes, templates, JSON or server-sent events."""


@cache
def letters() -> SearchStrategy[str]:
    """A short word."""
    return st.text(string.ascii_lowercase, min_size=1, max_size=8)


@cache
def text() -> SearchStrategy[str]:
    """Never empty: what an empty text means differs from model to model."""
    repeated = st.builds(lambda word, times: (word + " ") * times, letters(), st.integers(2, LONG_TEXT // 9))
    unicode = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
    return st.one_of(letters(), unicode, st.sampled_from(TOUGH), repeated)


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to spoil a valid request. name: of its case; path: of the endpoint."""

    name: str
    path: str
    mutate: Mutate


def valid_chats(model: str, *, system: bool = True, **fixed: Any) -> SearchStrategy[Json]:
    """Chat requests to a model: conversations of up to five turns, and sampling parameters in their range.
    system: whether a system message may begin them; templates without that role refuse it."""
    parameters = st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.floats(0, 2, width=16),
            "top_p": st.floats(0.0625, 1, width=16),
            "seed": st.integers(0, 2**31 - 1),
            "stop": st.one_of(letters(), st.lists(letters(), min_size=1, max_size=4)),
            "presence_penalty": st.floats(-2, 2, width=16),
            "frequency_penalty": st.floats(-2, 2, width=16),
            "user": letters(),
            "n": st.just(1),
            "response_format": st.just({"type": "text"}),
        },
    )
    limit = st.builds(
        lambda name, tokens: {name: tokens},
        st.sampled_from(("max_tokens", "max_completion_tokens")),
        st.integers(1, MOST_TOKENS),
    )
    return st.builds(
        lambda messages, most, others: {"model": model, "messages": messages, **most, **others, **fixed},
        _conversations(system=system),
        limit,
        parameters,
    )


def _conversations(*, system: bool) -> SearchStrategy[list[Json]]:
    none: SearchStrategy[tuple[Json, ...]] = st.just(())
    said = text().map(lambda text: ({"role": "system", "content": text},))
    first = st.one_of(none, said) if system else none
    turns = st.lists(st.tuples(text(), text()), max_size=2)

    def conversation(before: tuple[Json, ...], past: list[tuple[str, str]], asked: str) -> list[Json]:
        said = [
            {"role": role, "content": text}
            for pair in past
            for role, text in zip(("user", "assistant"), pair, strict=True)
        ]
        return [*before, *said, {"role": "user", "content": asked}]

    return st.builds(conversation, first, turns, text())


def valid_embeddings(model: str) -> SearchStrategy[Json]:
    """Embedding requests to a model: one text, or up to four, as floats."""
    return st.builds(
        lambda texts, others: {"model": model, "input": texts, **others},
        st.one_of(text(), st.lists(text(), min_size=1, max_size=4)),
        st.fixed_dictionaries({}, optional={"encoding_format": st.just("float"), "user": letters()}),
    )


def encoded(document: object) -> bytes:
    """A JSON body."""
    return json.dumps(document, ensure_ascii=False).encode()


def _list() -> SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 9), max_size=2)


def _object() -> SearchStrategy[Json]:
    return st.builds(lambda name, value: {name: value}, letters(), st.integers(0, 9))


def _words() -> SearchStrategy[str]:
    """That no server reads as a number or as yes and no."""
    read = ("nan", "inf", "infinity", "true", "false", "on", "off")
    return letters().filter(lambda word: word not in read)


def no_number() -> SearchStrategy[Any]:
    """No null: optional parameters may be null. No digits: some servers read "1" as 1."""
    return st.one_of(_words(), _list(), _object())


def no_string() -> SearchStrategy[Any]:
    """A number, a list or an object."""
    return st.one_of(st.integers(0, 9), _list(), _object())


def no_list() -> SearchStrategy[Any]:
    """A word, a number, an object or a boolean."""
    return st.one_of(letters(), st.integers(0, 9), _object(), st.booleans())


def no_object() -> SearchStrategy[Any]:
    """A word, a number or a list."""
    return st.one_of(letters(), st.integers(0, 9), _list())


def _unknown_model() -> SearchStrategy[str]:
    ends = st.text(string.ascii_lowercase + string.digits, min_size=8, max_size=16)
    return ends.map(lambda name: f"no-such-model-{name}")


def _digit_or_object() -> SearchStrategy[Any]:
    return st.one_of(st.integers(0, 9), _object())


def _word_or_digit() -> SearchStrategy[Any]:
    return st.one_of(letters(), st.integers(1, 9))


def _without(name: str) -> Mutate:
    return lambda valid: st.just(encoded({key: value for key, value in valid.items() if key != name}))


def _with(name: str, values: Values) -> Mutate:
    return lambda valid: values().map(lambda value: encoded({**valid, name: value}))


def _message(change: Callable[[Json], SearchStrategy[Any]]) -> Mutate:
    """One message of the conversation is changed, any of them."""

    def mutate(valid: Json) -> SearchStrategy[bytes]:
        messages = valid["messages"]
        return st.integers(0, len(messages) - 1).flatmap(
            lambda at: change(messages[at]).map(
                lambda changed: encoded({**valid, "messages": [*messages[:at], changed, *messages[at + 1 :]]})
            )
        )

    return mutate


def _cut_off(valid: Json) -> SearchStrategy[bytes]:
    """In ASCII, so that no character is cut in two: that would be another mistake."""
    body = json.dumps(valid).encode()
    return st.integers(1, len(body) - 1).map(lambda length: body[:length])


def _followed(valid: Json) -> SearchStrategy[bytes]:
    return letters().map(lambda rest: encoded(valid) + b" " + rest.encode())


def _item(valid: Json) -> SearchStrategy[bytes]:
    return st.one_of(_object(), st.just(None)).map(
        lambda item: encoded({**valid, "input": ["a gateway", item]})
    )


_OF_CHAT: Mapping[str, Mutate] = {
    "JSON cut off": _cut_off,
    "JSON followed by a word": _followed,
    "model missing": _without("model"),
    "model unknown": _with("model", _unknown_model),
    "model of another type": _with("model", no_string),
    "messages missing": _without("messages"),
    "messages of another type": _with("messages", no_list),
    "message of another type": _message(lambda _: no_object()),
    "content of another type": _message(
        lambda message: st.integers(0, 9).map(lambda value: {**message, "content": value})
    ),
    "max_tokens of another type": _with("max_tokens", no_number),
    "temperature of another type": _with("temperature", no_number),
    "top_p of another type": _with("top_p", no_number),
    "seed of another type": _with("seed", no_number),
    "n of another type": _with("n", no_number),
    "stop of another type": _with("stop", _digit_or_object),
    "stream of another type": _with("stream", no_number),
    "tools of another type": _with("tools", _word_or_digit),
    "response_format of another type": _with("response_format", _word_or_digit),
}
_OF_EMBEDDINGS: Mapping[str, Mutate] = {
    "JSON cut off": _cut_off,
    "JSON followed by a word": _followed,
    "model missing": _without("model"),
    "model unknown": _with("model", _unknown_model),
    "model of another type": _with("model", no_string),
    "input missing": _without("input"),
    "input of another type": _with("input", _digit_or_object),
    "input with an item of another type": _item,
}

CHAT_MUTATIONS = {name: Mutation(name, CHAT_PATH, mutate) for name, mutate in _OF_CHAT.items()}
EMBEDDING_MUTATIONS = {
    name: Mutation(name, EMBEDDINGS_PATH, mutate) for name, mutate in _OF_EMBEDDINGS.items()
}


def mutated(valid: SearchStrategy[Json], mutation: Mutation) -> SearchStrategy[bytes]:
    """Bodies that differ from a valid request by one mutation."""
    return valid.flatmap(mutation.mutate)
