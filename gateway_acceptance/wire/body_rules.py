"""The catalogue of what a body must keep beyond its JSON Schema: each rule with its level and its source."""

from __future__ import annotations

from collections.abc import Mapping

from gateway_acceptance.check import MUST, SHOULD
from gateway_acceptance.wire.rule import Rule, catalogue

CHAT = "openai-openapi CreateChatCompletionResponse"
EMBEDDINGS = "openai-openapi CreateEmbeddingResponse"

CHAT_COUNT = Rule(
    "chat_completion.choices.count",
    MUST,
    "as many choices as asked for",
    "openai-openapi CreateChatCompletionRequest.n",
)
CHAT_INDEX = Rule(
    "chat_completion.choices.index", MUST, "choices are numbered from 0, each once", f"{CHAT}.choices.index"
)
CHAT_USAGE_MISSING = Rule("chat_completion.usage.missing", SHOULD, "an answer has its usage", f"{CHAT}.usage")
CHAT_USAGE_SUM = Rule(
    "chat_completion.usage.sum",
    MUST,
    "total_tokens is prompt_tokens and completion_tokens",
    "openai-openapi CompletionUsage.total_tokens",
)
CHAT_CREATED = Rule(
    "chat_completion.created", SHOULD, "created is the time, in Unix seconds", f"{CHAT}.created"
)
CHAT_NO_CALL = Rule(
    "chat_completion.finish.no_call",
    MUST,
    "finish_reason tool_calls means a tool was called",
    f"{CHAT}.choices.finish_reason",
)
CHAT_CALL_UNSAID = Rule(
    "chat_completion.finish.call_unsaid",
    SHOULD,
    "a choice that calls a tool finishes with tool_calls",
    f"{CHAT}.choices.finish_reason; stop is seen with a forced tool_choice",
)
CHAT_NO_CONTENT = Rule(
    "chat_completion.content.missing",
    MUST,
    "a choice that finishes with stop says something",
    "openai-openapi ChatCompletionResponseMessage.content: null stands for a call or a refusal",
)
CHAT_CALL_IDS = Rule(
    "chat_completion.tool_calls.id",
    MUST,
    "the tool calls of a choice have different ids",
    "openai-openapi ChatCompletionMessageToolCall.id",
)
CHAT_ARGUMENTS = Rule(
    "chat_completion.tool_calls.arguments",
    MUST,
    "the arguments of a finished tool call are a JSON object",
    "openai-openapi ChatCompletionMessageToolCall.function.arguments; Ollama hands over parsed arguments",
)

EMBEDDING_COUNT = Rule(
    "embedding.count", MUST, "one vector for each input", "openai-openapi CreateEmbeddingRequest.input"
)
EMBEDDING_INDEX = Rule(
    "embedding.index", MUST, "vectors are in the inputs' order", "openai-openapi Embedding.index"
)
EMBEDDING_BASE64 = Rule(
    "embedding.base64",
    MUST,
    "a string is base64 of 32-bit floats, little-endian",
    "openai-python Embeddings.create decodes it so",
)
EMBEDDING_DIMENSIONS = Rule(
    "embedding.dimensions",
    MUST,
    "every vector has the expected length",
    "openai-openapi CreateEmbeddingRequest.dimensions",
)
EMBEDDING_FINITE = Rule("embedding.finite", MUST, "every component is a finite number", "RFC 8259 section 6")
EMBEDDING_ZERO = Rule("embedding.zero", MUST, "no vector is zero", "cosine similarity is undefined for it")
EMBEDDING_SAME = Rule(
    "embedding.same", MUST, "different inputs do not all have one vector", "the point of an embedding"
)

MODELS_UNIQUE = Rule("model_list.id.unique", MUST, "a model is listed once", "openai-openapi Model.id")

ERROR_STATUS = Rule(
    "error.status", MUST, "a refused request gets a status from 400 to 499", "RFC 9110 section 15.5"
)
ERROR_CONTENT_TYPE = Rule("error.content_type", MUST, "an error is JSON", "openai-openapi ErrorResponse")

BODY_RULES: Mapping[str, Rule] = catalogue(
    *(value for value in list(globals().values()) if isinstance(value, Rule))
)
"""Every rule by name that the validators of bodies report beside those of schemas and of JSON text."""
