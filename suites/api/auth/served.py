"""Whether somebody without a key was served: by status and shape, never by status alone.

docs/ways-in.md, "How an answer is judged".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.rule import media_type

OPENED = "anybody gets in without a key"
"""The headline of a run that finds an open door."""
SUCCESS = range(200, 300)
UPGRADED = 101
JUDGED = (400, 422)
"""The statuses of a body that cannot be accepted; whoever gets one has passed the guard."""
OF_THE_BODY = re.compile(
    r"duration|model_name|no type|validation|valid (string|integer|dict|list)|field required", re.I
)
"""Words about the body that management is asked with (``suites.api.auth.probes.WRONG``)."""
CLOSE_FRAME = b"\x88"
"""How a WebSocket begins to close (RFC 6455 section 5.5.1)."""
TEXT_FRAME = b"\x81"
SHORT_HEAD, EXTENDED = 2, {126: 2, 127: 8}
"""Bytes before the payload of a frame, and how many more where its length does not fit there."""


def grants_access(answer: Exchange, decoys: Sequence[Exchange] = ()) -> bool:
    """Whether an answer is of a protected route.

    decoys: what the same gateway tells at the public paths that the request named besides; an answer of the
    shape of one of them is that public page.
    """
    if answer.status == UPGRADED:
        return not refused_in_frames(answer.body)
    if answer.status not in SUCCESS:
        return False
    kind = media_type(answer.headers)
    if kind == "text/event-stream":
        return True
    document = _document(answer)
    if document is None or _is_error(document):
        return False
    return not any(shape(document) == shape(_document(decoy)) for decoy in decoys)


def refused_in_frames(said: bytes) -> bool:
    """Whether what a server says first over a WebSocket is a refusal: it closes, or tells of an error, as
    OpenAI's realtime API does to a wrong key (an event of type ``error``, then the close). said: frames as
    they came, not masked (RFC 6455 section 5.2)."""
    if said[:1] == CLOSE_FRAME:
        return True
    if said[:1] != TEXT_FRAME or len(said) < SHORT_HEAD:
        return False
    length, begins = said[1], SHORT_HEAD
    if length in EXTENDED:
        begins += EXTENDED[length]
        length = int.from_bytes(said[SHORT_HEAD:begins], "big")
    try:
        event = json.loads(said[begins : begins + length])
    except (ValueError, RecursionError):
        return False
    return isinstance(event, dict) and (event.get("type") == "error" or _is_error(event))


def lists_models(answer: Exchange) -> bool:
    """Whether an answer is OpenAI's list of models, as ``GET /v1/models`` gives it; an empty one too."""
    if answer.status not in SUCCESS:
        return False
    document = _document(answer)
    return isinstance(document, dict) and isinstance(document.get("data"), list) and not _is_error(document)


def is_an_answer(answer: Exchange) -> bool:
    """Whether it is what the contract's routes answer with: choices, data, or a stream. OPTIONS and GET
    may say to anybody, in JSON, what a route is for."""
    document = _document(answer)
    shaped = isinstance(document, dict) and bool({"choices", "data"} & {*document})
    return shaped or media_type(answer.headers) == "text/event-stream"


def judged_the_body(answer: Exchange, refusals: Sequence[Exchange]) -> bool:
    """Whether a body that no route can accept was judged, so that its sender was past the guard. refusals:
    how the route refuses who has no key, and who has a wrong one. A body that is not called JSON proves
    nothing: who cannot read it may say so before a key is looked for, as FastAPI does."""
    refused = {one.status for one in refusals}
    return (
        _called_json(answer)
        and answer.status in JUDGED
        and answer.status not in refused
        and OF_THE_BODY.search(answer.text) is not None
        and not any(OF_THE_BODY.search(one.text) for one in refusals)
    )


def _called_json(answer: Exchange) -> bool:
    kinds = [value for name, value in answer.request_headers if name.lower() == "content-type"]
    return all(kind.startswith("application/json") for kind in kinds)


def ran_behind_the_guard(head: Exchange, get: Exchange) -> bool:
    """Whether HEAD without a key was answered by the protected route: it tells the length of what GET answers
    with the key."""
    length = head.header("content-length") or ""
    return (
        head.status in SUCCESS and get.status in SUCCESS and bool(get.body) and length == str(len(get.body))
    )


def shape(document: Any) -> Any:
    """What kind of thing a JSON document is: the names of an object, else its type."""
    return frozenset(document) if isinstance(document, dict) else type(document)


def _document(answer: Exchange) -> Any:
    """The body as an object or an array; None where it is neither."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict | list) else None


def _is_error(document: Any) -> bool:
    return isinstance(document, dict) and bool(document.get("error"))
