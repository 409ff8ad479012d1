"""Rules over every embedding: shape, length, model, usage, and the same vector for the same text."""

from __future__ import annotations

import array
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway_acceptance.check import Level
from gateway_acceptance.problem import Problem, at_level
from gateway_acceptance.wire.backends import full_name
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.schema import embedding_problems, embedding_vector
from gateway_acceptance.wire.seen import Kind, SeenExchange
from gateway_acceptance.wire.watch import UniversalRule
from suites.api.embeddings.rules import UNIT_TOLERANCE, bits_that_differ, length, pairs_that_are_same, same
from suites.api.extract import SNAPSHOT
from suites.every_exchange.said import of_another, upstreams_of

KEPT_TEXTS = 256
"""Texts of one run whose vectors are kept."""
MOST_DIMENSIONS = 8192
"""Of a vector that is kept: hardly a model has more, and an answer may hold a million numbers."""
MOST_FORMS = 8
"""In which a text's vector is kept: alone and in batches of some sizes."""
FEW = 8
"""Texts of a request that are compared pair by pair."""
LONG = 20
"""Characters of a text beside which the marks that a model puts around it are few."""
WORDS = 3
"""From so many on texts without a word in common mean different things to any model."""


def texts_of(seen: SeenExchange) -> list[str]:
    """The texts of an ordinary request; empty where it has others, or asks for dimensions."""
    given = seen.asked.get("input")
    texts = [given] if isinstance(given, str) else given
    if "dimensions" in seen.asked or not isinstance(texts, list):
        return []
    return texts if all(isinstance(text, str) and text.strip() for text in texts) else []


def raw_of(seen: SeenExchange) -> list[object]:
    """The ``embedding`` of each entry as it was sent, where there is one for each text; else empty."""
    data = seen.document.get("data")
    if not isinstance(data, list) or len(data) != len(texts_of(seen)):
        return []
    return [entry.get("embedding") if isinstance(entry, dict) else None for entry in data]


def shape(seen: SeenExchange, _: Memory) -> list[Problem]:
    """As of API-EMB-001."""
    texts = texts_of(seen)
    if not texts:
        return []
    problems = embedding_problems(
        seen.body,
        inputs=len(texts),
        dimensions=_declared(seen, "dimensions"),
        distinct=bool(_apart(texts)),
    )
    return at_level(problems, Level.MUST)


