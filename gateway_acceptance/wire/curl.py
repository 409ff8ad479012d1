"""A request as the shell command that asks it again, by the way that its environment declares.

It can be pasted where the run was: what is trusted, shown and passed on the way stands in it
(docs/networks.md), and each secret as what brings it (a variable, a file, a program), never as it is.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from gateway_acceptance.environment.secrets import VARIABLE, beside
from gateway_acceptance.redaction import SECRET_HEADERS, SHORTEST_SECRET, STEERING

if TYPE_CHECKING:
    from gateway_acceptance.environment import Environment

SHOWN_BODY = 4000
"""Characters of a body that are kept as evidence."""
MOST_REDACTED = 1 << 16
"""Characters of a text that are redacted: what is shown of it, and what a secret may reach beyond that."""
BORDER = 256
"""Of these the last ones, redacted, are not shown: half a secret that nobody knows may stand there."""
SOME_KEY = "GATEWAY_KEY"
"""The variable that a person puts the key in where the environment names none: the lab makes one up."""
MADE_UP = "made-up"
"""Instead of a key that nobody holds: any will do."""
QUIET = re.compile(r"[\w .:,;/=@%+-]*", re.ASCII)
"""Means nothing to a shell between double quotes, by hand typed (``!``) or not."""
CURLS_OWN = frozenset({"accept-encoding", "connection", "content-length", "host", "user-agent"})
"""Headers that curl sends in words of its own."""
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")
"""What curl would take a proxy from, in capitals too."""


class SentRequest(Protocol):
    """What is read of an ``Exchange``."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def request_headers(self) -> Sequence[tuple[str, str]]: ...
    @property
    def request_body(self) -> bytes: ...
    @property
    def withheld(self) -> bool: ...


class Between(Protocol):
    """What is read of a ``Proxy``."""

    @property
    def url(self) -> str: ...
    @property
    def secure(self) -> bool: ...


class Road(Protocol):
    """What is read of a ``Route``."""

    @property
    def environment(self) -> Environment | None: ...
    @property
    def proxy(self) -> Between | None: ...
    def proxy_of(self, host: str) -> Between | None:
        """As of ``Route``."""


@dataclass(frozen=True)
class Way:
    """route: as declared; secrets: what brings each in a shell (``$NAME``, ``$(cat PATH)``), by its value;
    key_header: the header that a key is sent in; elsewhere: whether the shell names a proxy of its own."""

    route: Road | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    key_header: str = ""
    elsewhere: bool = False


def way_of(route: Road, key: str, variables: Mapping[str, str]) -> Way:
    """The way of an environment's requests. key: its gateway's; variables: those of this process."""
    environment = route.environment
    elsewhere = any(variables.get(name) or variables.get(name.upper()) for name in PROXY_VARIABLES)
    if environment is None:
        return Way(route, {key: f"${SOME_KEY}"}, elsewhere=elsewhere)
    named = {key: _bringing(environment)}
    if environment.gateway.limited_key is not None:
        name = environment.gateway.limited_key.key_variable
        named[variables.get(name, "")] = f"${name}"
    for backend in environment.backends:
        if backend.key_variable is not None:
            named[variables.get(backend.key_variable, "")] = f"${backend.key_variable}"
    for text in environment.network.headers.values():
        named |= {variables.get(name, ""): f"${name}" for name in VARIABLE.findall(text)}
    secrets = {value: shown for value, shown in named.items() if len(value) >= SHORTEST_SECRET}
    return Way(route, secrets, environment.gateway.key_header, elsewhere)


def _bringing(environment: Environment) -> str:
    """What brings the gateway's key in a shell."""
    gateway = environment.gateway
    if gateway.key_variable is not None:
        return f"${gateway.key_variable}"
    if gateway.key_file is not None:
        return f"$(cat {shlex.quote(str(beside(environment, gateway.key_file).absolute()))})"
    if gateway.key_command is not None:
        folder = shlex.quote(str(environment.source.parent.absolute()))
        return f"$(cd {folder} && {shlex.join(gateway.key_command)})"
    return f"${SOME_KEY}"


def command(asked: SentRequest, way: Way | None = None) -> str:
    """The command for a POSIX shell. way: None where nobody knows it: every key is ``$GATEWAY_KEY`` then."""
    way = way or Way()
    method = ["--head"] if asked.method == "HEAD" else ["-X", asked.method]
    parts = ["curl", "-sS", *(["--path-as-is"] if asked.withheld else []), *method, asked.url]
    parts += _on_the_way(asked, way)
    for name, value in _headers(asked, way):
        parts += ["-H", f"{name}: {value}" if value else f"{name};"]
    if asked.request_body and not any(name.lower() == "content-type" for name, _ in asked.request_headers):
        parts += ["-H", "content-type:"]  # curl would call it a form
    if asked.request_body and not _writable(asked.request_body):
        written = shlex.quote(_octal(asked.request_body))
        return f"printf '%b' {written} | {_joined([*parts, '--data-binary', '@-'], way)}"
    if asked.request_body:
        parts += ["--data-raw", cut(asked.request_body.decode())]
    return _joined(parts, way)


