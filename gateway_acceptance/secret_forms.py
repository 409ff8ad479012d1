"""Where a text holds a secret, in whatever form it travelled: the search below ``redaction``.

Known are: the secret itself; base64 in each of its three alignments, so inside of a longer text such as
``Bearer KEY`` as well; hex; its SHA-256, because gateways print key hashes (LiteLLM issue 39757). Any of them
may be escaped, wholly or in part, by percent signs, JSON's and C's backslashes, HTML entities or a shell's
quotes; what is left of one that was cut, at its front or its end, is known from ``FRAGMENT`` characters on.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

FRAGMENT = 8
"""So many characters of a secret's beginning or end are a leak: with them, the rest is found or guessed."""
UNDIVIDED_BELOW = 2 * FRAGMENT
"""A form shorter than this is known whole only: half of it would be a word."""
HEAD_OF_HASH = 12
ESCAPED = re.compile(
    r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|&#[0-9]{1,5};|&#[xX][0-9A-Fa-f]{1,5};"
    r"|&[a-zA-Z]{2,8};|'\\''|'\"'\"'|\\[\"\\/&'$` ]"
)
TELLING = re.compile(r"%[0-9A-Fa-f]{2}|\\[ux][0-9A-Fa-f]|&#|&[a-zA-Z]{2,8};|'\\''|'\"'\"'|\\[/&'$` ]")
"""An escape that may stand for a character of a key. Quotes and backslashes escaped by JSON, which are
everywhere, stand for none, unless the secret itself has one (``spans``)."""
RARE = frozenset('"\\')
BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a secret. text: its characters; least: so many of its beginning or end are a fragment;
    encoded: whether what stands around it in base64 belongs to it; head, tail: its beginning and its end."""

    text: str
    least: int
    encoded: bool = False
    head: str = field(init=False, repr=False)
    tail: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "head", self.text[: self.least])
        object.__setattr__(self, "tail", self.text[-self.least :])

    def spans(self, text: str) -> Iterator[Span]:
        """Where a text holds it, or a fragment of it."""
        for start in _places(text, self.head):
            yield self._around(text, start, start + _alike(text, start, self.text))
        for start in _places(text, self.tail):
            end = start + self.least
            yield self._around(text, end - _alike(text[:end][::-1], 0, self.text[::-1]), end)

    def _around(self, text: str, start: int, end: int) -> Span:
        while self.encoded and start > 0 and text[start - 1] in BASE64:
            start -= 1
        while self.encoded and end < len(text) and text[end] in BASE64:
            end += 1
        if self.encoded and text[start - 1 : start] == "\\":  # JSON's line end is none of its letters
            start = min(end, start + (5 if text[start] == "u" else 1))
        return start, end


def forms_of(secret: str) -> list[Form]:
    """All forms of a secret but for escapes, which ``spans`` undoes."""
    raw = secret.encode()
    digest = hashlib.sha256(raw).hexdigest()
    found = [Form(secret, FRAGMENT if len(secret) >= UNDIVIDED_BELOW else len(secret))]
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        first = (8 * before + 5) // 6  # characters that hold a bit of what stands before
        rest = (before + len(raw)) % 3
        core = encoded[first : len(encoded) - (1 if rest else 0)]
        least = 4 * FRAGMENT // 3 if len(secret) >= UNDIVIDED_BELOW else len(core)
        found += [
            Form(core, least, encoded=True),
            Form(core.translate({43: "-", 47: "_"}), least, encoded=True),
        ]
    for numeral, least in ((raw.hex(), 2 * found[0].least), (digest, HEAD_OF_HASH)):
        found += [Form(numeral, least), Form(numeral.upper(), least)]
    return list({form.text: form for form in found}.values())


def holds(text: str, forms: Sequence[Form]) -> bool:
    """Whether a text holds any of the forms, a fragment or an escaped one included. What is asked of large
    files: no place of it is looked up."""
    return _any(text, forms) or (_escapes(text, forms) and _any(_plain(text), forms))


def _any(text: str, forms: Sequence[Form]) -> bool:
    for form in forms:  # noqa: SIM110  (of thousands of texts in every run: half of what ``any`` takes)
        if form.head in text or form.tail in text:
            return True
    return False


def _escapes(text: str, forms: Sequence[Form]) -> bool:
    """Whether an escape of the text may stand for a character of a form."""
    if "%" not in text and "\\" not in text and "&" not in text and "'" not in text:
        return False
    return TELLING.search(text) is not None or any(RARE & {*form.text} for form in forms)


def _plain(text: str) -> str:
    """The text with its escapes undone."""
    return ESCAPED.sub(lambda match: match[0] if (one := _character(match[0])) is None else one, text)


def spans(text: str, forms: Sequence[Form]) -> list[Span]:
    """Where a text holds any of the forms, joined where they touch, in order."""
    found = [span for form in forms for span in form.spans(text)] if _any(text, forms) else []
    if _escapes(text, forms) and _any(_plain(text), forms):
        plain, places = _undone(text)
        found += [(places[a], places[b]) for form in forms for a, b in form.spans(plain)]
    return joined(found)


def joined(found: Iterable[Span]) -> list[Span]:
    """The same places in order, as one where they touch."""
    merged: list[Span] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _undone(text: str) -> tuple[str, list[int]]:
    """The text with its escapes undone, and for each of its places (its end included) the one in the text."""
    parts: list[str] = []
    places: list[int] = []
    at = 0
    for match in ESCAPED.finditer(text):
        character = _character(match[0])
        if character is None:
            continue
        parts += [text[at : match.start()], character]
        places += [*range(at, match.start()), match.start()]
        at = match.end()
    parts.append(text[at:])
    places += range(at, len(text) + 1)
    return "".join(parts), places


def _character(escaped: str) -> str | None:
    if escaped.startswith("'"):
        return "'"
    if escaped.startswith("&"):
        one = html.unescape(escaped)
        return one if len(one) == 1 else None
    if escaped.startswith("%"):
        return chr(int(escaped[1:], 16))
    return chr(int(escaped[2:], 16)) if escaped[1] in "ux" else escaped[1]


def _places(text: str, wanted: str) -> Iterator[int]:
    start = text.find(wanted)
    while start >= 0:
        yield start
        start = text.find(wanted, start + 1)


def _alike(text: str, start: int, form: str) -> int:
    """How many characters of a form stand there, from its first on."""
    count = 0
    while count < len(form) and start + count < len(text) and text[start + count] == form[count]:
        count += 1
    return count
