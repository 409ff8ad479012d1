"""Secrets do not travel: the one place that takes them out of text, and the scan that proves it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 6
"""Shorter ones would turn ordinary words into redactions; such a key is no secret anyway."""

HEAD = 12
"""So many characters of a longer form are enough to know it by: evidence is cut, amid secrets too."""

TAIL = r"[\w.~+/=%-]*"
"""What may follow the head of a form that was cut."""

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
    """Replaces every form of every known secret by ``[redacted:NAME]``.

    Forms: as it is, percent-encoded, JSON- and HTML-escaped, base64, and SHA-256 (hex) because gateways
    print key hashes (LiteLLM issue 39757). A form that was cut short is known by its head.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._names: dict[str, str] = {}
        self._heads: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        for name, secret in (secrets or {}).items():
            self.add(name, secret)

    def add(self, name: str, secret: str) -> None:
        """Make a secret known under a name that may be shown."""
        if len(secret) < SHORTEST_SECRET:
            return
        for form in _forms(secret):
            self._names[form] = name
        longest_first = sorted(self._names, key=len, reverse=True)
        whole = [re.escape(form) for form in longest_first]
        self._heads = {form[:HEAD]: self._names[form] for form in longest_first if len(form) >= 2 * HEAD}
        cut = [re.escape(head) + TAIL for head in self._heads]
        self._pattern = re.compile("|".join([*whole, *cut]))

    def __call__(self, text: str) -> str:
        """The text without secrets, and without lone surrogates: JSON may hold them, no file can."""
        if not text.isascii():
            text = text.encode("utf-8", errors="backslashreplace").decode("utf-8")
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda match: f"[redacted:{self._name_of(match[0])}]", text)

    def _name_of(self, found: str) -> str:
        return self._names.get(found) or self._heads[found[:HEAD]]

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
        forms = {form.encode(): name for form, name in self._names.items()}
        found = []
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            content = path.read_bytes()
            names = sorted({name for form, name in forms.items() if form in content})
            found += [f"{path.relative_to(folder)}: {name}" for name in names]
        return found


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


def _forms(secret: str) -> set[str]:
    raw = secret.encode()
    return {
        *written_forms(secret),
        hashlib.sha256(raw).hexdigest(),
        hashlib.sha256(raw).hexdigest().upper(),
    }
