"""Defects that only some requests meet: the properties find them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Any

from lab.faults.model import Fault, gateway_fault
from lab.faults.mutators import CHAT, EMBEDDINGS, answers, without_done
from lab.message import Json, Reply, Request, envelope, json_reply


def _texts(request: Request) -> list[str]:
    texts: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list | dict):
            for item in value.values() if isinstance(value, dict) else value:
                collect(item)

    collect(request.json)
    return texts


def _holds(accepts: Callable[[str], bool]) -> Callable[[Request], bool]:
    return lambda request: any(accepts(character) for text in _texts(request) for character in text)


def _broken_json(request: Request) -> bool:
    try:
        json.loads(request.body)
    except ValueError:
        return True
    return False


def _without_done_when_seeded(request: Request, reply: Reply) -> Reply:
    return without_done(request, reply) if "seed" in request.json else reply


def _third_text_lost(request: Request, reply: Reply) -> Reply:
    texts, body = request.json.get("input"), reply.json
    if not request.at(EMBEDDINGS) or reply.status != 200 or not isinstance(texts, list) or len(texts) < 3:
        return reply
    return reply.with_json({**body, "data": body["data"][:2]})


def _items_as_text(request: Request) -> Request | Reply:
    texts = request.json.get("input")
    if request.at(EMBEDDINGS) and isinstance(texts, list):
        return request.with_json({**request.json, "input": [str(text) for text in texts]})
    return request


def _normalised(request: Request) -> Request | Reply:
    if not request.at(EMBEDDINGS):
        return request

    def tidy(value: Any) -> Any:
        if isinstance(value, list):
            return [tidy(item) for item in value]
        return unicodedata.normalize("NFC", value).strip() or value if isinstance(value, str) else value

    document: Json = request.json
    return request.with_json({**document, "input": tidy(document.get("input"))})


PROPERTY_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "astral-characters-500",
        "a character beyond the basic multilingual plane is an internal error",
        {"API-PROP-001": "expected 200 for a valid request, got 500", "API-CHAT-031": "got 500"},
        before=answers(
            envelope(500, "'charmap' codec", "internal"), CHAT, when=_holds(lambda char: ord(char) > 0xFFFF)
        ),
    ),
    gateway_fault(
        "seeded-stream-without-done",
        "a stream of a request with a seed ends without [DONE]",
        {"API-PROP-002": "DONE"},
        after=_without_done_when_seeded,
    ),
    gateway_fault(
        "third-text-lost",
        "of a batch of embeddings only the first two are answered",
        {"API-PROP-003": "expected [34] vectors, got 2", "API-EMB-001": "expected 5 vectors, got 2"},
        after=_third_text_lost,
    ),
    gateway_fault(
        "broken-json-served",
        "a body that is no JSON is answered as if it were",
        {
            "API-PROP-004": "JSON cut off: expected a refusal with 4xx, got 200",
            "API-PROP-005": "JSON cut off: expected a refusal with 4xx, got 200",
        },
        before=answers(json_reply(200, {"object": "list", "data": []}), CHAT, EMBEDDINGS, when=_broken_json),
    ),
    gateway_fault(
        "mistyped-refused-without-envelope",
        "a parameter of the wrong type is refused in another form than OpenAI's",
        {"API-PROP-004": "temperature of another type: .*error"},
        before=answers(
            json_reply(422, {"detail": [{"loc": ["body", "temperature"], "msg": "not a number"}]}),
            CHAT,
            when=lambda request: not isinstance(request.json.get("temperature", 0), int | float),
        ),
    ),
    gateway_fault(
        "embedding-item-as-text",
        "an item that is no text is embedded as if it were one",
        {"API-PROP-005": "input with an item of another type: expected a refusal with 4xx, got 200"},
        before=_items_as_text,
    ),
    gateway_fault(
        "text-normalised",
        "texts are stripped and normalised on their way to the model",
        {"API-PROP-006": "has another vector when"},
        before=_normalised,
    ),
)
