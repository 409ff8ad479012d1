"""Where each exchange is entered: before it is sent, and when it has ended. Every client passes here.

Before: whoever may refuse a request (``Conduct.before``), then the budget, written down before a byte leaves.
During: bytes with their times, up to a size. After: the tokens told, the notebook of the running case, and
whoever looks at every exchange (``Conduct.after``).
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway_acceptance.policy import Budget
from gateway_acceptance.wire.deadline import Allowance, Deadline
from gateway_acceptance.wire.exchange import Exchange, Headers, Notebook
from gateway_acceptance.wire.pace import Pace
from gateway_acceptance.wire.route import Route
from gateway_acceptance.wire.structure import Structure

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes, after decompression, at which a body is cut off: a hostile target must not fill the machine."""

MOST_OF_A_CASE = 64 * 1024 * 1024
"""The same of all answers of one case, which may hold them all at once."""

KEPT_OF_TOO_MUCH = 64 * 1024
"""Bytes that are kept of a body that was cut off."""

MOST_PIECES = 50_000
"""Pieces of a body whose times are kept apart; what comes in smaller ones is joined to the last."""

TOKENS_PER_CHARACTER = 0.4
STREAMED = re.compile(rb'"(?:content|text|arguments|reasoning_content|delta)"\s*:\s*"[^"]')
"""A piece of a streamed answer."""
SAID = re.compile(r'"(?:content|text|prompt|input)"\s*:\s*"((?:[^"\\]|\\.)*)"')
TOOLS = re.compile(r'"(?:tools|functions)"\s*:\s*(\[.*\])')
WORD = re.compile(r"\w+|[^\w\s]")
TOTAL_TOKENS = re.compile(rb'"total_tokens"\s*:\s*([0-9]{1,9})')
OK, REDIRECTION = 200, 300
MOST_COUNTED = 10**9
"""Tokens that one answer may tell: more is no count, and a number of thousands of digits would not fit into
the budget's file."""
DEFAULT_MAX_TOKENS = 256
"""What is reserved for an answer whose request sets no limit."""

Before = Callable[[Exchange], None]
After = Callable[[Exchange], None]


