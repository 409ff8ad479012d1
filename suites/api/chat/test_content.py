"""API-CHAT: what a message may contain: it is data, whatever it looks like, and in whatever form it comes.

Every text was repeated, and every rule heeded, by the model itself before, asked past the gateway.
"""

import json

from gateway_acceptance.check import MUST, SHOULD, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed, require
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from gateway_acceptance.wire.sender import tokens_needed
from suites.api.asking import single_chat
from suites.api.chat.payloads import (
    CONTROLS,
    JSON_ECHO,
    JSON_LIKE,
    LONE_SURROGATES,
    MARKUP,
    MARKUP_ECHO,
    ONE_PART,
    SPACED,
    SPACED_ECHO,
    SYSTEM_PARTS,
)
from suites.api.chat.probes import CODE_WORD, SYSTEM_WORD, ChatProbe, chat_answer
from suites.api.chat.rich import rich_repeated
from suites.api.extract import first_difference, first_text, same_text, unless_served_or_refused

MESSAGES = "openai:CreateChatCompletionRequest.messages"
STRINGS = "RFC 8259, 7: strings"
SERVED_TOKENS = 8


@check(
    "API-CHAT-045",
    "text that looks like JSON, with quotes and backslashes, survives",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    profile="smoke",
    spec=STRINGS,
)
def test_json_like(target: Target, gateway: GatewayClient) -> None:
    """Programs and logs are pasted into prompts; decoded once too often, a path loses its backslashes."""
    if rich_repeated(target):
        return
    _require_repeated(target, JSON_ECHO, JSON_LIKE)


@check(
    "API-CHAT-046",
    "markup and placeholders are plain text",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{MESSAGES}.content",
)
def test_markup(target: Target, gateway: GatewayClient) -> None:
    """Guards against scripts belong where a browser shows the text; a template must not be filled in."""
    _require_repeated(target, MARKUP_ECHO, MARKUP)


@check(
    "API-CHAT-047",
    "white space within a text is kept",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{MESSAGES}.content",
)
def test_white_space(target: Target, gateway: GatewayClient) -> None:
    """Source code and tables live by it."""
    _require_repeated(target, SPACED_ECHO, SPACED)


@check(
    "API-CHAT-048",
    "control characters are served or refused, and never an internal error",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=STRINGS,
)
def test_controls(target: Target, gateway: GatewayClient) -> None:
    """Also where no model repeats them. A NUL that a database of logs does not take fails the request."""
    alias = single_chat(target.environment).alias
    problems = []
    for name, character in CONTROLS.items():
        answer = gateway.chat(alias, f"Good{character} morning.", temperature=0, max_tokens=SERVED_TOKENS)
        problems += unless_served_or_refused(name, answer)
    require(problems)


@check(
    "API-CHAT-049",
    "half a surrogate pair is served or refused, and never an internal error",
    level=SHOULD,
    effect=SPEND,
    claims="FUN-01",
    spec="RFC 8259, 8.2: unpaired surrogates",
)
def test_lone_surrogates(target: Target, gateway: GatewayClient) -> None:
    """What counts in 16-bit units, as browsers do, cuts an emoji in half at the end of a long text."""
    alias = single_chat(target.environment).alias
    problems = []
    for name, escape in LONE_SURROGATES.items():
        problems += unless_served_or_refused(name, _sent_raw(gateway, alias, f"Good {escape} morning."))
    require(problems)


@check(
    "API-CHAT-050",
    "content in one text part is the same as a string",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ChatCompletionRequestUserMessage.content; LiteLLM #9959",
)
def test_one_part(target: Target, gateway: GatewayClient) -> None:
    """The form in which agent frameworks write every message."""
    text = first_text(chat_answer(target, ONE_PART))
    if not same_text(text, CODE_WORD):
        raise CheckFailed(f"expected {CODE_WORD!r}, as to a string, got {text[:200]!r}", blame="gateway")


@check(
    "API-CHAT-051",
    "a system message in text parts is heeded",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec="openai:ChatCompletionRequestSystemMessage.content",
)
def test_system_parts(target: Target, gateway: GatewayClient) -> None:
    """Translations that look for a string find none, and leave the rules out."""
    text = first_text(chat_answer(target, SYSTEM_PARTS))
    if not same_text(text, SYSTEM_WORD):
        raise CheckFailed(
            f"expected {SYSTEM_WORD!r}, as the parts of the system message say, got {text[:200]!r}",
            blame="gateway",
        )


def _require_repeated(target: Target, question: ChatProbe, expected: str) -> None:
    difference = first_difference(first_text(chat_answer(target, question)).strip(), expected)
    if difference:
        raise CheckFailed(f"{difference}; the backend itself repeats it", blame="gateway")


def _sent_raw(gateway: GatewayClient, alias: str, escaped: str) -> Exchange:
    """escaped: the user's text as it stands between the quotes."""
    body = (
        f'{{"model": {json.dumps(alias)}, "messages": [{{"role": "user", "content": "{escaped}"}}], '
        f'"temperature": 0, "max_tokens": {SERVED_TOKENS}}}'
    )
    return gateway.request(
        "POST",
        "/v1/chat/completions",
        body=body.encode("ascii"),
        headers=[("content-type", "application/json")],
        tokens=tokens_needed(body, SERVED_TOKENS),
    )
