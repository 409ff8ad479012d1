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
    may say to strangers that a place is not there, or that it lives, as long as it refuses them at one; what
    it serves at a place that tells models is one answer too many."""
    refused, excused = False, None
    for path in PLACES:
        try:
            answer = ask(path)
        except NoAnswer:
            break
        except CheckFailed as failure:
            return str(failure)
        if answer.status in REFUSALS:
            refused = True
            continue
        saying = f"GET {path} is {answer.status} {answer.text.strip()[:SHOWN]}".rstrip()
        if not has_keys or (answer.status == SERVED and path != ROOT):
            return saying
        excused = excused or saying
    return None if refused else excused
