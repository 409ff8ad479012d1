"""What a server behind the gateway says to a stranger."""

from __future__ import annotations

from collections.abc import Callable

from gateway_acceptance.verdict import CheckFailed, NoAnswer
from gateway_acceptance.wire.exchange import Exchange

PLACES = ("/api/version", "/api/tags", "/v1/models", "/")
"""Where Ollama tells its version, its models (twice) and that it runs: who refuses one may forget another."""
REFUSALS = (401, 403)
"""What a front says that lets nobody in but the gateway (RFC 9110 sections 15.5.2 and 15.5.4)."""
SHOWN = 80


def answered(ask: Callable[[str], Exchange]) -> str | None:
    """The first answer that is no refusal, or None. ask: GETs a path; where there is no answer at all, no
    other place is tried."""
    for path in PLACES:
        try:
            answer = ask(path)
        except NoAnswer:
            return None
        except CheckFailed as failure:
            return str(failure)
        if answer.status not in REFUSALS:
            return f"GET {path} is {answer.status} {answer.text.strip()[:SHOWN]}".rstrip()
    return None
