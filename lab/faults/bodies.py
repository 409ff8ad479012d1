"""Defects of who gets in by the form of a body, by the model that it names, or by who was there before."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lab.faults.access import without_key
from lab.faults.model import Fault, gateway_fault
from lab.faults.mutators import CHAT, EMBEDDINGS, EMPTY_LIST, MODELS, answers
from lab.faults.ways import SERVED_CHAT, SERVED_VECTORS
from lab.message import Reply, Request

OPEN_MODEL = "emb-light"


class _Remembers:
    """The list of models is served to whom the owner was before. by: what of a request is remembered."""

    def __init__(self, by: Callable[[Request], str]) -> None:
        self._by, self._known, self._lock = by, set[str](), threading.Lock()

    def __call__(self, request: Request) -> Request | Reply:
        """A before-hook."""
        if not request.at(MODELS):
            return request
        with self._lock:
            if request.authorised:
                self._known.add(self._by(request))
            elif self._by(request) in self._known:
                return EMPTY_LIST
        return request


def _packed(request: Request) -> bool:
    return without_key(request) and request.header("content-encoding") == "gzip"


def _of_an_open_model(request: Request) -> bool:
    return without_key(request) and request.json.get("model") == OPEN_MODEL


BODY_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "packed-body-unguarded",
        "a body that is packed is not looked at by the guard, and served",
        {"API-ACCESS-013": "POST /v1/chat/completions is served to a body packed by gzip"},
        before=answers(SERVED_CHAT, CHAT, when=_packed),
    ),
    gateway_fault(
        "one-model-unguarded",
        "a model is served to everybody",
        {"API-ACCESS-014": f"{OPEN_MODEL} is served without a key"},
        before=answers(SERVED_VECTORS, EMBEDDINGS, when=_of_an_open_model),
    ),
    gateway_fault(
        "connection-remembered",
        "who had the key once on a connection needs none any more",
        {"API-ACCESS-015": "GET /v1/models is served without a key, after the owner"},
        before=_Remembers(lambda request: request.peer),
    ),
    gateway_fault(
        "owners-answer-kept",
        "what the owner asked is kept, and given to whoever asks the same",
        {
            "API-ACCESS-015": "GET /v1/models is served without a key, on another connection, after ",
            "API-AUTH-002": "GET /v1/models is served without a key",
        },
        before=_Remembers(lambda request: f"{request.method} {request.path}"),
    ),
)
