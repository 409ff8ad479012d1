"""The catalogue of what a chat completion stream must keep: each rule with its level and its source.

MUST: breaking it breaks clients. SHOULD: the literal contract. What the specification only says in words,
and what no specification says but a client relies on, is a MUST where a client is known to break.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway_acceptance.check import MUST, SHOULD
from gateway_acceptance.wire import sse
from gateway_acceptance.wire.rule import Rule, catalogue

SPEC = "openai-openapi CreateChatCompletionStreamResponse"
DELTA = "openai-openapi ChatCompletionStreamResponseDelta"
TOOL = "openai-openapi ChatCompletionMessageToolCallChunk"
USAGE = "openai-openapi CompletionUsage"
INCLUDE_USAGE = "openai-openapi ChatCompletionStreamOptions.include_usage"
STREAM = "openai-openapi CreateCompletionRequest.stream: data-only events, ended by data: [DONE]"
NODE = "openai-node ChatCompletionStream.finalizeChatCompletion raises"
ACCUMULATE = "openai-python accumulate_delta joins repeated strings"

# The answer
STATUS = Rule(
    "stream.status", MUST, "a stream begins with status 200", "openai-openapi POST /chat/completions"
)
CONTENT_TYPE = Rule("stream.content_type", MUST, "a stream is text/event-stream", "WHATWG HTML 9.2.5")
EVENT_TYPE = Rule("stream.event.unnamed", SHOULD, "the events of a stream have no event type", STREAM)

# Its end
DONE_MISSING = Rule("stream.done.missing", MUST, "a stream ends with [DONE]", STREAM)
DONE_REPEATED = Rule("stream.done.repeated", MUST, "[DONE] comes once", STREAM)
DONE_DATA_AFTER = Rule("stream.done.data_after", MUST, "nothing follows [DONE]", STREAM)
TRUNCATED = Rule(
    "stream.truncated",
    MUST,
    "a stream that fails says so; it does not just end without finish_reason, error or [DONE]",
    f"{STREAM}; LiteLLM #39748: clients take the part for the whole",
)
ERROR_FRAME = Rule(
    "stream.error.frame",
    MUST,
    "a stream completes without an error frame",
    "openai-python Stream raises APIError on a data object with error",
)

# Each frame
DATA_JSON = Rule("stream.data.json", MUST, "each data is JSON", f"{SPEC}; RFC 8259")
DATA_OBJECT = Rule("stream.data.object", MUST, "each data is a JSON object", f"{SPEC}.type")
DATA_DUPLICATE = Rule(
    "stream.data.duplicate_key", SHOULD, "an object names each key once", "RFC 8259 section 4"
)
DATA_SURROGATE = Rule(
    "stream.data.surrogate", MUST, "no character is cut into surrogates", "RFC 7493 section 2.1"
)
OBJECT = Rule("stream.object", MUST, "object is chat.completion.chunk", f"{SPEC}.object")
ID = Rule("stream.id.string", MUST, "each chunk has an id, a non-empty string", f"{SPEC}.id")
ID_SAME = Rule(
    "stream.id.same",
    MUST,
    "each chunk has the same id",
    f"{SPEC}.id: Each chunk has the same ID; clients merge by it (LiteLLM #36700, #38098)",
)
CREATED = Rule("stream.created.integer", MUST, "each chunk has created, an integer", f"{SPEC}.created")
CREATED_PLAUSIBLE = Rule("stream.created.plausible", SHOULD, "created is in Unix seconds", f"{SPEC}.created")
CREATED_SAME = Rule(
    "stream.created.same",
    SHOULD,
    "each chunk has the same created",
    f"{SPEC}.created: Each chunk has the same timestamp",
)
MODEL = Rule("stream.model.string", MUST, "each chunk names its model, a non-empty string", f"{SPEC}.model")
MODEL_SAME = Rule("stream.model.same", SHOULD, "each chunk names the same model", f"{SPEC}.model")

# Choices
CHOICES = Rule("stream.choices.array", MUST, "choices is an array", f"{SPEC}.choices")
CHOICES_EMPTY = Rule(
    "stream.choices.empty",
    MUST,
    "choices is empty only in the usage chunk that was asked for",
    f"{SPEC}.choices; the documented loop reads choices[0] of every chunk",
)
CHOICE_OBJECT = Rule("stream.choice.object", MUST, "each choice is an object", f"{SPEC}.choices")
CHOICE_INDEX = Rule(
    "stream.choice.index", MUST, "each choice has an integer index from 0", f"{SPEC}.choices.index"
)
CHOICE_UNEXPECTED = Rule(
    "stream.choice.unexpected",
    MUST,
    "no choice beyond those asked for",
    "openai-openapi CreateChatCompletionRequest.n",
)
CHOICE_MISSING = Rule(
    "stream.choice.missing",
    MUST,
    "every choice asked for appears",
    "openai-openapi CreateChatCompletionRequest.n",
)
DELTA_OBJECT = Rule(
    "stream.delta.object", MUST, "each choice has a delta, an object", f"{SPEC}.choices.delta"
)
ROLE_VALUE = Rule("stream.role.value", MUST, "a delta's role is assistant", f"{DELTA}.role")
ROLE_CHANGED = Rule("stream.role.changed", MUST, "the role of a choice never changes", f"{DELTA}.role")
ROLE_MISSING = Rule("stream.role.missing", MUST, "a choice says its role", f"{NODE}: missing role for choice")
ROLE_FIRST = Rule(
    "stream.role.first",
    SHOULD,
    "the first delta of a choice says its role",
    "OpenAI API reference, streaming example",
)
ROLE_REPEATED = Rule("stream.role.repeated", SHOULD, "a choice says its role once", ACCUMULATE)
CONTENT = Rule("stream.content.string", MUST, "content is a string or null", f"{DELTA}.content")
TEXT_REPLACEMENT = Rule(
    "stream.text.replacement",
    MUST,
    "no character of the text was replaced by U+FFFD",
    "Unicode 16.0 section 3.9: what decoding a split character leaves",
)

# Finish
FINISH_ABSENT = Rule(
    "stream.finish.absent",
    SHOULD,
    "finish_reason is null, not absent, before the end",
    f"{SPEC}.choices.required",
)
FINISH_EMPTY = Rule("stream.finish.empty", MUST, "finish_reason is never an empty string", "Ollama #4357")
FINISH_ENUM = Rule(
    "stream.finish.enum", MUST, "finish_reason is one of the documented", f"{SPEC}.choices.finish_reason"
)
FINISH_MISSING = Rule(
    "stream.finish.missing", MUST, "every choice finishes", f"{NODE}: missing finish_reason for choice"
)
FINISH_REPEATED = Rule(
    "stream.finish.repeated", MUST, "a choice finishes once", f"{SPEC}.choices.finish_reason"
)
FINISH_AFTER = Rule(
    "stream.finish.after",
    MUST,
    "nothing of a choice follows its finish",
    "openai-openapi CreateChatCompletionStreamResponse.choices.finish_reason: why the model stopped",
)
FINISH_NO_CALL = Rule(
    "stream.finish.no_call",
    MUST,
    "finish_reason tool_calls means a tool was called",
    f"{SPEC}.choices.finish_reason",
)
FINISH_CALL_UNSAID = Rule(
    "stream.finish.call_unsaid",
    SHOULD,
    "a choice that calls a tool finishes with tool_calls",
    f"{SPEC}.choices.finish_reason; stop is seen with a forced tool_choice",
)

# Tool calls
TOOL_SHAPE = Rule("stream.tool.shape", MUST, "tool_calls is an array of objects, function an object", TOOL)
TOOL_INDEX = Rule(
    "stream.tool.index.integer", MUST, "each tool call has an integer index from 0", f"{TOOL}.index"
)
TOOL_SHARED = Rule(
    "stream.tool.index.shared",
    MUST,
    "parallel tool calls have different indexes",
    f"{TOOL}.index; LiteLLM #33678",
)
TOOL_ID = Rule("stream.tool.id", MUST, "the first delta of a tool call has its id", f"{TOOL}.id; {NODE}")
TOOL_TYPE = Rule(
    "stream.tool.type", MUST, "the first delta of a tool call has type function", f"{TOOL}.type; {NODE}"
)
TOOL_NAME = Rule(
    "stream.tool.name",
    MUST,
    "the first delta of a tool call names the function",
    f"{TOOL}.function.name; {NODE}",
)
TOOL_REPEATED = Rule(
    "stream.tool.repeated", MUST, "later deltas of a tool call bring only arguments", ACCUMULATE
)
TOOL_ARGUMENTS = Rule(
    "stream.tool.arguments.string", MUST, "arguments is a string", f"{TOOL}.function.arguments"
)
TOOL_ARGUMENTS_JSON = Rule(
    "stream.tool.arguments.json",
    MUST,
    "the joined arguments of a finished tool call are a JSON object",
    f"{TOOL}.function.arguments; a model may err, but Ollama hands over parsed arguments",
)

# Usage
USAGE_MISSING = Rule("stream.usage.missing", MUST, "usage comes where it was asked for", INCLUDE_USAGE)
USAGE_REPEATED = Rule("stream.usage.repeated", MUST, "usage comes once", INCLUDE_USAGE)
USAGE_CHOICES = Rule(
    "stream.usage.choices",
    MUST,
    "the usage chunk has empty choices",
    f"{INCLUDE_USAGE}; LiteLLM #28735, #8450",
)
USAGE_LAST = Rule("stream.usage.last", SHOULD, "the usage chunk is the last before [DONE]", INCLUDE_USAGE)
USAGE_SHAPE = Rule("stream.usage.shape", MUST, "usage has three counts, integers from 0", USAGE)
USAGE_SUM = Rule(
    "stream.usage.sum", MUST, "total_tokens is prompt_tokens and completion_tokens", f"{USAGE}.total_tokens"
)
USAGE_UNASKED = Rule(
    "stream.usage.unasked", SHOULD, "no usage comes where none was asked for", f"{SPEC}.usage"
)

RULES: Mapping[str, Rule] = {
    **sse.RULES,
    **catalogue(*(value for value in list(globals().values()) if isinstance(value, Rule))),
}
"""Every rule that read_chat_stream can report, framing included, by name."""

FINISH_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""openai-openapi CreateChatCompletionStreamResponse.choices.finish_reason."""
