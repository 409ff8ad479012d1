"""What an error must not tell: stack traces, file paths, internal addresses, the key."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from gateway_acceptance.environment import Environment
from gateway_acceptance.redaction import Redactor
from gateway_acceptance.wire.exchange import Exchange

KEY_FRAGMENT = 12
"""Characters of the key in a row that count as telling it; the last four, as dashboards show, do not."""

SHOWN = 60
"""Characters of a leak that a message quotes."""


class LeakKind(StrEnum):
    """What was told."""

    TRACE = "stack trace"
    PATH = "file path"
    ADDRESS = "internal address"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing that was told. seen: as it stood there, short; of a key never the key itself."""

    kind: LeakKind
    seen: str


TRACES = (
    re.compile(r"Traceback \(most recent call last\)"),  # Python
    re.compile(r"\bFile [\\\"']{1,3}[^\"'\n]{1,200}[\"'], line \d+"),  # Python
    re.compile(r"(?:\n|\\n)[^\S\n]*at [\w.$<>\[\] ]+\([^()\n]{1,200}:\d+(?::\d+)?\)"),  # JavaScript, Java
    re.compile(r"goroutine \d+ \[\w+"),  # Go
    re.compile(r"thread '[^']{1,80}' panicked at"),  # Rust
)

ROOTS = "opt|usr|home|root|etc|var|srv|tmp|mnt|proc|private|Users|Library|workspace"
SOURCES = "py|pyc|js|mjs|ts|go|rs|rb|java|so|yaml|toml"
BEFORE = r"(?<![\w.:/%-])"  # what stands before an absolute path, and not inside a URL or a route
PATHS = (
    re.compile(rf"{BEFORE}/(?:{ROOTS})/[\w.@+/-]+"),
    re.compile(rf"{BEFORE}(?:/[\w.@+-]+){{2,}}\.(?:{SOURCES})\b"),
    re.compile(r"\bsite-packages/[\w./-]+"),
    re.compile(r"\b[A-Z]:\\{1,2}(?:[\w.-]+\\{1,2})+[\w.-]+"),
)

ADDRESS = re.compile(r"(?<![\w.])((?:\d{1,3}\.){3}\d{1,3})(?::\d{1,5})?(?![\w.]*\.\d)")
LOCALHOST = re.compile(r"\blocalhost:\d{2,5}\b")


def leaks_in(text: str, environment: Environment, key: str) -> list[Leak]:
    """Everything in the text of an error that is nobody's business outside, once per kind and wording.

    key: the environment's own. The gateway's own host is no secret: the client has just called it.
    """
    found = [*_matches(LeakKind.TRACE, TRACES, text), *_matches(LeakKind.PATH, PATHS, text)]
    found += _addresses(text, environment)
    found += _key(text, key)
    return list(dict.fromkeys(found))


def leaks_of_answer(answer: Exchange, environment: Environment, key: str) -> list[Leak]:
    """As of ``leaks_in``, of an error's body and headers. The header that is declared to name who served
    (``gateway.served_by_header``) names them in errors too."""
    witness = (environment.gateway.served_by_header or "").lower()
    headers = [f"{name}: {value}" for name, value in answer.headers if name.lower() != witness]
    return leaks_in("\n".join([answer.text, *headers]), environment, key)


def _matches(kind: LeakKind, patterns: tuple[re.Pattern[str], ...], text: str) -> Iterator[Leak]:
    for pattern in patterns:
        for match in pattern.finditer(text):
            yield Leak(kind, match[0].strip()[:SHOWN])


def _addresses(text: str, environment: Environment) -> Iterator[Leak]:
    own = urlsplit(environment.gateway.url).hostname or ""
    for url in dict.fromkeys(url for backend in environment.backends for url in backend.urls):
        host = urlsplit(url).hostname or ""
        if host and host != own and _names(text, host):
            yield Leak(LeakKind.ADDRESS, host)
    for match in ADDRESS.finditer(text):
        if match[1] != own and _internal(match[1]):
            yield Leak(LeakKind.ADDRESS, match[0])
    if own != "localhost":
        for match in LOCALHOST.finditer(text):
            yield Leak(LeakKind.ADDRESS, match[0])


def _names(text: str, host: str) -> bool:
    """Whether the host stands in the text; a single word, which may be a product's name, only as address."""
    quoted = re.escape(host)
    if "." in host:
        return re.search(rf"(?<![\w.-]){quoted}(?![\w-]|\.\w)", text) is not None
    return re.search(rf"//{quoted}(?![\w.-])|(?<![\w.-]){quoted}:\d{{2,5}}\b", text) is not None


def _internal(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_private and not found.is_unspecified


def _key(text: str, key: str) -> Iterator[Leak]:
    """The key in any form that a redactor knows (as it is, encoded, hashed), or a large part of it."""
    if Redactor({"key": key})(text) != text:
        yield Leak(LeakKind.KEY, "the key, or a form of it such as its hash")
    elif any(key[at : at + KEY_FRAGMENT] in text for at in range(len(key) - KEY_FRAGMENT + 1)):
        yield Leak(LeakKind.KEY, f"{KEY_FRAGMENT} or more characters of the key")
