"""Defects of the gateway that show only while backends are away: the proxy makes them of the real one's
answers. Those that remember do so per run of the matrix: each fault has a gateway of its own."""

from __future__ import annotations

import json
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from lab.faults.model import After, Before, Fault, Layer
from lab.faults.mutators import CHAT, EMBEDDINGS
from lab.message import (
    Json,
    Reply,
    Request,
    edit_events,
    envelope,
    events_of,
    json_reply,
    with_events,
)

BASE = "x-litellm-model-api-base"
LIVES = "llm02-phi3"
"""The alias of one deployment that is left when ``llm-01`` is away."""
TRACE = 'Traceback (most recent call last):\n  File "/opt/gateway/router.py", line 7, in pick\nOSError'
INVENTED = "and so on"
LAST_WORD = "w23"
"""Of every text that the checks of outages have streamed."""


def failed(request: Request, reply: Reply) -> bool:
    """Whether a chat request found nobody to answer it."""
    return request.at(CHAT) and reply.status >= 404


def instead(make: Callable[[Request, Reply], Reply]) -> After:
    """An after-hook for chat requests that failed."""
    return lambda request, reply: make(request, reply) if failed(request, reply) else reply


class DefectMemory:
    """What a defect remembers: the last failure, the last success, errors that it still owes."""

    def __init__(self) -> None:
        self.failed_at = float("-inf")
        self.base = ""
        self.good: Reply | None = None
        self.owed = 0

    def learns(self, request: Request, reply: Reply) -> Reply:
        """An after-hook that only looks."""
        if failed(request, reply):
            self.failed_at = time.monotonic()
        elif request.at(CHAT) and reply.status == 200:
            self.base = next((value for name, value in reply.headers if name.lower() == BASE), self.base)
            self.good = reply if not request.streams else self.good
        return reply

    def lately(self, seconds: float) -> bool:
        """Whether a request failed not longer ago."""
        return time.monotonic() - self.failed_at < seconds


def remembered() -> tuple[None, After]:
    """The last good answer, whatever was asked."""
    memory = DefectMemory()

    def after(request: Request, reply: Reply) -> Reply:
        memory.learns(request, reply)
        return memory.good if failed(request, reply) and memory.good and not request.streams else reply

    return None, after


def pretended() -> tuple[None, After]:
    """An answer in the name of somebody who lives, and was not asked."""
    memory = DefectMemory()

    def after(request: Request, reply: Reply) -> Reply:
        memory.learns(request, reply)
        if not failed(request, reply) or request.streams or not memory.base:
            return reply
        text = str(request.json["messages"][-1]["content"]).rpartition(": ")[2]
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return json_reply(200, {"object": "chat.completion", "choices": [choice]}).with_header(
            BASE, memory.base
        )

    return None, after


def redirected(seconds: float, only: str = "hx-chat") -> tuple[Before, After]:
    """Once a request failed, this alias is served by one deployment of ``llm-02``, for so long."""
    memory = DefectMemory()

    def before(request: Request) -> Request | Reply:
        if memory.lately(seconds) and request.at(CHAT) and request.json.get("model") == only:
            return request.with_json({**request.json, "model": LIVES})
        return request

    return before, memory.learns


def forgotten(alias: str) -> tuple[Before, After]:
    """Once any request failed, this alias is not served any more."""
    memory = DefectMemory()

    def before(request: Request) -> Request | Reply:
        if memory.lately(float("inf")) and request.json.get("model") == alias:
            return envelope(503, "no deployment", "unavailable")
        return request

    return before, memory.learns


def refusing(requests: int, seconds: float, reply: Reply, *paths: str) -> tuple[Before, After]:
    """After each failure so many requests, within so many seconds, get this instead of an answer."""
    memory = DefectMemory()

    def before(request: Request) -> Request | Reply:
        if memory.owed and memory.lately(seconds) and (not paths or request.at(*paths)):
            memory.owed -= 1
            return reply
        return request

    def after(request: Request, answer: Reply) -> Reply:
        if failed(request, answer):
            memory.owed = requests
        return memory.learns(request, answer)

    return before, after


