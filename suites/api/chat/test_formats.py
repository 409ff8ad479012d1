"""API-CHAT: answers in a form that a program reads."""

import json
from typing import Any

from jsonschema import Draft202012Validator

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.environment import Ability
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.chat.extract import first_text, refused_honestly
from suites.api.chat.probes import ChatProbe, chat_answer, echo, user

FORMAT = "openai:CreateChatCompletionRequest.response_format"
TOKENS = 160
"""A small object; the rest bounds a model that will not stop."""

PLACE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "inhabitants": {"type": "integer"},
        "coastal": {"type": "boolean"},
        "districts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["city", "inhabitants", "coastal", "districts"],
    "additionalProperties": False,
}
"""Within what OpenAI allows of a strict schema: everything required, nothing else allowed."""


PLACE_TEXT = (
    '{"city": "Oslo", "inhabitants": 700000, "coastal": true, '
    '"districts": [{"name": "Sagene"}, {"name": "Frogner"}]}'
)


def is_object(text: str) -> bool:
    """Whether a text is a JSON object and nothing beside it."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def is_place(text: str) -> bool:
    """Whether a text is JSON that conforms to the schema."""
    try:
        return Draft202012Validator(PLACE).is_valid(json.loads(text))
    except ValueError:
        return False


JSON_MODE = ChatProbe(
    "JSON mode",
    "answers in JSON",
    [user("Count from 1 to 5 and answer in JSON")],
    is_object,
    TOKENS,
    {"format": "json"},
    (Ability.JSON_OBJECT,),
    echo('{"1": "one"}'),
)
SCHEMA = ChatProbe(
    "schema",
    "answers as a schema demands",
    [user("Which city is the capital of Norway? How many live there, in which two districts, by the sea?")],
    is_place,
    TOKENS,
    {"format": PLACE},
    (Ability.JSON_SCHEMA,),
    echo(PLACE_TEXT),
)


@check(
    "API-CHAT-038",
    "in JSON mode the answer is a JSON object, or the mode is refused",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{FORMAT}; openai:ResponseFormatJsonObject",
)
def test_json_mode(target: Target, gateway: GatewayClient) -> None:
    """No fences, no words around it: programs parse it. The prompt names JSON, as the mode demands."""
    answer = chat_answer(target, JSON_MODE, response_format={"type": "json_object"})
    if not refused_honestly(answer):
        _require(answer, is_object(first_text(answer)), "a JSON object")


@check(
    "API-CHAT-039",
    "an answer under a JSON schema conforms to it, or the schema is refused",
    level=MUST,
    effect=SPEND,
    claims="FUN-01",
    spec=f"{FORMAT}; openai:ResponseFormatJsonSchema; LiteLLM #7131, Ollama #8063",
)
def test_schema(target: Target, gateway: GatewayClient) -> None:
    """The prompt does not say a word of JSON: only the schema makes it so."""
    form = {"name": "place", "strict": True, "schema": PLACE}
    answer = chat_answer(target, SCHEMA, response_format={"type": "json_schema", "json_schema": form})
    if not refused_honestly(answer):
        _require(answer, is_place(first_text(answer)), "what the schema demands")


def _require(answer: Exchange, right: bool, what: str) -> None:
    if not right:
        raise CheckFailed(f"expected {what}, got {first_text(answer)[:200]!r}", blame="gateway")
