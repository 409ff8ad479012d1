"""Legal forms of server-sent events, and of chunks. Source: WHATWG HTML 9.2; OpenAI's own streams."""

from __future__ import annotations

import json
from collections.abc import Callable

from lab.controls.model import Control
from lab.faults.model import After
from lab.message import Json, Reply, Request, edit_events, events_of

STREAMS = (
    *(f"API-STREAM-0{tens}" for tens in range(8)),
    *(f"API-STREAM-08{one}" for one in range(5)),
    *("API-SDK-006", "API-SDK-013"),
)
"""All but those of pace and of leaving, which take their time."""
FRAMING = (
    *(f"API-STREAM-{rule}" for rule in ("010", "011", "012", "014", "016", "020", "021", "080", "082")),
    "API-SDK-006",
)
"""What looks at how events are written."""
CHUNKS = (
    *(
        f"API-STREAM-{rule}"
        for rule in ("025", "035", "036", "038", "039", "041", "042", "050", "052", "054")
    ),
    *(f"API-STREAM-{rule}" for rule in ("070", "072", "073", "076")),
    "API-SDK-007",
)
"""What looks at how chunks follow one another."""
CALLS = (*(f"API-STREAM-{rule}" for rule in ("055", "060", "061", "063", "064", "065")), "API-SDK-013")
"""What looks at calls in streams."""
MIXED = ("\n\n", "\r\n\r\n")
BOM = b"\xef\xbb\xbf"


def framed(frame: Callable[[int, str], bytes], before: bytes = b"") -> After:
    """An after-hook that writes each event anew. frame: number and data -> bytes."""

    def after(request: Request, reply: Reply) -> Reply:
        if not request.streams or reply.status != 200:
            return reply
        frames = [frame(number, data) for number, data in enumerate(events_of(reply))]
        return Reply(reply.status, reply.headers, (before + frames[0], *frames[1:]) if frames else (before,))

    return after


def _two_lines(_: int, data: str) -> bytes:
    """The JSON over two data lines: a reader joins them with a line feed, which is white space in JSON."""
    if data == "[DONE]":
        return b"data: [DONE]\n\n"
    return f"data: {{\ndata: {data[1:]}\n\n".encode()


def _each(change: Callable[[Json], None]) -> After:
    def changed(chunks: list[Json]) -> list[Json]:
        for chunk in chunks:
            change(chunk)
        return chunks

    return edit_events(changed)


def _obfuscated(chunk: Json) -> None:
    chunk["obfuscation"] = "kY2b7Q"
    chunk["service_tier"] = "default"
    if not chunk.get("usage"):
        for choice in chunk.get("choices") or []:
            choice.setdefault("logprobs", None)


def _usage_null(request: Request, reply: Reply) -> Reply:
    if not request.json.get("stream_options"):
        return reply
    return _each(lambda chunk: chunk.setdefault("usage", None))(request, reply)


def _role_alone(chunks: list[Json]) -> list[Json]:
    """OpenAI's first chunk: the role and an empty text, before anything is said."""
    first = next((chunk for chunk in chunks if chunk.get("choices")), None)
    if first is None:
        return chunks
    opening = json.loads(json.dumps(first))
    opening.pop("usage", None)
    opening["choices"] = [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            choice["delta"].pop("role", None)
    return [opening, *chunks]


STREAM_CONTROLS = (
    Control(
        "right-sse-crlf",
        "events end their lines with CR LF",
        after=framed(lambda _, data: f"data: {data}\r\n\r\n".encode()),
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-sse-comments",
        "comments before and between events, as OpenRouter sends them to keep a connection open",
        after=framed(lambda _, data: f"data: {data}\n\n: ping\n\n".encode(), b": PROCESSING\n\n"),
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-sse-no-blank",
        "no blank after data:",
        after=framed(lambda _, data: f"data:{data}\n\n".encode()),
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-sse-fields",
        "events have an id, and the first a retry time",
        after=framed(lambda number, data: f"id: {number}\ndata: {data}\n\n".encode(), b"retry: 3000\n"),
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-sse-blank-lines",
        "blank lines before and between events, and a blank comment",
        after=framed(lambda _, data: f"data: {data}\n\n\n:\n\n".encode(), b"\n\n"),
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-sse-mixed-ends",
        "lines end with LF here and with CR LF there, as behind two proxies",
        after=framed(lambda number, data: f"data: {data}{MIXED[number % 2]}".encode()),
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-sse-bom",
        "the stream begins with a byte order mark, which readers drop",
        after=framed(lambda _, data: f"data: {data}\n\n".encode(), BOM),
        checks=("API-STREAM-00", "API-STREAM-01", "API-STREAM-02"),
        concerns=("API-STREAM-010", "API-STREAM-014", "API-STREAM-020"),
    ),
    Control(
        "right-sse-two-data-lines",
        "the JSON of an event is spread over two data lines",
        after=framed(_two_lines),
        checks=STREAMS,
        concerns=FRAMING,
    ),
    Control(
        "right-chunks-obfuscated",
        "chunks carry further fields, as OpenAI's do: obfuscation, service_tier, logprobs null",
        after=_each(_obfuscated),
        checks=STREAMS,
        concerns=CHUNKS,
    ),
    Control(
        "right-chunks-usage-null",
        "with include_usage every chunk but the last has usage null, as OpenAI's do",
        after=_usage_null,
        checks=STREAMS,
        concerns=CHUNKS,
    ),
    Control(
        "right-chunks-role-alone",
        "the role comes first and alone, with an empty text",
        after=edit_events(_role_alone),
        checks=STREAMS,
        concerns=CHUNKS,
    ),
)
