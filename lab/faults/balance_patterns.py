"""Defects of balance that proportions do not show: something decides who serves."""

from __future__ import annotations

import json

from lab.faults.balance_mutators import (
    FIRST,
    SECOND,
    THIRD,
    again,
    by_key,
    hashed,
    in_bursts,
    in_turns,
    overflow,
    routed,
    text_of,
    weighted,
    where,
)
from lab.faults.model import Fault, gateway_fault
from lab.message import Request

LONG = 200
"""Characters from which on a router may think a prompt long."""
UNDER_WAY, ENDED = overflow(THIRD, weighted(1, 1, 0))


def body_of(request: Request) -> str:
    """All of a request."""
    return json.dumps(request.json, sort_keys=True)


def is_cold(request: Request) -> bool:
    """Whether a temperature is given."""
    return "temperature" in request.json


BALANCE_PATTERN_FAULTS: tuple[Fault, ...] = (
    gateway_fault(
        "round-robin",
        "the deployments serve in turns, where draws by chance are declared",
        {"BACKEND-BAL-003": "hx-chat depends on who served before: it is in turns"},
        before=routed(in_turns(FIRST, SECOND, THIRD)),
    ),
    gateway_fault(
        "round-robin-smooth",
        "weighted round-robin: in turns, whoever has more weight more often",
        {"BACKEND-BAL-003": "depends on who served before: it is in turns"},
        before=routed(in_turns(FIRST, SECOND, FIRST, THIRD)),
    ),
    gateway_fault(
        "round-robin-of-backends",
        "the backends serve in turns, and each its models in turns",
        {"BACKEND-BAL-003": "depends on who served before: it is in turns"},
        before=routed(in_turns(FIRST, SECOND, FIRST, THIRD, FIRST, THIRD, FIRST, SECOND)),
    ),
    gateway_fault(
        "sticky",
        "whoever served last serves again in three of four requests",
        {"BACKEND-BAL-003": "depends on who served before: it is sticky"},
        before=routed(again(0.75)),
    ),
    gateway_fault(
        "sticky-half",
        "whoever served last serves again in one of two requests",
        {"BACKEND-BAL-003": "depends on who served before: it is sticky"},
        before=routed(again(0.5)),
    ),
    gateway_fault(
        "sticky-third",
        "whoever served last serves again in three of ten requests, of 480",
        {"BACKEND-BAL-003": "depends on who served before: it is sticky"},
        before=routed(again(0.3)),
    ),
    gateway_fault(
        "bursts",
        "whoever is drawn serves four requests in a row",
        {"BACKEND-BAL-003": "depends on who served before: it is sticky"},
        before=routed(in_bursts(4)),
    ),
    gateway_fault(
        "sticky-connection",
        "each connection has a deployment of its own",
        {"BACKEND-BAL-006": r"hx-chat depends on the connection .*first: llm-0\d"},
        before=routed(by_key(lambda request: request.peer)),
    ),
    gateway_fault(
        "sticky-user",
        "each user has a deployment of their own",
        {"BACKEND-BAL-005": r"hx-chat depends on the user \(.*anna: llm-0\d"},
        before=routed(by_key(lambda request: str(request.json.get("user")))),
    ),
    gateway_fault(
        "sticky-client",
        "each kind of client has a deployment of its own",
        {"BACKEND-BAL-005": r"hx-chat depends on the user agent .*curl/8\.5\.0: llm-0\d"},
        before=routed(by_key(lambda request: request.header("user-agent"))),
    ),
    gateway_fault(
        "sticky-text",
        "the same text goes to the same deployment",
        {"BACKEND-BAL-004": r"hx-chat depends on the text \("},
        before=routed(by_key(text_of)),
    ),
    gateway_fault(
        "length-decides",
        "long prompts go to one deployment",
        {"BACKEND-BAL-004": r"hx-chat depends on the length \("},
        before=routed(where(lambda request: len(text_of(request)) > LONG, SECOND)),
    ),
    gateway_fault(
        "temperature-decides",
        "requests with a temperature go to one deployment",
        {"BACKEND-BAL-008": "hx-chat depends on the parameters"},
        before=routed(where(is_cold, FIRST)),
    ),
    gateway_fault(
        "streams-to-one",
        "streams go to one deployment",
        {"BACKEND-BAL-007": "hx-chat depends on the stream"},
        before=routed(where(lambda request: request.streams, THIRD)),
    ),
    gateway_fault(
        "crowd-to-one",
        "one deployment serves what comes while another request is under way, and nothing else",
        {"BACKEND-BAL-009": "depends on the other requests at the same time"},
        before=UNDER_WAY,
        after=ENDED,
    ),
    gateway_fault(
        "hash-of-body",
        "a hash of the whole request decides",
        {"BACKEND-BAL-014": "hx-chat depends on the request as a whole"},
        before=routed(hashed(body_of)),
    ),
    gateway_fault(
        "conversations-to-one",
        "requests of several turns go to one deployment",
        {"BACKEND-BAL-014": "hx-chat depends on the turns"},
        before=routed(where(lambda request: len(request.json.get("messages", [])) > 2, FIRST)),
    ),
    gateway_fault(
        "characters-decide",
        "texts beyond ASCII go to one deployment",
        {"BACKEND-BAL-014": "hx-chat depends on the characters"},
        before=routed(where(lambda request: not text_of(request).isascii(), THIRD)),
    ),
)