@dataclass
class Conduct:
    """How a run behaves towards one environment, on every connection of every client.

    before: each is asked before a request leaves, with what is about to be sent; raising (NotPermitted,
    Untestable) keeps it from being sent. after: each is told every exchange that has ended, once, whole, by
    the thread that made it. poll_s, silent: as of ``Allowance``, for requests that wait for an answer;
    pace: how fast, and how many at once; route: the way there.
    """

    before: list[Before] = field(default_factory=list)
    after: list[After] = field(default_factory=list)
    poll_s: float | None = None
    silent: Callable[[str, float], None] | None = None
    pace: Pace | None = None
    route: Route = field(default_factory=Route)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one exchange. tokens: the most that it may cost; served_by: names the backend of an
    answer; undone: whether a content-encoding is undone before the body is noted."""

    limit: Deadline
    tokens: int = 0
    served_by: Callable[[Exchange], str] | None = None
    undone: bool = False


class TooMuch(Exception):  # noqa: N818  (a finding about an answer)
    """An answer broke a limit: its size, its structure, or an encoding that nobody asked for."""


class Entry:
    """One exchange while it happens. error: what broke, in words, or empty; read_at: seconds since sending
    when the last piece came; dropped: as of ``Exchange``; whole: the body came to its end."""

    def __init__(
        self, ledger: Ledger, asked: Exchange, terms: Terms, allowance: Allowance, place: int | None = None
    ) -> None:
        self._place = place
        self._ledger, self._asked, self.terms, self.allowance = ledger, asked, terms, allowance
        self._chunks: list[tuple[float, bytes]] = []
        self._size, self._elapsed, self._closed = 0, 0.0, False
        self._structure = Structure()
        self._status: int | None = None
        self._headers: Headers = ()
        self._connection = 0
        self.error = ""
        self.served_by = ""
        self.read_at = 0.0
        self.dropped = False
        self.whole = False

    def head(self, status: int, headers: Headers, connection: int) -> None:
        """The answer's head came, on the connection of that number."""
        self.allowance.head_has_come()
        self._status, self._headers, self._connection = status, tuple(headers), connection

    def read(self, data: bytes) -> None:
        """Bytes of the body came. Raises TooMuch."""
        self.read_at = at = time.monotonic() - self.allowance.begun
        if len(self._chunks) < MOST_PIECES:
            self._chunks.append((at, data))
        else:
            self._joined(data)
        self._size += len(data)
        self._ledger.notebook.arrived += len(data)
        if self._ledger.notebook.arrived > MOST_OF_A_CASE:
            self._chunks = _beginning(self._chunks)
            raise TooMuch(f"the answers of one check are larger than {MOST_OF_A_CASE} bytes together")
        if self._size > LARGEST_BODY:
            self._chunks = _beginning(self._chunks)
            raise TooMuch(f"the answer is larger than {LARGEST_BODY} bytes")
        if too_much := self._structure.add(data):
            self._chunks = _beginning(self._chunks)
            raise TooMuch(too_much)
        if self.allowance.left() <= 0:
            raise TooMuch(f"the answer was not complete within {self.terms.limit.total_s:g} s")

    def _joined(self, data: bytes) -> None:
        """Beyond so many pieces: joined to the last one, by doubling it, so that it costs no square."""
        at, last = self._chunks[-1]
        if len(last) > KEPT_OF_TOO_MUCH:
            self._chunks.append((at, data))
        else:
            self._chunks[-1] = (at, last + data)

    def close(self, error: str = "") -> None:
        """It has ended; at most once."""
        if self._closed:
            return
        self._closed = True
        self.error = self.error or error
        self._elapsed = time.monotonic() - self.allowance.begun
        free(self._place)
        self._ledger.close(self)

    def abandon(self) -> None:
        """It was never sent, for it was no HTTP: nothing is noted."""
        if not self._closed:
            self._closed = True
            free(self._place)

    def exchange(self) -> Exchange:
        """What was asked and what has arrived."""
        return replace(
            self._asked,
            status=self._status,
            headers=self._headers,
            chunks=tuple(self._chunks),
            elapsed_s=self._elapsed or time.monotonic() - self.allowance.begun,
            first_byte_s=self._chunks[0][0] if self._chunks else None,
            error=self.error,
            served_by=self.served_by,
            connection=self._connection,
            dropped=self.dropped,
            whole=self.whole,
        )