def holding(sends: bytes, most: int | None) -> tuple[None, After]:
    """With each failure one more connection to a backend is opened; the last so many are never closed. most:
    None for all; else one that still waits for its answer is kept, and no other opened."""
    memory, held = DefectMemory(), deque[socket.socket](maxlen=most)

    def after(request: Request, reply: Reply) -> Reply:
        memory.learns(request, reply)
        waits = bool(held) and most is not None and not select.select([held[-1]], [], [], 0)[0]
        if failed(request, reply) and memory.base and not waits:
            parts = urlsplit(memory.base)
            try:
                held.append(socket.create_connection((parts.hostname or "", parts.port or 80), timeout=1))
                held[-1].sendall(sends)
            except OSError:
                return reply
        return reply

    return None, after


def continued(chunks: list[Json]) -> list[Json]:
    """Words that nobody said, where the text broke off."""
    worded = [chunk for chunk in chunks if chunk.get("choices")]  # others are errors, or the usage
    if _said(chunks).endswith(LAST_WORD):
        return chunks
    for chunk in worded[-1:]:
        for choice in chunk["choices"]:
            choice["delta"]["content"] = INVENTED
    return chunks


def leaking_within(trace: str) -> After:
    """A stream whose text broke off tells a stack trace, then ends."""
    error = json.dumps({"error": {"message": trace, "type": "internal", "param": None, "code": "500"}})

    def after(request: Request, reply: Reply) -> Reply:
        events = events_of(reply) if request.streams and reply.status == 200 else []
        chunks = [json.loads(event) for event in events if event != "[DONE]"]
        if not chunks or _said(chunks).endswith(LAST_WORD):
            return reply
        return with_events(reply, [*(json.dumps(chunk) for chunk in chunks), error, "[DONE]"])

    return after


def _said(chunks: list[Json]) -> str:
    return "".join(
        choice["delta"].get("content") or "" for chunk in chunks for choice in chunk.get("choices", [])
    )


def _request(body: bytes) -> bytes:
    head = f"POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def outage_fault(
    name: str, description: str, detected_by: Mapping[str, str], hooks: tuple[Before | None, After | None]
) -> Fault:
    """A defect of the proxy in front of the real gateway, to be seen while backends are away."""
    return Fault(name, Layer.OUTAGE, description, detected_by, before=hooks[0], after=hooks[1])


