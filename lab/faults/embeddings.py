"""Defects of embeddings: each makes one promise of the endpoint untrue."""

from __future__ import annotations

import base64
import itertools
import struct
from collections.abc import Callable

from lab.faults.model import After, Before, Fault, backend_fault, gateway_fault
from lab.faults.mutators import CRASH, EMBEDDINGS, answers, miscounted
from lab.message import Json, Reply, Request, edit_json, json_reply

Vectors = list[list[float]]

NOTHING = json_reply(
    200, {"object": "list", "model": "m", "data": [], "usage": {"prompt_tokens": 0, "total_tokens": 0}}
)
LARGEST_PART = 32
"""Texts of the parts that a faulty gateway cuts a batch into."""


def vectors(change: Callable[[Request, Vectors], Vectors]) -> After:
    """An after-hook that changes the vectors of a successful answer, lists of floats as they are."""

    def after(request: Request, reply: Reply) -> Reply:
        def changed(body: Json) -> Json:
            found = change(request, [entry["embedding"] for entry in body["data"]])
            return {
                **body,
                "data": [
                    {**entry, "embedding": vector} for entry, vector in zip(body["data"], found, strict=True)
                ],
            }

        return edit_json(EMBEDDINGS, change=changed)(request, reply)

    return after


def turned(vector: list[float], by: int) -> list[float]:
    """The components moved on: the same length, another direction."""
    return vector[-by:] + vector[:-by]


def turned_more_each_time() -> After:
    """No answer has the vectors of the one before."""
    calls = itertools.count(1)

    def change(_: Request, found: Vectors) -> Vectors:
        by = next(calls) % 97 + 1
        return [turned(vector, by) for vector in found]

    return vectors(change)


def only(when: Callable[[Request], bool], change: Callable[[Vectors], Vectors]) -> After:
    """Change the vectors of some requests."""
    return vectors(lambda request, found: change(found) if when(request) else found)


def as_text(vector: list[float], order: str = "<") -> str:
    """Base64 of 32-bit floats in a byte order."""
    return base64.b64encode(struct.pack(f"{order}{len(vector)}f", *vector)).decode()


def encoded(when: Callable[[Request], bool], encode: Callable[[list[float]], object]) -> After:
    """An after-hook that writes the vectors of some requests in another form."""

    def after(request: Request, reply: Reply) -> Reply:
        if not when(request):
            return reply

        def changed(body: Json) -> Json:
            entries = [{**entry, "embedding": encode(entry["embedding"])} for entry in body["data"]]
            return {**body, "data": entries}

        return edit_json(EMBEDDINGS, change=changed)(request, reply)

    return after


def given(request: Request) -> object:
    """The input as it was sent."""
    return request.json.get("input")


def many(request: Request, least: int = 2) -> bool:
    """Whether the input is a list of at least so many texts."""
    found = given(request)
    return isinstance(found, list) and len(found) >= least


def inputs(change: Callable[[object], object]) -> Before:
    """A before-hook that changes the input."""

    def before(request: Request) -> Request | Reply:
        if not request.at(EMBEDDINGS) or "input" not in request.json:
            return request
        return request.with_json({**request.json, "input": change(given(request))})

    return before


def ascii_only(value: object) -> object:
    """Texts without what is not ASCII; other inputs as they are."""
    if isinstance(value, str):
        return value.encode("ascii", "ignore").decode() or "?"
    return [ascii_only(item) for item in value] if isinstance(value, list) else value


def tokens_as_digits(value: object) -> object:
    """An array of tokens as the text of its digits."""
    flat = isinstance(value, list) and value and all(isinstance(item, int) for item in value)
    return ", ".join(map(str, value)) if flat and isinstance(value, list) else value


def halves_swapped(found: Vectors) -> Vectors:
    """The parts of a batch put together in the wrong order."""
    return found[LARGEST_PART:] + found[:LARGEST_PART]


def empty_text_last(request: Request, found: Vectors) -> Vectors:
    """The vector of an empty text moved behind all others."""
    texts = given(request)
    if not isinstance(texts, list) or "" not in texts:
        return found
    at = texts.index("")
    return [*found[:at], *found[at + 1 :], found[at]]


def one_dimension_short(request: Request, found: Vectors) -> Vectors:
    """One component less than asked for."""
    asked = request.json.get("dimensions")
    return [vector[: asked - 1] for vector in found] if isinstance(asked, int) and asked > 1 else found


def asks_for(name: str, value: object) -> Callable[[Request], bool]:
    """Whether a parameter was sent with this value."""
    return lambda request: request.json.get(name) == value


def crashing(when: Callable[[Request], bool]) -> Before:
    """A before-hook that answers some embedding requests with 500."""
    return answers(CRASH, EMBEDDINGS, when=when)


