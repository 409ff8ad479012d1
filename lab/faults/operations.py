"""Defects of time, load and HTTP."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from lab.faults.model import Before, Fault, gateway_fault
from lab.faults.mutators import BARE_CRASH, CHAT, MODELS, answers
from lab.message import Reply, Request, envelope, json_reply

LIVENESS = "/liveliness"
READINESS = "/readiness"

SLOW_HEALTH_S, SLOW_TOKEN_S, SLOW_ANSWER_S = 2.5, 4.5, 8.5
"""Each a little more than the bound that ``local`` declares."""
AT_ONCE_S = 1.0
"""Requests that arrive within this time count as sent at once."""

ALIVE = replace(json_reply(200, "alive"), delay_s=SLOW_HEALTH_S)
BAD_SYNTAX = Reply(400, (("content-type", "text/html"),), (b"<p>Message: Bad request syntax</p>",))
READY = replace(json_reply(200, {"status": "healthy"}), delay_s=SLOW_HEALTH_S)


def crowd_refused(most: int) -> Before:
    """A before-hook that refuses chat beyond so many requests at once."""
    recent: deque[float] = deque()

    def before(request: Request) -> Request | Reply:
        if not request.at(CHAT):
            return request
        now = time.monotonic()
        while recent and now - recent[0] > AT_ONCE_S:
            recent.popleft()
        recent.append(now)
        return envelope(429, "too many requests", "rate_limit") if len(recent) > most else request

    return before


class _LeavesBodies:
    """The body of a refused request is read as the beginning of the next one on its connection, as Python's
    http.server does where a handler answers before it has read."""

    def __init__(self) -> None:
        self._left, self._lock = set[str](), threading.Lock()

    def before(self, request: Request) -> Request | Reply:
        """A before-hook."""
        with self._lock:
            if request.peer not in self._left:
                return request
            self._left.discard(request.peer)
        return BAD_SYNTAX

    def after(self, request: Request, reply: Reply) -> Reply:
        """An after-hook."""
        if request.body and reply.status >= 400:
            with self._lock:
                self._left.add(request.peer)
        return reply


LEAVES_BODIES = _LeavesBodies()


def busy_means_dead() -> Before:
    """A before-hook that makes liveness wait while chat is under way."""
    last = [float("-inf")]

    def before(request: Request) -> Request | Reply:
        if request.at(CHAT):
            last[0] = time.monotonic()
        busy = time.monotonic() - last[0] < AT_ONCE_S
        return ALIVE if request.at(LIVENESS) and busy else request

    return before


def delayed(seconds: float, when: Callable[[Request], bool]) -> Callable[[Request, Reply], Reply]:
    """An after-hook that keeps chat completions back."""
    return lambda request, reply: (
        replace(reply, delay_s=seconds) if request.at(CHAT) and when(request) else reply
    )


def of_phi3(request: Request) -> bool:
    """Whether one model is asked: a slow one is enough."""
    return request.json.get("model") == "llm02-phi3"


OPERATION_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "liveness-slow",
        "liveness calls every model, and takes its time",
        {"API-OPS-003": "within 2 s, it took"},
        before=answers(ALIVE, LIVENESS),
    ),
    gateway_fault(
        "readiness-slow",
        "readiness takes its time",
        {"API-OPS-004": "within 2 s, it took"},
        before=answers(READY, READINESS),
    ),
    gateway_fault(
        "readiness-untrue",
        "readiness says healthy while no chat is served",
        {"API-OPS-005": "says ready, and a chat completion gets 503"},
        before=answers(envelope(503, "no deployment", "unavailable"), CHAT),
    ),
    gateway_fault(
        "busy-means-dead",
        "liveness waits for the requests that are under way",
        {"API-OPS-006": "within 2 s, it took"},
        before=busy_means_dead(),
    ),
    gateway_fault(
        "first-token-late",
        "streams of one model begin late",
        {"API-OPS-007": "first token of llm02-phi3 within 4 s, it took"},
        after=delayed(SLOW_TOKEN_S, lambda request: request.streams and of_phi3(request)),
    ),
    gateway_fault(
        "answer-late",
        "answers of one model are late",
        {"API-OPS-008": "llm02-phi3 to answer within 8 s, it took"},
        after=delayed(SLOW_ANSWER_S, of_phi3),
    ),
    gateway_fault(
        "crowd-refused",
        "more than four requests at once are too many",
        {"API-OPS-009": "were not answered: .*429"},
        before=crowd_refused(4),
    ),
    gateway_fault(
        "connection-closed",
        "every answer's connection is closed, and no answer says so",
        {"API-OPS-010": "the gateway closed it"},
        after=lambda _, reply: replace(reply, hung_up=True),
    ),
    gateway_fault(
        "refused-body-left",
        "the body of a refused request is read as the next request",
        {"API-OPS-010": r"after an unknown route \(404\) the next request on the connection, .* gets 400"},
        before=LEAVES_BODIES.before,
        after=LEAVES_BODIES.after,
    ),
    gateway_fault(
        "connection-ends-untold",
        "refusals close their connection and do not say so",
        {"API-OPS-016": r"answer to an unknown route \(404\) the connection was closed, and nothing"},
        after=lambda _, reply: replace(reply, hung_up=reply.status >= 400),
    ),
    gateway_fault(
        "head-crashes",
        "HEAD is an internal error",
        {"API-OPS-011": "HEAD .*got 500"},
        before=answers(replace(BARE_CRASH, chunks=()), "", when=lambda request: request.method == "HEAD"),
    ),
    gateway_fault(
        "options-serves",
        "OPTIONS is routed as POST",
        {"API-OPS-012": "answered with a completion"},
        before=answers(
            json_reply(200, {"choices": []}), CHAT, when=lambda request: request.method == "OPTIONS"
        ),
    ),
    gateway_fault(
        "json-as-text",
        "JSON is sent as text",
        {"API-OPS-013": "GET /v1/models: expected application/json, got text/plain"},
        after=lambda request, reply: (
            reply.with_header("content-type", "text/plain") if request.at(MODELS) else reply
        ),
    ),
    gateway_fault(
        "request-id-missing",
        "no header tells a request's id",
        {"API-OPS-014": "there is none"},
        after=lambda _, reply: reply.with_header("x-litellm-call-id", None),
    ),
    gateway_fault(
        "request-id-constant",
        "every request has the same id",
        {"API-OPS-014": "two have"},
        after=lambda _, reply: reply.with_header("x-litellm-call-id", "1"),
    ),
    gateway_fault(
        "clock-wrong",
        "the gateway's clock stands still",
        {"API-OPS-015": "the gateway's is .* s away"},
        after=lambda _, reply: reply.with_header("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ),
)