OUTAGE_FAULTS: tuple[Fault, ...] = (
    outage_fault(
        "outage-no-patience-ends",
        "a request whose backend is silent is never given up",
        {"BACKEND-OUT-001": "black hole llm-01; .*took [0-9.]+ s \\(.*no answer within"},
        (None, instead(lambda _, reply: replace(reply, delay_s=60.0))),
    ),
    outage_fault(
        "outage-errors-spread",
        "after each failure five requests more fail, whoever lives",
        {"BACKEND-OUT-002": "kill llm-01; send: .* requests to hx-chat failed"},
        refusing(5, 5.0, envelope(503, "try again", "overloaded"), CHAT),
    ),
    outage_fault(
        "outage-served-from-memory",
        "what cannot be answered gets the answer to another question",
        {"BACKEND-OUT-003": "answered with something else|which was away"},
        remembered(),
    ),
    outage_fault(
        "outage-lying-success",
        "what cannot be answered is made up, in the name of a backend that lives",
        {
            "BACKEND-OUT-003": "claim to be of llm-0\\d, which counted|"
            "was served by llm-0\\d, which was away|all of its backends were away"
        },
        pretended(),
    ),
    outage_fault(
        "outage-error-as-success",
        "an error comes with status 200",
        {"BACKEND-OUT-003": "answered with something else|all of its backends were away"},
        (None, instead(lambda _, reply: replace(reply, status=200))),
    ),
    outage_fault(
        "outage-other-model",
        "once a backend failed, its own alias is served by another model of another backend",
        {"BACKEND-OUT-003": "llm01-llama3.2-3b was served by llm-02; declared for it: llm-01"},
        redirected(120.0, "llm01-llama3.2-3b"),
    ),
    outage_fault(
        "outage-one-bears-all",
        "for two seconds after a failure one of the survivors gets everything",
        {"BACKEND-OUT-004": "the shares are not the declared ones"},
        redirected(2.0),
    ),
    outage_fault(
        "outage-never-back",
        "a backend that failed once is never asked again",
        {"BACKEND-OUT-005": "revive llm-01: llm-01 served none of"},
        redirected(float("inf")),
    ),
    outage_fault(
        "outage-alias-forgotten",
        "the own alias of a backend that failed is refused from then on",
        {"BACKEND-OUT-005": "llm01-llama3.2-3b is not served again"},
        forgotten("llm01-llama3.2-3b"),
    ),
    outage_fault(
        "outage-takes-gateway-along",
        "after a failure the gateway breaks off the next twenty connections",
        {"BACKEND-OUT-006": "/health/liveliness answered .*broke"},
        refusing(20, 2.0, Reply(200, (), (b" ",), aborted=True)),
    ),
    outage_fault(
        "outage-takes-others-along",
        "after a failure embeddings are refused, whose backend is well",
        {"BACKEND-OUT-006": "embedding request to .*, whose backends were well, got 503"},
        refusing(10, 5.0, envelope(503, "try again", "overloaded"), EMBEDDINGS),
    ),
    outage_fault(
        "outage-leaks-connections",
        "each failure leaves a connection to a backend open",
        {"BACKEND-OUT-007": "connections to llm-0\\d are open"},
        holding(b"", None),
    ),
    outage_fault(
        "outage-never-hangs-up",
        "a request that was given up goes on at its backend",
        {"BACKEND-OUT-007": "requests under way"},
        holding(_request(json.dumps({"model": "phi3", "messages": []}).encode()), 1),
    ),
    outage_fault(
        "outage-late-error",
        "the error comes late though everybody refuses",
        {"BACKEND-OUT-008": "waited [0-9.]+ s for its error"},
        (None, instead(lambda _, reply: replace(reply, delay_s=4.4))),
    ),
    outage_fault(
        "outage-error-in-html",
        "an outage is told in a page for people",
        {"BACKEND-OUT-008": "content", "BACKEND-OUT-009": "content"},
        (
            None,
            instead(
                lambda _, __: Reply(503, (("content-type", "text/html"),), (b"<h1>503</h1>",)),
            ),
        ),
    ),
    outage_fault(
        "outage-error-broken-off",
        "instead of an error the connection breaks",
        {"BACKEND-OUT-009": "the connection broke"},
        (None, instead(lambda _, reply: replace(reply, aborted=True, chunks=(b"{",)))),
    ),
    outage_fault(
        "outage-error-shows-trace",
        "an outage is told with a stack trace",
        {"BACKEND-OUT-010": "stack trace in an error"},
        (None, instead(lambda _, __: envelope(500, TRACE, "internal"))),
    ),
    outage_fault(
        "outage-error-shows-address",
        "an error tells where the gateway's database is",
        {"BACKEND-OUT-010": r"internal address in an error \(500\): 10\.11\.12\.13:5432"},
        (
            None,
            instead(lambda _, __: envelope(500, "10.11.12.13:5432 holds no other deployment", "internal")),
        ),
    ),
    outage_fault(
        "outage-stream-shows-trace",
        "a stream whose backend broke off ends with a stack trace",
        {"BACKEND-OUT-010": "stack trace in an error in mid-stream"},
        (None, leaking_within(TRACE)),
    ),
    Fault(
        "outage-hidden-retries",
        Layer.OUTAGE,
        "a failure is tried three times more than declared",
        {"BACKEND-OUT-011": "the backends were asked \\d+ times for \\d+ requests"},
        repeats=3,
    ),
    outage_fault(
        "outage-stream-goes-on",
        "a stream whose backend broke off goes on with words that nobody said",
        {"BACKEND-OUT-012": "goes on with other words: .*and so on"},
        (None, edit_events(continued)),
    ),
)
