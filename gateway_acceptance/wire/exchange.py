"""One request and what came back, as raw as it crossed the wire; and the notebook of the running case."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway_acceptance.redaction import SECRET_HEADERS, Redactor
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.curl import SHOWN_BODY, Way, command, kept
from gateway_acceptance.wire.key_place import KeyPlaces
from gateway_acceptance.wire.meter import Meter

OWN_KEY = re.compile(r"(?:Bearer )?\[redacted:key of [^\]]+\]")
"""The value of the header that carries the environment's own key, as it is shown."""
PLAIN_HEADERS = frozenset(
    {"host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length"}
)

LEFT = "left before an answer came"
"""The error of an exchange that this side ended: nothing is known of the other's."""

MUCH = 4 << 20
"""Bytes of answers after which it is worth a moment to look for what nobody needs any more."""

REFUSED_FROM = 400
"""From this status on an answer is a refusal or a failure."""

__all__ = ["LEFT", "REFUSED_FROM", "SHOWN_BODY", "Exchange", "Headers", "Notebook"]

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer.

    chunks: (seconds since sending, raw bytes) as they arrived; status: None where no HTTP answer came, then
    ``error`` says why in words. elapsed_s and first_byte_s: seconds since sending; sent_at: Unix seconds;
    connection: the number of the connection that it came on, among those of this process; 0 where unknown.
    dropped: it was sent on a connection that had been used before, and the server had closed that without a
    byte; it was asked again on a fresh one. withheld: it was asked where nobody should get in, so nothing
    that it showed is kept as evidence. whole: the answer was read to its end.
    """

    method: str
    url: str
    request_headers: Headers
    request_body: bytes
    status: int | None = None
    headers: Headers = ()
    chunks: Sequence[tuple[float, bytes]] = ()
    elapsed_s: float = 0.0
    first_byte_s: float | None = None
    error: str = ""
    served_by: str = ""
    sent_at: float = 0.0
    connection: int = 0
    dropped: bool = False
    withheld: bool = False
    whole: bool = True

    def answered(self, **answer: Any) -> Exchange:
        """The same request with its answer: fields of this class by name."""
        return replace(self, **answer)

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(data for _, data in self.chunks)

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 become U+FFFD."""
        return self.body.decode("utf-8", errors="replace")

    def header(self, name: str) -> str | None:
        """The first header of that name, case-insensitive, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def json(self) -> Any:
        """The body as JSON. Raises CheckFailed, with what came instead, where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            shown = self.text[:200] or "an empty body"
            raise CheckFailed(
                f"expected a JSON body from {self.method} {self.url}, got status {self.status} and: {shown}"
            ) from None

    def curl(self, way: Way | None = None) -> str:
        """The request as a shell command, as of ``wire.curl.command``."""
        return command(self, way)

    def evidence(self, redact: Redactor, way: Way | None = None) -> dict[str, object]:
        """The exchange as the record keeps it: redacted and cut. way: by which it is asked again."""
        return {
            "method": self.method,
            "url": redact(self.url),
            "status": self.status,
            "error": redact(self.error),
            "elapsed_s": round(self.elapsed_s, 4),
            "first_byte_s": None if self.first_byte_s is None else round(self.first_byte_s, 4),
            "served_by": redact(self.served_by),
            "curl": redact(self.curl(way)),
            "request": kept(self.request_body.decode("utf-8", errors="replace"), redact),
            "response": kept(self._shown(), redact),
            "headers": redact.headers(self.headers),
            **self._conditions(redact),
        }

    def _conditions(self, redact: Redactor) -> dict[str, object]:
        """What else a rule must know to judge it once more: when it was sent, with whose key, with which
        headers that ordinary requests do not have, and that it was not read to its end."""
        own = any(OWN_KEY.fullmatch(redact(value)) for _, value in self.request_headers)
        bent = sorted({name.lower() for name, _ in self.request_headers} - PLAIN_HEADERS)
        unusual = [
            name for name in bent if name not in SECRET_HEADERS and not name.startswith("x-stainless-")
        ]
        return {
            "sent_at": round(self.sent_at, 3),
            **({"own_key": True} if own else {}),
            **({"bent": [redact(name) for name in unusual]} if unusual else {}),
            **({} if self.whole else {"whole": False}),
        }

    def _shown(self) -> str:
        """The body as far as it may be kept: refusals always, what an open door showed never."""
        if self.withheld and (self.status or 0) < REFUSED_FROM and self.body:
            return f"({len(self.body)} bytes, not kept: nobody without a key should have been shown them)"
        return self.text


@dataclass(slots=True)
class Notebook:
    """What the running case observed. facts: measured values by name, for the tracker; pictures: SVG
    documents by name, for tracker and report; key_places: where real keys may stand, of the whole run;
    meter: what was sent; agent: the run and the check, as requests tell the target; nonce: a word for its
    logs, or empty; arrived: bytes of answers in the running case."""

    exchanges: list[Exchange] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    key_places: KeyPlaces = field(default_factory=KeyPlaces)
    meter: Meter = field(default_factory=Meter)
    agent: str = ""
    nonce: str = ""
    arrived: int = 0

    def show(self, exchange: Exchange) -> None:
        """Make it the last one, once: what a finding gives as the request to ask again."""
        self.exchanges[:] = [one for one in self.exchanges if one != exchange] + [exchange]

    def clear(self, *, exposing: bool = False) -> None:
        """A new case begins. exposing: it may show the real key (effect ``expose``)."""
        self.key_places.exposing = exposing
        self.exchanges = []
        self.facts = {}
        self.pictures = {}
        if self.arrived > MUCH:
            gc.collect()  # failures hold their frames, in circles, and these the answers
        self.arrived = 0
        self.meter.begin()
