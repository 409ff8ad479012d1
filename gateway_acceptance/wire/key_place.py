"""Where an environment's real key may stand: in the declared header, on the way to its own gateway.

Not in a URL, a cookie, another header or a body: those end in access logs, histories and error messages. The
one exception is a check of effect ``expose``, where the policy permits that (docs/ways-in.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from gateway_acceptance.redaction import SHORTEST_SECRET, written_forms


class MisplacedKey(RuntimeError):  # noqa: N818  (it names what is wrong)
    """We were about to send a real key where it does not belong: our own bug, and nothing was sent."""


@dataclass(slots=True)
class KeyPlaces:
    """Every real key of a run, with the (header, origin) pairs where it belongs: environments may share a key
    and declare different headers. exposing: the running case may show it (effect ``expose``)."""

    exposing: bool = False
    _keys: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    def add(self, key: str, header: str, url: str) -> None:
        """A key belongs into this header, to the server of this URL; shorter ones are no secrets."""
        if len(key) >= SHORTEST_SECRET:
            self._keys.setdefault(key, set()).add((header.lower(), _origin(url)))

    def check(
        self, url: str, headers: Sequence[tuple[str, str]], body: bytes = b"", target: str = ""
    ) -> None:
        """Raises MisplacedKey where a request holds a real key at any other place. target: what stands in the
        request line, where that is not the URL's path."""
        if self.exposing:
            return
        origin = _origin(url)
        for key, places in self._keys.items():
            forms = written_forms(key)
            if _holds(url, forms) or _holds(target, forms):
                raise MisplacedKey("the environment's key was about to be sent in a URL")
            for name, value in headers:
                if not _holds(value, forms) or (name.lower(), origin) in places:
                    continue
                named = name.lower() in {header for header, _ in places}
                if named and origin not in {known for _, known in places}:
                    raise MisplacedKey("the environment's key was about to be sent to another server")
                raise MisplacedKey(f"the environment's key was about to be sent in the header {name}")
            if _holds(body.decode("utf-8", errors="replace"), forms):
                raise MisplacedKey("the environment's key was about to be sent in a body")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _holds(text: str, forms: Sequence[str]) -> bool:
    return any(form in text or form in unquote(text) for form in forms)
