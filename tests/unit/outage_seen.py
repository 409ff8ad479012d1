"""Programs of outages as tests make them up: ``both`` stands on ``one`` and ``two``, ``emb`` on ``two``."""

from __future__ import annotations

import json
import math
from typing import Any

from gateway_acceptance.disruptor import OutageKind
from gateway_acceptance.outage.program import ObservedRequest, Program, RequestKind, Span
from gateway_acceptance.wire.exchange import Exchange
from tests.unit.declared import environment

ENVIRONMENT = environment(bounds={"concurrency": 4}, outage={"patience_s": 5, "cooldown_s": 1, "retries": 0})
KEY = "sk-none-of-this-is-in-any-answer"
ENVELOPE = {"error": {"message": "no", "type": "overloaded", "param": None, "code": "503"}}


def exchange(status: int, document: Any, *, kind: str = "application/json") -> Exchange:
    """An answer; a text is sent as it is."""
    body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
    headers = [("content-type", kind)]
    return Exchange("POST", "http://x", (), b"", status=status, headers=headers, chunks=[(0.1, body)])


def answered(text: str = "mark-1", by: str = "one", **more: Any) -> ObservedRequest:
    """A chat request that was served."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return asked(exchange(200, {"choices": [choice]}), witness=by, **more)


def refused(
    document: Any = ENVELOPE, status: int = 503, *, kind: str = "application/json", **more: Any
) -> ObservedRequest:
    """A chat request that got an error."""
    return asked(exchange(status, document, kind=kind), **more)


def asked(answer: Exchange | None, **more: Any) -> ObservedRequest:
    """A request at second 2 to 2.1, in the middle of ``away``."""
    given = {"alias": "both", "begun": 2.0, "ended": 2.1, "mark": "mark-1", "expects": "mark-1", "step": 1}
    return ObservedRequest(way=more.pop("way", RequestKind.CHAT), exchange=answer, **{**given, **more})


def stream(
    *texts: str, finish: str | None = "stop", done: bool = True, frame: str = "", **more: Any
) -> ObservedRequest:
    """A streamed answer of these pieces. frame: the data of one more event after them."""
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks = [
        {**base, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
        for text in texts
    ]
    if finish:
        chunks.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    said = [
        *(json.dumps(chunk) for chunk in chunks),
        *([frame] if frame else []),
        *(["[DONE]"] if done else []),
    ]
    body = "".join(f"data: {data}\n\n" for data in said)
    return asked(
        exchange(200, body, kind="text/event-stream"),
        way=RequestKind.STREAM,
        **{"expects": "one two", **more},
    )


def away(*backends: str, kind: OutageKind = OutageKind.KILL, till: float = math.inf) -> list[Span]:
    """Outages from second 1 on."""
    return [Span(name, kind, asked=0.9, begun=1.0, ended=till, restored=till) for name in backends]


def program(*seen: ObservedRequest, spans: list[Span] | None = None, **more: Any) -> Program:
    """A program of two steps."""
    return Program(steps=["kill one", "send"], seen=list(seen), spans=spans or away("one"), **more)
