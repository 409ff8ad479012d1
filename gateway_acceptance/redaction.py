"""Secrets do not travel: the one place that takes them out of text, and the scan that proves it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from gateway_acceptance.secret_forms import Form, forms_of, holds, joined, spans
from gateway_acceptance.secret_writings import Writing, spans_of, views_of, writings_of, written

SHORTEST_SECRET = 8
"""Shorter ones would turn ordinary words into redactions; a gateway's key that is shorter is refused."""

REMEMBERED, MOST_REMEMBERED = 5_000, 4_000_000
"""Characters of the texts whose redaction is kept, each and together: names of cases, headers and urls come
again and again, and evidence goes into the record and into all that is derived from it."""

SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "x-litellm-api-key",
        "x-goog-api-key",
        "x-auth-token",
        "cookie",
        "set-cookie",
    }
)


class Redactor:
    """Replaces every form of every known secret by ``[redacted:NAME]``, fragments included
    (``secret_forms``); and what steers a terminal by its name: no target writes on anybody's screen.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._forms: list[tuple[str, list[Form], tuple[Writing, ...]]] = []
        self._known: dict[str, str] = {}
        self._room = MOST_REMEMBERED
        for name, secret in (secrets or {}).items():
            self.add(name, secret)

    def add(self, name: str, secret: str) -> None:
        """Make a secret known under a name that may be shown; of several names of one secret the first
        counts, so that many environments with the same key cost what one does."""
        if len(secret) < SHORTEST_SECRET:
            return
        if all(known[0].text != secret for _, known, _ in self._forms):
            self._known.clear()
            self._room = MOST_REMEMBERED
            self._forms.append((name, forms_of(secret), writings_of(secret)))
            self._forms.sort(key=lambda known: -len(known[1][0].text))

    def __call__(self, text: str) -> str:
        """The text without secrets, without what steers a terminal, and without lone surrogates: JSON may
        hold them, no file can."""
        if len(text) > REMEMBERED:
            return self._redacted(text)
        if text not in self._known:
            if len(text) > self._room:
                self._known.clear()
                self._room = MOST_REMEMBERED
            self._room -= len(text) + 1
            self._known[text] = self._redacted(text)
        return self._known[text]

    def _redacted(self, text: str) -> str:
        if not text.isascii():
            text = text.encode("utf-8", errors="backslashreplace").decode("utf-8")
        elif len(text) < SHORTEST_SECRET:
            return printable(text)
        views = views_of(text) if self._forms else b""
        for name, forms, writings in self._forms:
            for start, end in reversed(spans(text, forms)):
                text = f"{text[:start]}[redacted:{name}]{text[end:]}"
            if written(views, writings):
                for start, end in reversed(joined(spans_of(text, writings))):
                    text = f"{text[:start]}[redacted:{name}]{text[end:]}"
        return printable(text)

    def headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Headers for showing: secret ones are never shown, known secrets elsewhere are taken out."""
        return {
            self(name): "[redacted]" if name.lower() in SECRET_HEADERS else self(value)
            for name, value in headers
        }

    def tree(self, value: object) -> object:
        """The same JSON-like value with all its strings (keys too) redacted."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(str(key)): self.tree(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(item) for item in value]
        return value

    def leaks_in(self, folder: Path) -> list[str]:
        """``file: NAME`` for every file below the folder that holds a form of a secret, symlinks left out."""
        found = []
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            content = path.read_bytes().decode("utf-8", errors="replace")
            views = views_of(content) if self._forms else b""
            names = sorted(
                {
                    name
                    for name, forms, writings in self._forms
                    if holds(content, forms) or written(views, writings)
                }
            )
            found += [f"{path.relative_to(folder)}: {name}" for name in names]
        return found


STEERING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\r(?!\n)"
)
"""Control characters of a terminal (C0, C1, a carriage return that ends no line) and of writing direction,
and Unicode's own line ends."""


COMMAND = re.compile(r"^([^\S\n]*):(?=:[a-zA-Z])|#(?=#(?i:vso|teamcity)?\[)", re.MULTILINE)
"""What a CI server takes for a command in a log: ``::error``, ``##vso[``, ``##[``, ``##teamcity[`` (GitHub,
Azure, TeamCity)."""


def printable(text: str) -> str:
    """A text that came from elsewhere, as it may be shown anywhere: what steers a terminal is named
    (``\\x1b``), not done; a CI server's command is none any more. Line ends and tabs stay."""
    text = COMMAND.sub(lambda match: f"{match[0]} ", text)
    return STEERING.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def written_forms(secret: str) -> tuple[str, ...]:
    """How a secret is written: as it is, percent-encoded, JSON- and HTML-escaped, base64."""
    raw = secret.encode()
    forms = (
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        html.escape(secret),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    )
    return tuple(dict.fromkeys(forms))
