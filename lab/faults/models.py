"""Defects of the model list, and of single models."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from urllib.parse import unquote

from lab.faults.model import After, Before, Fault, gateway_fault
from lab.faults.mutators import CHAT, EMBEDDINGS, EMPTY_LIST, answers, listing
from lab.message import Json, Reply, Request, envelope, json_reply

UNKNOWN = "no-such-model"
LISTED_SINCE = 1677610602
"""What LiteLLM says of every model."""


def _retrieved(reply: Callable[[str], Reply], *, unknown: bool) -> Before:
    """A before-hook that answers who asks for a single model: ``reply`` by its name."""

    def before(request: Request) -> Request | Reply:
        _, asked, name = request.path.partition("/models/")
        fits = bool(asked) and name.startswith(UNKNOWN) is unknown
        return reply(unquote(name)) if fits else request

    return before


def _model(name: str, **other: object) -> Json:
    return {"id": name, "object": "model", "created": LISTED_SINCE, "owned_by": "openai", **other}


def _out_of_service(alias: str, *routes: str) -> Before:
    reply = envelope(503, "no deployment available", "service_unavailable")
    return answers(reply, *routes, when=lambda request: request.json.get("model") == alias)


def _flickering() -> After:
    """Each list lacks another model."""
    calls = itertools.count()

    def change(entries: list[Json]) -> list[Json]:
        hidden = next(calls) % len(entries)
        return entries[:hidden] + entries[hidden + 1 :]

    return listing(change)


MODEL_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "models-retrieve-list",
        "whoever asks for one model gets a list",
        {"API-MODELS-003": 'expected 200 and the model .*, got 200: .*"list"'},
        before=_retrieved(lambda _: EMPTY_LIST, unknown=False),
    ),
    gateway_fault(
        "models-retrieve-object",
        "a retrieved model does not say what it is",
        {"API-MODELS-004": "schema.model./properties/object"},
        before=_retrieved(lambda name: json_reply(200, _model(name, object="engine")), unknown=False),
    ),
    gateway_fault(
        "models-retrieve-owner",
        "a retrieved model has another owner than in the list",
        {"API-MODELS-005": "as listed, got .*'somebody'"},
        before=_retrieved(lambda name: json_reply(200, _model(name, owned_by="somebody")), unknown=False),
    ),
    gateway_fault(
        "models-retrieve-created",
        "a retrieved model was made at another time than in the list",
        {"API-MODELS-005": "as listed, got .*1700000000"},
        before=_retrieved(lambda name: json_reply(200, _model(name, created=1700000000)), unknown=False),
    ),
    gateway_fault(
        "models-retrieve-unknown-400",
        "a model that does not exist is called a bad request",
        {"API-MODELS-006": "expected 404, got 400"},
        before=_retrieved(
            lambda _: envelope(400, "invalid model", "invalid_request_error"),
            unknown=True,
        ),
    ),
    gateway_fault(
        "models-retrieve-unknown-text",
        "that a model does not exist is told as plain text",
        {"API-MODELS-007": "error.content_type: .*got not found"},
        before=_retrieved(
            lambda _: Reply(404, (("content-type", "text/plain"),), (b"not found",)), unknown=True
        ),
    ),
    gateway_fault(
        "models-chat-unservable",
        "a chat model is listed and out of service",
        {"API-MODELS-008": "llm02-gemma2-2b is listed, and using it gives 503"},
        before=_out_of_service("llm02-gemma2-2b", CHAT),
    ),
    gateway_fault(
        "models-embedding-unservable",
        "an embedding model is listed and out of service",
        {
            "API-MODELS-009": "emb-light is listed, and using it gives 503",
            "API-EMB-001": "expected 200 from .*, got 503",
        },
        before=_out_of_service("emb-light", EMBEDDINGS),
    ),
    gateway_fault(
        "models-list-flickers",
        "each list lacks another model",
        {"API-MODELS-010": "only one list has", "API-MODELS-001": "missing: "},
        after=_flickering(),
    ),
    gateway_fault(
        "models-created-milliseconds",
        "created is in milliseconds",
        {"API-MODELS-011": "expected Unix seconds .*1677610602000"},
        after=listing(lambda entries: [{**entry, "created": entry["created"] * 1000} for entry in entries]),
    ),
)
