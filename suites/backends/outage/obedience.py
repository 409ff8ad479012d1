"""What may be held against an answer's words: that a model does not do as it is told is not the gateway's
fault."""

from __future__ import annotations

import json

from gateway_acceptance.environment import Environment
from gateway_acceptance.environment.abilities import Ability
from gateway_acceptance.outage.program import ObservedRequest, Program, RequestKind
from gateway_acceptance.wire.stream import read_chat_stream

ASKED_IN_WORDS = (RequestKind.CHAT, RequestKind.STREAM)


def obeys(program: Program, environment: Environment, alias: str) -> bool:
    """Whether an alias says the text that it is asked for: it is declared to (``exact``), and while none of
    its backends was away it did at least once, where it was asked then. Raises KeyError."""
    if not environment.can(alias, Ability.EXACT):
        return False
    backends = {one.backend for one in environment.deployments_of(alias)}
    calm = [
        seen
        for seen in program.seen
        if seen.alias == alias
        and seen.way in ASKED_IN_WORDS
        and seen.served
        and not any(span.backend in backends and span.touches(seen) for span in program.spans)
    ]
    return not calm or any(seen.expects in said(seen) for seen in calm)


def anothers(program: Program, seen: ObservedRequest) -> str:
    """The text that another request of the program asked for and this one got; empty where none. No model
    comes to it by itself: each text is made up for one request."""
    got = said(seen)
    others = (one.expects for one in program.seen if one.expects and one.expects not in seen.expects)
    return next((text for text in others if text in got and text not in _asked(seen)), "")


def said(seen: ObservedRequest) -> str:
    """The words of an answer; the raw body where it is no completion."""
    answer = seen.exchange
    if answer is None:
        return ""
    if seen.way is RequestKind.STREAM:
        return read_chat_stream(answer.status or 0, answer.headers, answer.chunks).text()
    try:
        return str(json.loads(answer.body)["choices"][0]["message"]["content"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return answer.text


def _asked(seen: ObservedRequest) -> str:
    return seen.exchange.request_body.decode("utf-8", "replace") if seen.exchange is not None else ""
