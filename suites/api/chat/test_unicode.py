"""API-CHAT: text is text. What a model is told comes back with the same code points.

Every text was repeated by the model itself before, asked past the gateway.
"""

import json
from contextlib import suppress

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, Untestable
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.sender import tokens_needed
from suites.api.chat.payloads import COMBINING, CONTROL, EMOJI, RIGHT_TO_LEFT
from suites.api.chat.probes import ChatProbe, able_alias, chat_answer, repeats
from suites.api.chat.rich import rich_repeated
from suites.api.extract import first_difference, first_text, refused_honestly

JSON_TEXT = "RFC 8259, 7: strings"
NUL = "null\u0000 end"
"""Apart: it ends strings in C, and stores of logs do not take it."""
ESCAPED = '\u00df \u4e1c\u4eac \U0001f40b quote " backslash \\ slash / end'


@check(
    "API-CHAT-031",
    "emoji and characters beyond 16 bits survive",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec=JSON_TEXT,
)
def test_emoji(target: Target, gateway: GatewayClient) -> None:
    """What counts in 16-bit units cuts them in half."""
    if rich_repeated(target):
        return
    _require_repeated(target, repeats("emoji", EMOJI), EMOJI)


@check(
    "API-CHAT-032",
    "combining marks are not normalised",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=JSON_TEXT,
)
def test_combining(target: Target, gateway: GatewayClient) -> None:
    """File names and identifiers are compared by code points."""
    _require_repeated(target, repeats("combining marks", COMBINING), COMBINING)


@check(
    "API-CHAT-033",
    "right-to-left text keeps its order and its marks",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=JSON_TEXT,
)
def test_right_to_left(target: Target, gateway: GatewayClient) -> None:
    """Filters that drop invisible characters break what they order."""
    _require_repeated(target, repeats("right-to-left text", RIGHT_TO_LEFT), RIGHT_TO_LEFT)


@check(
    "API-CHAT-034",
    "control characters survive, or are refused",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=JSON_TEXT,
)
def test_control(target: Target, gateway: GatewayClient) -> None:
    """Logs and terminals are pasted into prompts: colours, tabs, NUL. What is lost in silence is missed."""
    _require_repeated_or_refused(target, repeats("control characters", CONTROL), CONTROL)
    with suppress(Untestable):  # few models repeat it; that it does no harm elsewhere is API-CHAT-048
        _require_repeated_or_refused(target, repeats("a NUL", NUL), NUL)


@check(
    "API-CHAT-035",
    "escaped characters are the same as plain ones",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{JSON_TEXT}; surrogate pairs",
)
def test_escaped(target: Target, gateway: GatewayClient) -> None:
    """Many clients send ASCII only; beyond 16 bits that takes two escapes for one character."""
    question = repeats("text that is sent in escapes", ESCAPED)
    _require_same(_sent_in_escapes(gateway, able_alias(target, question), question), ESCAPED)


def _sent_in_escapes(gateway: GatewayClient, alias: str, question: ChatProbe) -> Exchange:
    document = {
        "model": alias,
        "messages": question.messages,
        "temperature": 0,
        "max_tokens": question.tokens,
    }
    body = json.dumps(document, ensure_ascii=True).replace("/", "\\/")
    return gateway.request(
        "POST",
        "/v1/chat/completions",
        body=body.encode("ascii"),
        headers=[("content-type", "application/json")],
        tokens=tokens_needed(body, question.tokens),
    )


def _require_repeated_or_refused(target: Target, question: ChatProbe, expected: str) -> None:
    answer = chat_answer(target, question)
    if not refused_honestly(answer):
        _require_same(answer, expected)


def _require_repeated(target: Target, question: ChatProbe, expected: str) -> None:
    _require_same(chat_answer(target, question), expected)


def _require_same(answer: Exchange, expected: str) -> None:
    difference = first_difference(first_text(answer).strip(), expected)
    if difference:
        raise CheckFailed(f"{difference}; the backend itself repeats it", blame="gateway")