def distinct(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-EMB-005, of texts that have nothing in common."""
    texts = texts_of(seen)
    vectors = [vector for value in raw_of(seen) if (vector := embedding_vector(value)) is not None]
    if len(vectors) == len(texts) and len(texts) <= FEW:
        alike, apart = pairs_that_are_same(vectors), _apart(texts)
        came = len(vectors) - len({later for _, later in alike})
        pairs = [pair for pair in alike if pair in apart]
        if pairs and came < len(set(texts)):  # as many as there are texts have only changed places
            text = f"expected {len(texts)} different vectors, the same one is at the places {pairs}"
            yield Problem("", text)


def _declared(seen: SeenExchange, name: str) -> Any:
    """What is declared of the model; None for a group."""
    model = next((one for one in seen.environment.models if one.alias == seen.alias), None)
    return getattr(model, name, None)


def _apart(texts: Sequence[str]) -> list[tuple[int, int]]:
    """The places of texts that have no word in common."""
    words = [set(text.lower().split()) for text in texts[:FEW]]
    long = [at for at, one in enumerate(words) if len(one) >= WORDS]
    return [(one, other) for one, other in itertools.combinations(long, 2) if not words[one] & words[other]]


def unit(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-EMB-002."""
    if not _declared(seen, "unit_norm"):
        return
    for value in raw_of(seen):
        vector = embedding_vector(value)
        if vector and abs(length(vector) - 1) > UNIT_TOLERANCE:
            found = length(vector)
            yield Problem("", f"expected vectors of length 1 ± {UNIT_TOLERANCE}, got length {found:.6f}")
            return


def in_base64(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-EMB-010."""
    if seen.asked.get("encoding_format") == "base64":
        for value in raw_of(seen):
            if not isinstance(value, str):
                yield Problem("", f"expected a base64 string, got a {type(value).__name__}")
                return


def as_floats(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-EMB-012: of who asks for nothing, and so much more of who asks for floats."""
    if seen.asked.get("encoding_format", "float") == "float":
        for value in raw_of(seen):
            if not isinstance(value, list):
                yield Problem("", f"expected a list of floats by default, got a {type(value).__name__}")
                return


def usage(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-EMB-014."""
    reported = seen.document.get("usage")
    counts: Mapping[str, Any] = reported if isinstance(reported, dict) else {}
    prompt, total = counts.get("prompt_tokens"), counts.get("total_tokens")
    if type(prompt) is not int or type(total) is not int:
        yield Problem("", f"expected usage with prompt_tokens and total_tokens, got {reported!r}")
    elif prompt < 1 and texts_of(seen):
        yield Problem("", f"expected at least one token for a text, got prompt_tokens {prompt}")
    elif total != prompt:
        yield Problem("", f"expected total_tokens to be prompt_tokens, got {total} and {prompt}")


def usage_grows(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-EMB-015: of several texts against one of them alone, and no more than bytes."""
    texts, reported = texts_of(seen), seen.document.get("usage")
    together = reported.get("prompt_tokens") if isinstance(reported, dict) else None
    if not texts or type(together) is not int:
        return
    if len(texts) == 1:
        memory.first("tokens of a text", (seen.alias, texts[0]), together, KEPT_TEXTS)
        return
    counts = [memory.known("tokens of a text", (seen.alias, text)) for text in texts[:FEW]]
    alone = max((count for count in counts if count is not None), default=None)
    most = sum(len(text.encode()) + 2 for text in texts)
    if min(len(text) for text in texts) < LONG:
        most = max(most, together)  # what a model puts before each text may be longer than it
    if alone is not None and not alone < together <= most:
        yield Problem(
            "",
            f"expected more than {alone} and at most {most} prompt_tokens for {_number(len(texts))} texts, "
            f"got {together}",
        )


def _number(count: int) -> str:
    return {2: "two", 3: "three"}.get(count, str(count))


def model(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-EMB-016, and where nothing is declared behind the alias, as of API-CHAT-005."""
    named, behind = seen.document.get("model"), upstreams_of(seen)
    known = (seen.alias, *behind, *map(full_name, behind))
    if behind and named not in known and SNAPSHOT.sub("", str(named)) not in known:
        yield Problem("", f"expected the model {seen.alias!r} or {behind[0]!r}, got {named!r}")
    elif not behind and (another := of_another(seen, memory)):
        yield Problem("", f"expected the model {seen.alias!r}, got {another}")


@dataclass(frozen=True, slots=True)
class VectorForm:
    """How a vector was asked for: coded in base64, with how many texts, and as a string."""

    coded: bool
    many: int
    string: bool

    def apart(self, other: VectorForm) -> list[str]:
        """The checks of what two forms differ in; that a string is no list counts among as many texts."""
        differs = {
            "API-EMB-011": self.coded is not other.coded,
            "API-EMB-007": self.many != other.many,
            "API-EMB-006": self.many == other.many and self.string is not other.string,
        }
        return [check for check, differ in differs.items() if differ]


@dataclass(slots=True)
class KnownVectors:
    """A text's vectors, by how they were asked for; steady: one came twice to the same question."""

    vectors: dict[VectorForm, list[float]] = field(default_factory=dict)
    steady: bool = False

    def keep(self, form: VectorForm, vector: list[float]) -> None:
        """The first of a form."""
        if len(self.vectors) < MOST_FORMS:
            self.vectors.setdefault(form, vector)


def same_vector(check: str, seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """The vector that a text had before: alone and in batches, as a string and in a list, as floats and in
    base64. It is held against the one that was asked for most alike, and belongs to the check of the only
    thing in which the two requests differ, if the text has had one vector twice. Where they differ in more,
    or nobody knows that, a sentinel has each of them asked."""
    if len(seen.environment.deployments_of(seen.alias)) != 1:
        return  # two servers may round a model's numbers differently
    found = dict(_other_vectors(f"vector of a text ({check})", seen, memory))
    moved = {owner: text for owner, text in found.items() if owner == "API-EMB-003"}
    if check in (moved or found):
        yield Problem("", found[check])


def _other_vectors(place: str, seen: SeenExchange, memory: Memory) -> Iterator[tuple[str, str]]:
    texts, values = texts_of(seen), raw_of(seen)
    vectors = [embedding_vector(value) for value in values]
    for at, (text, value, vector) in enumerate(zip(texts, values, vectors, strict=False)):
        if vector is None or len(vector) > MOST_DIMENSIONS:
            continue
        form = VectorForm(isinstance(value, str), len(texts), isinstance(seen.asked["input"], str))
        known: KnownVectors = memory.first(place, (seen.alias, text), KnownVectors(), KEPT_TEXTS)
        if not known.vectors:
            known.keep(form, vector)
            continue
        nearest = min(known.vectors, key=lambda other: len(form.apart(other)))
        before, apart = known.vectors[nearest], form.apart(nearest)
        if same(before, vector):
            known.steady |= not apart
            known.keep(form, before)
            continue
        known.keep(form, vector)
        others = [one for other, one in zip(texts, vectors, strict=False) if other != text and one]
        if any(same(before, one) for one in others) or _at_another(place, seen, memory, text, vector):
            yield (
                "API-EMB-003",
                f"expected each vector at its text's place after a permutation, wrong are [{at}]",
            )
        elif not apart:
            yield "API-EMB-004", "expected the same vector for the same text in a second request, got another"
        elif not known.steady and not _in_network_order(form, vector, nearest, before):
            continue  # it may have another one each time
        elif "API-EMB-011" in apart and (len(apart) == 1 or not known.steady):
            bits = f"{_bits(before, vector)} differ"
            yield "API-EMB-011", f"expected the same 32-bit floats in base64 as in the list, {bits}"
        elif apart == ["API-EMB-007"]:
            yield "API-EMB-007", "expected the vectors of the batch for its texts alone, another came"
        elif apart == ["API-EMB-006"]:
            yield "API-EMB-006", "expected the same vector for a string and for a list of it, got another"


def _in_network_order(
    form: VectorForm, vector: list[float], nearest: VectorForm, before: list[float]
) -> bool:
    """Whether of two vectors the one in base64 is the other with the bytes of each number turned round."""
    if form.coded is nearest.coded:
        return False
    coded, plain = (vector, before) if form.coded else (before, vector)
    numbers = array.array("f", coded)
    numbers.byteswap()
    return same(numbers, plain)


def _at_another(place: str, seen: SeenExchange, memory: Memory, text: str, vector: list[float]) -> bool:
    """Whether it is the vector that another text of the request had before."""
    known = (memory.known(place, (seen.alias, other)) for other in texts_of(seen) if other != text)
    return any(
        before is not vector and same(before, vector)
        for one in known
        if one is not None
        for before in one.vectors.values()
    )


def _bits(one: Sequence[float], other: Sequence[float]) -> str:
    try:
        return f"{bits_that_differ(one, other)} of {len(other)}"
    except OverflowError:  # a component that no 32-bit float holds
        return "some"


def _same(check: str) -> UniversalRule:
    return UniversalRule(check, EMBEDDED, lambda seen, memory: same_vector(check, seen, memory))


EMBEDDED = frozenset({Kind.EMBEDDINGS})
EMBEDDING_RULES = (
    UniversalRule("API-EMB-001", EMBEDDED, shape),
    UniversalRule("API-EMB-002", EMBEDDED, unit),
    *map(_same, ("API-EMB-003", "API-EMB-004", "API-EMB-006", "API-EMB-007", "API-EMB-011")),
    UniversalRule("API-EMB-005", EMBEDDED, distinct),
    UniversalRule("API-EMB-010", EMBEDDED, in_base64),
    UniversalRule("API-EMB-012", EMBEDDED, as_floats),
    UniversalRule("API-EMB-014", EMBEDDED, usage),
    UniversalRule("API-EMB-015", EMBEDDED, usage_grows),
    UniversalRule("API-EMB-016", EMBEDDED, model),
)