EMBEDDING_FAULTS: tuple[Fault, ...] = (
    backend_fault(
        "embedding-not-unit",
        "vectors have length 2",
        {"API-EMB-002": "expected vectors of length 1"},
        scenario="embedding-not-normalised",
    ),
    backend_fault(
        "embedding-batch-reversed",
        "a batch is answered in reversed order",
        {"API-EMB-003": "wrong are"},
        scenario="embedding-order",
    ),
    gateway_fault(
        "embedding-drifts",
        "the same text has another vector each time",
        {"API-EMB-004": "same text in a second request"},
        after=turned_more_each_time(),
    ),
    gateway_fault(
        "embedding-text-lost",
        "the last text of a batch gets its neighbour's vector",
        {"API-EMB-005": "the same one is at"},
        after=only(many, lambda found: [*found[:-1], found[-2]]),
    ),
    gateway_fault(
        "embedding-string-differs",
        "a string is embedded in another way than a list of it",
        {"API-EMB-006": "string and for a list of it, got another"},
        after=only(lambda r: isinstance(given(r), str), lambda found: [turned(v, 1) for v in found]),
    ),
    gateway_fault(
        "embedding-batch-differs",
        "texts of a batch influence each other",
        {"API-EMB-007": "2 of 2 differ"},
        after=only(many, lambda found: [turned(v, 1) for v in found]),
    ),
    gateway_fault(
        "embedding-parts-swapped",
        "a large batch is cut into parts that are put together in the wrong order",
        {"API-EMB-008": "wrong are"},
        after=only(lambda r: many(r, LARGEST_PART + 1), halves_swapped),
    ),
    gateway_fault(
        "embedding-ascii-only",
        "characters that are not ASCII are lost on the way to the model",
        {"API-EMB-009": "expected the backend's own vectors"},
        before=inputs(ascii_only),
    ),
    gateway_fault(
        "embedding-base64-null",
        "who asks for base64 gets null",
        {"API-EMB-010": "expected a base64 string, got a NoneType"},
        after=encoded(asks_for("encoding_format", "base64"), lambda _: None),
    ),
    gateway_fault(
        "embedding-base64-big-endian",
        "base64 holds the floats in network byte order",
        {"API-EMB-011": "expected the same 32-bit floats"},
        after=encoded(asks_for("encoding_format", "base64"), lambda vector: as_text(vector, ">")),
    ),
    gateway_fault(
        "embedding-base64-by-default",
        "base64 is answered where no format was asked for",
        {"API-EMB-012": "got a str"},
        after=encoded(asks_for("encoding_format", None), as_text),
    ),
    gateway_fault(
        "embedding-format-crash",
        "an unknown encoding_format is an internal error",
        {"API-EMB-013": "got 500"},
        before=crashing(asks_for("encoding_format", "hex")),
    ),
    gateway_fault(
        "embedding-usage-total",
        "total_tokens is one more than prompt_tokens",
        {"API-EMB-014": "expected total_tokens to be prompt_tokens"},
        after=edit_json(EMBEDDINGS, change=miscounted),
    ),
    gateway_fault(
        "embedding-usage-constant",
        "every request is counted with seven tokens",
        {"API-EMB-015": "expected more than 7"},
        after=edit_json(
            EMBEDDINGS, change=lambda body: {**body, "usage": {"prompt_tokens": 7, "total_tokens": 7}}
        ),
    ),
    gateway_fault(
        "embedding-model-renamed",
        "the answer names a model that the gateway does not have",
        {"API-EMB-016": "got 'text-embedding-3-small'"},
        after=edit_json(EMBEDDINGS, change=lambda body: {**body, "model": "text-embedding-3-small"}),
    ),
    gateway_fault(
        "embedding-model-of-another",
        "the answer names another model, in the provider's own way",
        {"API-EMB-016": "got 'ollama/bge-m3'"},
        after=edit_json(EMBEDDINGS, change=lambda body: {**body, "model": "ollama/bge-m3"}),
    ),
    gateway_fault(
        "embedding-tokens-as-digits",
        "an array of tokens is embedded as the text of its digits",
        {"API-EMB-017": "an array of tokens: .* as the text '9906, 1917'"},
        before=inputs(tokens_as_digits),
    ),
    gateway_fault(
        "embedding-empty-list-served",
        "an empty list of inputs is answered with no vectors",
        {"API-EMB-018": "got 200"},
        before=answers(NOTHING, EMBEDDINGS, when=asks_for("input", [])),
    ),
    gateway_fault(
        "embedding-empty-text-crash",
        "an empty text is an internal error",
        {"API-EMB-019": "got 500"},
        before=crashing(asks_for("input", "")),
    ),
    gateway_fault(
        "embedding-empty-text-shifts",
        "the vector of an empty text stands behind all others",
        {"API-EMB-020": "beside an empty one, wrong are"},
        after=vectors(empty_text_last),
    ),
    gateway_fault(
        "embedding-dimensions-short",
        "vectors have one component less than asked for",
        {"API-EMB-021": r"got (511|383|191)$"},
        after=vectors(one_dimension_short),
    ),
    gateway_fault(
        "embedding-dimensions-crash",
        "impossible dimensions are an internal error",
        {"API-EMB-022": "dimensions 0: .*got 500"},
        before=crashing(asks_for("dimensions", 0)),
    ),
    gateway_fault(
        "embedding-long-crash",
        "a long input is an internal error",
        {"API-EMB-023": "got 500"},
        before=crashing(lambda r: len(r.body) > 20_000),
    ),
)
