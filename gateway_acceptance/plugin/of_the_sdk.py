"""What the official SDK raises: which errors come of an answer, and what its words leave out."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

READERS: Mapping[str, tuple[str, ...]] = {
    "openai": ("lib/streaming", "lib/_parsing", "_response.py", "_legacy_response.py", "_streaming.py"),
    "httpx2": ("_decoders.py",),
}
"""Modules of the official SDK, and of the client below it, that do nothing but read answers."""
SHOWN_BODY = 200


@cache
def _readers() -> tuple[Path, ...]:
    """Files and folders of ``READERS``, without importing what nobody has imported."""
    places = {name: find_spec(name) for name in READERS}
    return tuple(
        Path(spec.origin).parent / part
        for name, spec in places.items()
        if spec is not None and spec.origin
        for part in READERS[name]
    )


def reading_an_answer(error: BaseException) -> bool:
    """Whether it was raised while the official SDK, or the client below it, read an answer: what a target
    sends is never our bug. What we call wrongly is raised before any answer is there."""
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if any(path.is_relative_to(place) for place in _readers()):
            return True
    return False


def untold(body: str) -> str:
    """The beginning of a refusal's body that is no JSON: the SDK's error leaves it out."""
    text = body.strip()
    try:
        json.loads(text)
    except ValueError:
        return f", with the body {text[:SHOWN_BODY]!r}" if text else ""
    except RecursionError:
        return ""
    return ""
