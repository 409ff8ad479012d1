"""What a gateway says that it does not offer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from suites.api.extract import refused_honestly

OPTIONAL = (
    *("temperature", "top_p", "seed", "stop", "presence_penalty", "frequency_penalty", "user"),
    *("response_format", "encoding_format"),
)
"""Parameters of a request that a server may know nothing of, as long as it says so."""
UNSUPPORTED = re.compile(r"(?i)support|implemented|available|allowed|accepted|permitted")


def not_offered(answer: Exchange, request: Mapping[str, Any]) -> str | None:
    """The optional parameter of a request that an answer refuses by name, in OpenAI's envelope; None where it
    is no such refusal."""
    try:
        if not refused_honestly(answer):
            return None
    except CheckFailed:
        return None
    error = answer.json()["error"]
    said = f"{error.get('code')} {error['message']}"
    if not UNSUPPORTED.search(said):
        return None
    given = [name for name in OPTIONAL if name in request]
    if error.get("param") in given:
        return str(error["param"])
    return next((name for name in given if re.search(rf"(?<!\w){name}(?!\w)", error["message"])), None)
