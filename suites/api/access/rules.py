"""Whether somebody without a key was served: by status and shape, never by status alone.

docs/ways-in.md, "How an answer is judged".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.rule import media_type

SUCCESS = range(200, 300)
UPGRADED = 101
CLOSE_FRAME = b"\x88"
"""How a WebSocket begins to close (RFC 6455 section 5.5.1)."""


def served(answer: Exchange, decoys: Sequence[Exchange] = ()) -> bool:
    """Whether an answer is of a protected route.

    decoys: what the same gateway tells at the public paths that the request named besides; an answer of the
    shape of one of them is that public page.
    """
    if answer.status == UPGRADED:
        return answer.body[:1] != CLOSE_FRAME
    if answer.status not in SUCCESS:
        return False
    kind = media_type(answer.headers)
    if kind == "text/event-stream":
        return True
    document = _document(answer)
    if document is None or _is_error(document):
        return False
    return not any(shape(document) == shape(_document(decoy)) for decoy in decoys)


def lists_models(answer: Exchange) -> bool:
    """Whether an answer is OpenAI's list of models, as ``GET /v1/models`` gives it; an empty one too."""
    if answer.status not in SUCCESS:
        return False
    document = _document(answer)
    return isinstance(document, dict) and isinstance(document.get("data"), list) and not _is_error(document)


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
