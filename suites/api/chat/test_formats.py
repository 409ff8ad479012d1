"""API-CHAT: answers in a form that a program reads."""

from gateway_acceptance.check import MUST, SPEND, check
from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from gateway_acceptance.wire.gateway import GatewayClient
from suites.api.chat.formats import JSON_MODE, OBJECT_FORM, SCHEMA, SCHEMA_FORM, is_object, is_place
from suites.api.chat.probes import chat_answer
from suites.api.extract import first_text, refused_honestly

FORMAT = "openai:CreateChatCompletionRequest.response_format"


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
    answer = chat_answer(target, JSON_MODE, response_format=OBJECT_FORM)
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
    answer = chat_answer(target, SCHEMA, response_format=SCHEMA_FORM)
    if not refused_honestly(answer):
        _require(answer, is_place(first_text(answer)), "what the schema demands")


def _require(answer: Exchange, right: bool, what: str) -> None:
    if not right:
        raise CheckFailed(f"expected {what}, got {first_text(answer)[:200]!r}", blame="gateway")