def cut(text: str) -> str:
    """A text as far as it is kept as evidence."""
    return text if len(text) <= SHOWN_BODY else _beginning(text, len(text))


def kept(text: str, redact: Callable[[str], str]) -> str:
    """The same, redacted. Of a long text no more is read than may be shown: to look for secrets in megabytes
    takes seconds, and each failed case has its evidence."""
    if len(text) <= MOST_REDACTED:
        return cut(redact(text))
    return _beginning(redact(text[:MOST_REDACTED])[:-BORDER], len(text))


def _beginning(text: str, length: int) -> str:
    return f"{text[:SHOWN_BODY]}… ({length} characters in all)"


def _headers(asked: SentRequest, way: Way) -> Iterator[tuple[str, str]]:
    """Those that curl does not send by itself. A key that the environment does not hold is made up, or, where
    nobody knows what it holds, stands for it."""
    held = f"${SOME_KEY}" if way.route is None and not asked.withheld else MADE_UP
    for name, value in asked.request_headers:
        low = name.lower()
        if any(secret in value for secret in way.secrets):
            yield name, value
        elif low in SECRET_HEADERS or low == way.key_header:
            scheme, _, secret = value.partition(" ")
            yield name, f"{scheme} {held}" if secret else held
        elif asked.withheld or not (low in CURLS_OWN or low.startswith("x-stainless-")):
            yield name, value


def _on_the_way(asked: SentRequest, way: Way) -> list[str]:
    """Options for what is declared of the way to a URL."""
    parts, route = urlsplit(asked.url), way.route
    if route is None or route.environment is None:
        return ["--noproxy", "*"] if way.elsewhere else []
    options = _tls(route.environment, "--") if parts.scheme == "https" else []
    proxy = route.proxy_of(parts.hostname or "")
    if proxy is None:
        return [*options, *(["--noproxy", "*"] if route.proxy is not None or way.elsewhere else [])]
    options += ["--proxy", proxy.url]
    if route.environment.network.proxy_credentials_variable is not None:
        options += ["--proxy-user", _Brought(f"${route.environment.network.proxy_credentials_variable}")]
    if proxy.secure:
        options += _tls(route.environment, "--proxy-")
    return [*options, *(["--proxytunnel"] if asked.withheld else [])]


def _tls(environment: Environment, before: str) -> list[str]:
    network, options = environment.network, []
    for option, path in (
        ("cacert", network.ca_file),
        ("cert", network.client_certificate),
        ("key", network.client_key),
    ):
        if path is not None:
            shown = str(beside(environment, path).absolute())
            # curl reads FILE:PASSWORD there
            options += [before + option, shown.replace(":", "\\:") if option == "cert" else shown]
    return options


class _Brought(str):
    """What a shell is to replace."""

    __slots__ = ()


def _joined(parts: Sequence[str], way: Way) -> str:
    return " ".join(f'"{part}"' if isinstance(part, _Brought) else _word(part, way) for part in parts)


def _word(text: str, way: Way) -> str:
    """One word of a shell's line, each secret in it replaced by what brings it."""
    secrets = dict(way.secrets)
    if way.route is None:
        secrets[f"${SOME_KEY}"] = f"${SOME_KEY}"
    if not any(secret in text for secret in secrets):
        return shlex.quote(text)
    longest_first = sorted(secrets, key=len, reverse=True)
    pieces = re.split(f"({'|'.join(re.escape(secret) for secret in longest_first)})", text)
    plain = pieces[::2]
    brought = [_apart(secrets[one], then) for one, then in zip(pieces[1::2], plain[1:], strict=True)]
    if all(QUIET.fullmatch(piece) for piece in plain):
        return '"' + "".join(_between(plain, brought)) + '"'
    quoted = [shlex.quote(piece) if piece else "" for piece in plain]
    return "".join(_between(quoted, [f'"{one}"' for one in brought]))


def _between(plain: Sequence[str], brought: Sequence[str]) -> Iterator[str]:
    for piece, one in zip(plain, [*brought, ""], strict=True):
        yield piece
        yield one


def _apart(shown: str, then: str) -> str:
    """``$NAME`` so that what follows is no part of the name."""
    return f"${{{shown[1:]}}}" if shown[1:].isidentifier() and re.match(r"\w", then) else shown


def _writable(body: bytes) -> bool:
    """Whether a body stands in a command, and on a screen, as it is."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return STEERING.search(text, 0, SHOWN_BODY) is None


def _octal(body: bytes) -> str:
    r"""As ``printf '%b'`` reads it: ``\0NNN`` for what is no printable ASCII."""
    kept = body[:SHOWN_BODY]
    text = "".join(chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\0{byte:03o}" for byte in kept)
    return text if len(body) == len(kept) else f"{text}… ({len(body)} bytes in all)"
