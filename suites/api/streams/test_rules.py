"""API-STREAM: the rules of the stream's state machine (gateway_acceptance/wire/stream_rules.py), one by one.

One line each: id, rules, and which streams are judged (all four where nothing is said: plain, with
include_usage, cut by max_tokens, with tools). Level, source and title are the rules' own.
"""

from suites.api.streams.probes import (
    StreamKind,
)
from suites.api.streams.rules import stream_rule

USAGE, TOOL = (StreamKind.USAGE,), (StreamKind.TOOL,)
UNASKED = (StreamKind.PLAIN, StreamKind.CUT, StreamKind.TOOL)

# fmt: off
# The answer (API-STREAM-004, that the connection holds, is in test_stream_text)
test_status = stream_rule("API-STREAM-002", "stream.status")
test_content_type = stream_rule("API-STREAM-003", "stream.content_type")
test_error_frame = stream_rule("API-STREAM-005", "stream.error.frame")
test_truncated = stream_rule("API-STREAM-006", "stream.truncated")

# Framing
test_utf8 = stream_rule("API-STREAM-010", "sse.utf8")
test_event_incomplete = stream_rule("API-STREAM-011", "sse.event.incomplete")
test_fields = stream_rule("API-STREAM-012", "sse.field.unknown", "sse.id.null", "sse.retry.digits",
                          title="every line is a field that clients know, or a comment")
test_event_unnamed = stream_rule("API-STREAM-013", "stream.event.unnamed")
test_data_object = stream_rule("API-STREAM-014", "stream.data.json", "stream.data.object",
                               title="each data is a JSON object")
test_data_duplicate_key = stream_rule("API-STREAM-015", "stream.data.duplicate_key")
test_complete_characters = stream_rule("API-STREAM-016", "stream.data.surrogate", "stream.text.replacement",
                                    title="no character is cut in two")

# Its end
test_done_missing = stream_rule("API-STREAM-020", "stream.done.missing")
test_done_last = stream_rule("API-STREAM-021", "stream.done.repeated", "stream.done.data_after",
                             title="nothing follows [DONE]")

# What every chunk says of itself
test_object = stream_rule("API-STREAM-025", "stream.object")
test_id = stream_rule("API-STREAM-026", "stream.id.string")
test_id_same = stream_rule("API-STREAM-027", "stream.id.same")
test_created = stream_rule("API-STREAM-028", "stream.created.integer")
test_created_plausible = stream_rule("API-STREAM-029", "stream.created.plausible")
test_created_same = stream_rule("API-STREAM-030", "stream.created.same")
test_model = stream_rule("API-STREAM-031", "stream.model.string")
test_model_same = stream_rule("API-STREAM-032", "stream.model.same")

# Choices
test_choices = stream_rule("API-STREAM-035", "stream.choices.array", "stream.choice.object",
                           "stream.choice.index", "stream.delta.object",
                           title="choices is an array of objects with index and delta")
test_choices_empty = stream_rule("API-STREAM-036", "stream.choices.empty")
test_choices_asked_for = stream_rule("API-STREAM-037", "stream.choice.unexpected", "stream.choice.missing",
                                     title="the choices are those that were asked for")
test_role = stream_rule("API-STREAM-038", "stream.role.value", "stream.role.changed",
                        title="the role is assistant, and stays so")
test_role_missing = stream_rule("API-STREAM-039", "stream.role.missing")
test_role_first = stream_rule("API-STREAM-040", "stream.role.first")
test_role_repeated = stream_rule("API-STREAM-041", "stream.role.repeated")
test_content = stream_rule("API-STREAM-042", "stream.content.string")

# Finish
test_finish_absent = stream_rule("API-STREAM-050", "stream.finish.absent")
test_finish_reason = stream_rule("API-STREAM-051", "stream.finish.enum", "stream.finish.empty",
                                 title="finish_reason is null or one of the documented reasons")
test_finish_missing = stream_rule("API-STREAM-052", "stream.finish.missing")
test_finish_repeated = stream_rule("API-STREAM-053", "stream.finish.repeated")
test_finish_after = stream_rule("API-STREAM-054", "stream.finish.after")
test_finish_no_call = stream_rule("API-STREAM-055", "stream.finish.no_call")
test_finish_call_unsaid = stream_rule("API-STREAM-056", "stream.finish.call_unsaid", of=TOOL, calls=1)

# Tool calls (API-STREAM-060, that a tool is called at all, is in test_stream_text)
test_tool_shape = stream_rule("API-STREAM-061", "stream.tool.shape", "stream.tool.index.integer",
                              "stream.tool.arguments.string", of=TOOL, calls=1,
                              title="tool_calls is an array of objects with an index and textual arguments")
test_tool_index_shared = stream_rule("API-STREAM-062", "stream.tool.index.shared", of=TOOL, calls=2)
test_tool_begins = stream_rule("API-STREAM-063", "stream.tool.id", "stream.tool.type", "stream.tool.name",
                               of=TOOL, calls=1,
                               title="the first delta of a tool call has id, type and the function's name")
test_tool_repeated = stream_rule("API-STREAM-064", "stream.tool.repeated", of=TOOL, calls=1)
test_tool_arguments = stream_rule("API-STREAM-065", "stream.tool.arguments.json", of=TOOL, calls=1)

# Usage
test_usage_missing = stream_rule("API-STREAM-070", "stream.usage.missing", of=USAGE)
test_usage_repeated = stream_rule("API-STREAM-071", "stream.usage.repeated", of=USAGE)
test_usage_choices = stream_rule("API-STREAM-072", "stream.usage.choices", of=USAGE)
test_usage_last = stream_rule("API-STREAM-073", "stream.usage.last", of=USAGE)
test_usage_shape = stream_rule("API-STREAM-074", "stream.usage.shape", of=USAGE)
test_usage_sum = stream_rule("API-STREAM-075", "stream.usage.sum", of=USAGE)
test_usage_unasked = stream_rule("API-STREAM-076", "stream.usage.unasked", of=UNASKED)
# fmt: on
