"""Faults of absence: what a check is about is not there. All checks run against each; none may pass on it.

Beside each fault stands how an exchange of the record is known to be touched by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lab.faults.model import Fault, Layer
from lab.faults.mutators import CHAT, EMBEDDINGS, EMPTY_LIST, answers
from lab.faults.stream_mutators import raw
from lab.proxy.message import Reply, Request, envelope

Exchange = Mapping[str, Any]
"""An exchange as the record keeps it."""
MODEL_ROUTES = (CHAT, EMBEDDINGS, "/completions", "/responses")
BACKEND_DOWN = envelope(500, "OllamaException: connection refused", "server_error")


def _emptied(request: Request, reply: Reply) -> Reply:
    """Whole answers of models without a body."""
    if request.streams or reply.status != 200 or not request.at(*MODEL_ROUTES):
        return reply
    return replace(reply, chunks=())


def _no_models(request: Request) -> Request | Reply:
    """Nothing is listed; single models are there as before."""
    return EMPTY_LIST if request.path.rstrip("/").endswith("/models") else request


def _fault(name: str, description: str, **hooks: Any) -> Fault:
    return Fault(name, Layer.ABSENCE, description, {}, **hooks)


ABSENCE_FAULTS: tuple[Fault, ...] = (
    _fault("absent-events", "streams are answered with 200, and are empty", after=raw(lambda _: b"")),
    _fault("absent-chunks", "streams are [DONE] alone", after=raw(lambda _: b"data: [DONE]\n\n")),
    _fault(
        "absent-streams",
        "every stream is an internal error",
        before=answers(envelope(500, "no streams", "server_error"), *MODEL_ROUTES, when=lambda r: r.streams),
    ),
    _fault("absent-bodies", "whole answers of models are 200, and empty", after=_emptied),
    _fault("absent-models", "the list of models is empty", before=_no_models),
    _fault(
        "absent-backends",
        "no backend is to be reached: every question to a model is an internal error",
        before=answers(BACKEND_DOWN, *MODEL_ROUTES),
    ),
)


def streams(exchange: Exchange) -> bool:
    """Whether a stream was asked for."""
    try:
        return json.loads(exchange["request"]).get("stream") is True
    except (ValueError, AttributeError):
        return False


def asks_a_model(exchange: Exchange) -> bool:
    """Whether a model was asked."""
    return exchange["method"] == "POST" and str(exchange["url"]).split("?")[0].endswith(MODEL_ROUTES)


TOUCHED: Mapping[str, Callable[[Exchange], bool]] = {
    "absent-events": lambda one: streams(one) and one["status"] == 200 and not one["response"],
    "absent-chunks": lambda one: streams(one) and one["status"] == 200 and "{" not in one["response"],
    "absent-streams": lambda one: streams(one) and one["status"] == 500,
    "absent-bodies": lambda one: asks_a_model(one) and one["status"] == 200 and not one["response"],
    "absent-models": lambda one: str(one["url"]).endswith("/v1/models") and one["status"] == 200,
    "absent-backends": lambda one: asks_a_model(one) and one["status"] == 500,
}
"""Fault -> whether an exchange shows nothing but the absence."""