class Ledger:
    """The one place that every exchange passes, before and after. budget: None for what is not the target's
    cost."""

    def __init__(self, notebook: Notebook, budget: Budget | None, conduct: Conduct) -> None:
        self.notebook, self._budget, self.conduct = notebook, budget, conduct

    def open(self, method: str, url: str, headers: Headers, body: bytes, terms: Terms) -> Entry:
        """Before sending. Raises NotPermitted, or what a rule of the conduct raises; then nothing is sent."""
        asked = Exchange(method, url, tuple(headers), body, sent_at=time.time())
        place = self.taken()
        try:
            self.admit(asked, terms)
        except BaseException:
            free(place)
            raise
        return Entry(self, asked, terms, self.allowance(url, terms), place)

    def allowance(self, url: str, terms: Terms) -> Allowance:
        """What an exchange that begins now may take."""
        silent = self.conduct.silent
        return Allowance(
            terms.limit,
            poll_s=self.conduct.poll_s,
            silent=None if silent is None else lambda quiet_s: silent(url, quiet_s),
        )

    def close(self, entry: Entry) -> None:
        """After an exchange has ended: what is to be noted of it is noted."""
        if entry.terms.served_by is not None:
            entry.served_by = entry.terms.served_by(entry.exchange())
        self.note(entry.exchange(), entry.terms)

    def taken(self) -> int | None:
        """A place among those that may be asked at once."""
        return self.conduct.pace.place() if self.conduct.pace is not None else None

    def admit(self, asked: Exchange, terms: Terms, target: str = "") -> None:
        """Whether a request may be sent: asked before every one. target: of the request line, where that is
        not the URL's path. Raises as ``open``, MisplacedKey where a real key stands in a wrong place."""
        self.notebook.key_places.check(asked.url, asked.request_headers, asked.request_body, target)
        for rule in self.conduct.before:
            rule(asked)
        if self._budget is not None:
            self._budget.reserve(terms.tokens)
        self.notebook.meter.sent(terms.tokens)
        if self.conduct.pace is not None:
            self.conduct.pace.wait()

    def note(self, exchange: Exchange, terms: Terms) -> None:
        """The one place that every exchange passes which has ended."""
        if self._budget is not None and terms.tokens:
            reported = tokens_reported(exchange, terms.tokens)
            self._budget.settle(terms.tokens, reported)
            self.notebook.meter.settle(reported - terms.tokens, tokens_served(exchange, terms.tokens))
        self.notebook.exchanges.append(exchange)
        if self.conduct.pace is not None:
            self.conduct.pace.observe(exchange)
        for observer in self.conduct.after:
            observer(exchange)


def free(place: int | None) -> None:
    """Give a place back."""
    if place is not None:
        os.close(place)


def tokens_reported(exchange: Exchange, reserved: int) -> int:
    """What an exchange has cost: its reservation, or more where ``usage.total_tokens`` tells more.

    Nobody frees budget by what a gateway tells.
    """
    try:
        total = int(json.loads(exchange.body)["usage"]["total_tokens"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return reserved
    return max(min(total, MOST_COUNTED), reserved)


def tokens_served(exchange: Exchange, reserved: int) -> int:
    """What an exchange took, as its answer tells, whole or in its stream: for what a plan expects, and for
    no budget. What was refused took nothing; of a stream that does not tell, each piece is one, and each word
    of the request; any other answer that does not tell may have taken its reservation."""
    if exchange.status is None or not OK <= exchange.status < REDIRECTION:
        return 0
    reported = [int(number) for number in TOTAL_TOKENS.findall(exchange.body)]
    if any(reported):
        return max(reported)
    pieces = len(STREAMED.findall(exchange.body)) if exchange.body.startswith(b"data:") else 0
    if not pieces:
        return reserved
    asked = exchange.request_body.decode("utf-8", errors="replace")
    said = " ".join([*(match[1] for match in SAID.finditer(asked)), *TOOLS.findall(asked)])
    return min(reserved, pieces + len(WORD.findall(said)))


def tokens_needed(text: str, max_tokens: int | None, answers: int = 1) -> int:
    """An upper estimate for a request: its text, and the answers that it may bring."""
    answer = DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens
    return int(len(text) * TOKENS_PER_CHARACTER) + 1 + answer * answers


def reservation(body: bytes) -> int:
    """The most that a request may cost by its own words: text, ``max_tokens``, ``n``; 0 without body."""
    if not body:
        return 0
    text = body.decode("utf-8", errors="replace")
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        return tokens_needed(text, None)
    limits = (asked.get(name) for name in ("max_tokens", "max_completion_tokens", "max_output_tokens"))
    limit = next((value for value in limits if _counts(value)), 0 if "input" in asked else None)
    answers = asked.get("n")
    return tokens_needed(text, limit, int(answers or 1) if _counts(answers) else 1)


def _counts(value: Any) -> bool:
    return type(value) is int and value > 0


def _beginning(chunks: Sequence[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
    kept, size = [], 0
    for at, data in chunks:
        kept.append((at, data[: KEPT_OF_TOO_MUCH - size]))
        size += len(data)
        if size >= KEPT_OF_TOO_MUCH:
            break
    return kept
