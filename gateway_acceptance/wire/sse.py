"""Server-sent events, parsed as the WHATWG HTML standard says (section 9.2.6), from chunks as they arrive.

The parser is a pure function of the bytes: how they were cut into chunks changes only the times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway_acceptance.check import MUST, SHOULD
from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.rule import Rule, catalogue, collapse, quoted

HTML = "WHATWG HTML 9.2.6"

UTF8 = Rule("sse.utf8", MUST, "an event stream is UTF-8", "WHATWG HTML 9.2.5")
INCOMPLETE = Rule("sse.event.incomplete", MUST, "a blank line ends the last event; else it is lost", HTML)
UNKNOWN = Rule("sse.field.unknown", SHOULD, "every line is a comment or a field; others are ignored", HTML)
NULL_ID = Rule("sse.id.null", SHOULD, "an id holds no U+0000; else it is ignored", HTML)
RETRY = Rule("sse.retry.digits", SHOULD, "retry is a number of milliseconds; else it is ignored", HTML)

RULES = catalogue(UTF8, INCOMPLETE, UNKNOWN, NULL_ID, RETRY)
"""Every rule that the parser can report."""

BOM = b"\xef\xbb\xbf"
LINE_END = re.compile(rb"\r\n|\r|\n")
DEFAULT_TYPE = "message"


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One dispatched event.

    event: its type, ``message`` where the stream named none. id: the last id seen so far. at: seconds, when
    the chunk that completed the event arrived. index: number of the event in the stream, from 0.
    """

    data: str
    event: str
    id: str
    at: float
    index: int


@dataclass(frozen=True, slots=True)
class SseStream:
    """A whole event stream. retry: the last reconnection time in milliseconds, or None."""

    events: tuple[SseEvent, ...]
    comments: tuple[str, ...]
    retry: int | None
    problems: list[Problem]


@dataclass(slots=True)
class SseParser:
    """The parser, fed with chunks. ``feed`` returns the events that the chunk completed."""

    events: list[SseEvent] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    retry: int | None = None
    _partial: list[bytes] = field(default_factory=list)
    _after_cr: bool = False
    _lines: int = 0
    _pending: bool = False
    _data: list[str] = field(default_factory=list)
    _type: str = ""
    _id: str = ""

    def feed(self, at: float, chunk: bytes) -> list[SseEvent]:
        """Take one chunk, which arrived at ``at`` (seconds)."""
        before = len(self.events)
        if chunk and self._after_cr:
            chunk = chunk.removeprefix(b"\n")  # the second half of a CRLF cut in two
            self._after_cr = False
        first, *others = LINE_END.split(chunk)
        self._partial.append(first)
        for rest in others:
            self._line(b"".join(self._partial), at)
            self._partial = [rest]
        self._after_cr = self._after_cr or chunk.endswith(b"\r")
        return self.events[before:]

    def close(self) -> None:
        """The stream has ended: whatever is not complete is lost, and reported."""
        rest = b"".join(self._partial)
        self._partial = []
        if rest:
            self._line(rest, 0.0)
        if self._pending:
            lost = "\n".join(self._data)
            self.problems.append(
                INCOMPLETE.problem(f"the stream ends inside an event, whose data so far is {quoted(lost)}")
            )
            self._reset()

    def _line(self, raw: bytes, at: float) -> None:
        raw = raw.removeprefix(BOM) if self._lines == 0 else raw
        self._lines += 1
        where = f"line {self._lines}"
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw.decode("utf-8", errors="replace")
            self.problems.append(
                UTF8.problem(f"invalid UTF-8 at byte {error.start} of {quoted(line)}", where)
            )
        if not line:
            self._dispatch(at)
        elif line.startswith(":"):
            self.comments.append(line[1:].removeprefix(" "))
        else:
            name, _, value = line.partition(":")
            self._field(name, value.removeprefix(" "), where)

    def _field(self, name: str, value: str, where: str) -> None:
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id":
            if "\0" in value:
                self.problems.append(NULL_ID.problem(f"id is {quoted(value)}", where))
            else:
                self._id = value
        elif name == "retry":
            if value.isascii() and value.isdigit() and len(value) <= 18:  # more digits fit no 64-bit integer
                self.retry = int(value)
            else:
                self.problems.append(RETRY.problem(f"retry is {quoted(value)}", where))
            return  # takes effect at once: no event is begun
        else:
            self.problems.append(
                UNKNOWN.problem(f"expected data, event, id, retry or a comment, got {quoted(name)}", where)
            )
            return
        self._pending = True

    def _dispatch(self, at: float) -> None:
        if self._data:
            data = "\n".join(self._data)
            self.events.append(SseEvent(data, self._type or DEFAULT_TYPE, self._id, at, len(self.events)))
        self._reset()

    def _reset(self) -> None:
        self._pending, self._data, self._type = False, [], ""


def parse_sse(chunks: Iterable[tuple[float, bytes]]) -> SseStream:
    """Parse a whole stream of (seconds since sending, raw bytes). Never raises."""
    parser = SseParser()
    for at, chunk in chunks:
        parser.feed(at, chunk)
    parser.close()
    return SseStream(tuple(parser.events), tuple(parser.comments), parser.retry, collapse(parser.problems))
