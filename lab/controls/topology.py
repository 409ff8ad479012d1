"""Deployments of another shape."""

from __future__ import annotations

import threading
import time

from lab.controls.model import Control
from lab.controls.streams import STREAMS
from lab.proxy.message import Reply, Request, envelope

RATE, BURST = 2.0, 3


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
        concerns=("API-CHAT-024", "API-TOOLS-001", "API-STREAM-060", "API-STREAM-080"),
    ),
)
