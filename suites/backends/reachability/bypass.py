"""What a server behind the gateway says to a stranger."""

from __future__ import annotations

from collections.abc import Callable

from gateway_acceptance.verdict import CheckFailed, NoAnswer
from gateway_acceptance.wire.exchange import Exchange

ROOT = "/"
PLACES = ("/api/version", "/api/tags", "/v1/models", ROOT)
"""Where Ollama tells its version, its models (twice) and that it runs: who refuses one may forget another."""
REFUSALS = (401, 403)
"""What a front says that lets nobody in but the gateway (RFC 9110 sections 15.5.2 and 15.5.4)."""
SERVED = 200
SHOWN = 80


def answered(ask: Callable[[str], Exchange], *, has_keys: bool = False) -> str | None:
    """The first answer that is no refusal, or None. ask: GETs a path; where there is no answer at all, no
    other place is tried. has_keys: whether its protocol has keys of its own, as OpenAI's has: such a server
    may say to strangers that a place is not there, that it lives, or that a key is missing; what it serves
    at a place that tells models is one answer too many."""
    for path in PLACES:
        try:
            answer = ask(path)
        except NoAnswer:
            return None
        except CheckFailed as failure:
            return str(failure)
        if has_keys and (answer.status != SERVED or path == ROOT):
            continue
        if answer.status not in REFUSALS:
            return f"GET {path} is {answer.status} {answer.text.strip()[:SHOWN]}".rstrip()
    return None
