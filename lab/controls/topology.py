"""Deployments of another shape."""

from __future__ import annotations

import threading
import time

from lab.controls.model import CLOSED, Control
from lab.controls.streams import STREAMS
from lab.message import Reply, Request, envelope

RATE, BURST = 2.0, 3
FORGOTTEN_S = 4.0


class RateLimit:
    """A bucket of ``BURST`` requests that fills by ``RATE`` a second; beyond it 429 with Retry-After."""

    def __init__(self) -> None:
        self._left, self._at, self._lock = float(BURST), time.monotonic(), threading.Lock()

    def __call__(self, request: Request) -> Request | Reply:
        """A before-hook."""
        with self._lock:
            now = time.monotonic()
            self._left, self._at = min(BURST, self._left + RATE * (now - self._at)), now
            if self._left >= 1:
                self._left -= 1
                return request
        refused = envelope(429, "rate limit reached: 2 requests a second", "rate_limit_error")
        return refused.with_header("retry-after", "1")


class OneAtATime:
    """One question to a model at a time; beyond it 429 with Retry-After."""

    def __init__(self) -> None:
        self._since, self._lock = 0.0, threading.Lock()

    def before(self, request: Request) -> Request | Reply:
        """Take the place, or refuse. Whoever left without an answer holds it for ``FORGOTTEN_S`` at most."""
        if request.method != "POST" or not request.authorised:
            return request
        with self._lock:
            if time.monotonic() - self._since > FORGOTTEN_S:
                self._since = time.monotonic()
                return request
        refused = envelope(429, "too many parallel requests: 1 is allowed", "rate_limit_error")
        return refused.with_header("retry-after", "1").with_header("retry-after-ms", "400")

    def after(self, request: Request, reply: Reply) -> Reply:
        """Give the place back."""
        if request.method == "POST" and request.authorised:
            with self._lock:
                self._since = 0.0
        return reply


ONE = OneAtATime()


def _forbidden(request: Request) -> Request | Reply:
    """A page of nginx for whoever asks a backend past the gateway."""
    if not request.path.startswith(CLOSED):
        return request
    page = b"<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>"
    return Reply(403, (("content-type", "text/html"),), (page,))


TOPOLOGY_CONTROLS = (
    Control(
        "right-rate-limit",
        "two requests a second, and 429 with Retry-After beyond; the environment declares the pace",
        before=RateLimit(),
        declares={"policy": {"requests_per_second": RATE, "concurrency": 1}},
    ),
    Control(
        "right-closed-backends",
        "backends refuse everybody but the gateway, as BACKEND-BYPASS-001 asks for",
        checks=("API-CHAT-0", "API-TOOLS-0", *STREAMS, "API-SDK-0", "BACKEND-"),
        declares={"backends": {"direct": False}},
        closed=True,
        concerns=(
            "API-CHAT-024",
            "API-TOOLS-001",
            "BACKEND-BYPASS-001",
            "BACKEND-REACH-002",
            "BACKEND-ROUTE-005",
        ),
    ),
    Control(
        "right-forbidden-backends",
        "a front before the backends answers everybody but the gateway with 403",
        before=_forbidden,
        checks=("BACKEND-",),
        declares={"backends": {"direct": False}},
        closed=True,
        forbids=True,
        concerns=("API-CHAT-024", "BACKEND-BYPASS-001", "BACKEND-REACH-002", "BACKEND-ROUTE-005"),
    ),
    Control(
        "right-openai-backends",
        "backends are declared with OpenAI's protocol, which has no versions, digests or loaded models",
        checks=("BACKEND-", "API-CHAT-0", "API-TOOLS-0", *STREAMS, "API-SDK-0", "API-EMB-0", "API-PROP-006"),
        declares={"gateway": {"upstreams": ["openai"]}, "backends": {"product": "openai"}},
        concerns=(
            "API-CHAT-024",
            "API-EMB-023",
            "API-TOOLS-001",
            "BACKEND-INV-001",
            "BACKEND-INV-002",
            "BACKEND-INV-003",
            "BACKEND-INV-006",
            "BACKEND-REACH-001",
            "BACKEND-REACH-002",
            "BACKEND-REACH-005",
        ),
    ),
    Control(
        "right-one-at-a-time",
        "one question to a model at a time, and 429 with Retry-After to the next; the pace is declared",
        before=ONE.before,
        after=ONE.after,
        checks=("API-CHAT-04", "API-OPS-00"),
        declares={"policy": {"concurrency": 1}},
        concerns=("API-CHAT-042", "API-OPS-009", "API-OPS-010"),
    ),
    Control(
        "right-undeclared-abilities",
        "an environment file from before abilities were declared",
        checks=("API-CHAT-02", "API-TOOLS-00", "API-STREAM-06"),
        declares={"chat": {"abilities": None}},
        concerns=("API-CHAT-024", "API-TOOLS-001", "API-STREAM-060"),
    ),
    Control(
        "right-little-declared",
        "models of which nothing is declared but that they answer",
        checks=("API-CHAT-0", "API-TOOLS-0", *STREAMS, "API-SDK-01"),
        declares={"chat": {"abilities": []}},
        concerns=("API-CHAT-014", "API-CHAT-024", "API-TOOLS-001", "API-STREAM-060", "API-STREAM-080"),
    ),
)
