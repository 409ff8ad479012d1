"""Defects of streams. Those of a rule are found by the rule's name in the failure."""

from __future__ import annotations

from dataclasses import replace

from lab.faults.model import Fault, backend_fault, gateway_fault
from lab.faults.mutators import CHAT, answers, dropped, other_finish, without_done, without_text
from lab.faults.stream_mutators import (
    CALL,
    REMOVED,
    absent_reasons,
    anonymous,
    buffered,
    busy_after,
    calling,
    choice,
    counted,
    cut_after,
    deltas,
    every,
    finishing,
    held_back,
    one,
    prefixed,
    raw,
    role_late,
    shapeless,
    slowly,
    speaking,
    text_after_finish,
    typed,
    usage_always,
    usage_chunks,
    usage_early,
    wrong_reasons,
)
from lab.message import edit_events, envelope

CALL_2 = {**CALL, "id": "call_2"}
BARE_CALL = {"index": 0, "id": "", "type": "tool", "function": {"arguments": "{}"}}
HALF_CALL = {**CALL, "function": {"name": "get_weather", "arguments": '{"city": '}}
OBJECT_ARGUMENTS = {"index": 0, "function": {"arguments": {"city": "Oslo"}}}
CALL_AS_TEXT = {"content": '{"name": "get_weather", "arguments": {"city": "Oslo"}}'}
HALF_USAGE = {"prompt_tokens": 1, "completion_tokens": 1}
ERROR = {"error": {"message": "backend gone", "type": "server_error", "code": "500"}}


def _in_order(*patterns: str) -> str:
    return "(?s)" + ".*".join(patterns)


# fmt: off
ANSWER: tuple[Fault, ...] = (
    gateway_fault("stream-refused", "streams are an internal error",
                  {"API-STREAM-002": r"stream\.status", "API-STREAM-001": "got 500"},
                  before=answers(envelope(500, "no streams", "internal"), CHAT, when=lambda r: r.streams)),
    gateway_fault("stream-typed-json", "a stream claims to be JSON",
                  {"API-STREAM-003": r"stream\.content_type"}, after=typed("application/json")),
    gateway_fault("stream-connection-breaks", "the connection breaks after the first event",
                  {"API-STREAM-004": "connection broke"}, after=dropped),
    gateway_fault("stream-with-error", "a stream ends with an error frame",
                  {"API-STREAM-005": r"stream\.error\.frame: .*backend gone"}, after=cut_after(2, ERROR)),
    gateway_fault("stream-truncated", "a stream ends after two events, in good order",
                  {"API-STREAM-006": r"stream\.truncated"}, after=cut_after(2)),
)

FRAMING: tuple[Fault, ...] = (
    gateway_fault("stream-not-utf8", "a comment is Latin-1",
                  {"API-STREAM-010": r"sse\.utf8"}, after=prefixed(b": caf\xe9\n\n")),
    gateway_fault("stream-last-event-open", "the blank line after the last event is missing",
                  {"API-STREAM-011": r"sse\.event\.incomplete"},
                  after=raw(lambda b: b.rstrip(b"\n") + b"\n")),
    gateway_fault("stream-odd-fields", "lines that are no field, an id with NUL, a retry that is no number",
                  {"API-STREAM-012": _in_order(r"sse\.field\.unknown", r"sse\.id\.null",
                                               r"sse\.retry\.digits")},
                  after=prefixed(b"ping\n\nid: \0\nretry: soon\n\n")),
    gateway_fault("stream-events-named", "each event has a type, so that onmessage never sees it",
                  {"API-STREAM-013": r"stream\.event\.unnamed"},
                  after=raw(lambda b: b.replace(b"data: {", b"event: delta\ndata: {"))),
    gateway_fault("stream-data-no-object", "one data is half an object, one an array",
                  {"API-STREAM-014": _in_order(r"stream\.data\.json", r"stream\.data\.object")},
                  after=prefixed(b"data: {\n\ndata: [1]\n\n")),
    gateway_fault("stream-key-doubled", "each chunk names a key twice",
                  {"API-STREAM-015": r"stream\.data\.duplicate_key"},
                  after=raw(lambda b: b.replace(b"data: {", b'data: {"x":1,"x":2,'))),
    gateway_fault("stream-characters-cut", "half of a surrogate pair, and what is left of a cut character",
                  {"API-STREAM-016": _in_order(r"stream\.data\.surrogate", r"stream\.text\.replacement")},
                  after=deltas({"content": "\ud83d"}, {"content": "caf\ufffd"})),
    gateway_fault("stream-not-done", "a stream ends without [DONE]",
                  {"API-STREAM-020": r"stream\.done\.missing"}, after=without_done),
    gateway_fault("stream-goes-on", "after [DONE] come another one and another chunk",
                  {"API-STREAM-021": _in_order(r"stream\.done\.repeated", r"stream\.done\.data_after")},
                  after=raw(lambda b: b + b"data: [DONE]\n\ndata: {}\n\n")),
)

HEADS: tuple[Fault, ...] = (
    gateway_fault("stream-object-wrong", "chunks call themselves chat.completion",
                  {"API-STREAM-025": r"stream\.object"}, after=every(object="chat.completion")),
    gateway_fault("stream-id-empty", "chunks have an empty id",
                  {"API-STREAM-026": r"stream\.id\.string"}, after=every(id="")),
    gateway_fault("stream-id-changes", "one chunk has another id",
                  {"API-STREAM-027": r"stream\.id\.same"}, before=anonymous, after=one(1, id="chatcmpl-2")),
    gateway_fault("stream-created-text", "created is a text",
                  {"API-STREAM-028": r"stream\.created\.integer"}, after=every(created="2026-11-22")),
    gateway_fault("stream-created-ms", "created is in milliseconds",
                  {"API-STREAM-029": r"stream\.created\.plausible"}, after=every(created=1795387582000)),
    gateway_fault("stream-created-changes", "one chunk has another time",
                  {"API-STREAM-030": r"stream\.created\.same"}, after=one(1, created=1795387583)),
    gateway_fault("stream-model-missing", "chunks do not name their model",
                  {"API-STREAM-031": r"stream\.model\.string"}, after=every(model=REMOVED)),
    gateway_fault("stream-model-changes", "one chunk names another model",
                  {"API-STREAM-032": r"stream\.model\.same"}, after=one(1, model="other")),
)

CHOICES: tuple[Fault, ...] = (
    gateway_fault("stream-choices-shapeless", "choices is an object, holds a text, lacks index and delta",
                  {"API-STREAM-035": _in_order(r"stream\.choices\.array", r"stream\.choice\.object",
                                               r"stream\.choice\.index", r"stream\.delta\.object")},
                  after=edit_events(shapeless)),
    gateway_fault("stream-choices-empty", "a chunk without choices comes first",
                  {"API-STREAM-036": r"stream\.choices\.empty"},
                  after=edit_events(lambda chunks: [{**chunks[0], "choices": []}, *chunks])),
    gateway_fault("stream-choice-other", "the only choice has index 1",
                  {"API-STREAM-037": _in_order(r"stream\.choice\.unexpected", r"stream\.choice\.missing")},
                  after=choice(lambda item, _at: item.update(index=1))),
    gateway_fault("stream-role-wrong", "the role is user first, then assistant",
                  {"API-STREAM-038": _in_order(r"stream\.role\.value", r"stream\.role\.changed")},
                  after=deltas({"role": "user"}, {"role": "assistant"})),
    gateway_fault("stream-role-missing", "nobody says the role",
                  {"API-STREAM-039": r"stream\.role\.missing"},
                  after=choice(lambda item, _at: item["delta"].pop("role", None))),
    gateway_fault("stream-role-late", "the second delta says the role",
                  {"API-STREAM-040": r"stream\.role\.first"}, after=edit_events(role_late)),
    gateway_fault("stream-role-repeated", "every delta says the role",
                  {"API-STREAM-041": r"stream\.role\.repeated"},
                  after=choice(lambda item, _at: item["delta"].update(role="assistant"))),
    gateway_fault("stream-content-list", "content is a list of parts",
                  {"API-STREAM-042": r"stream\.content\.string"},
                  after=deltas({}, {"content": [{"type": "text", "text": "2"}]})),
)

FINISH: tuple[Fault, ...] = (
    gateway_fault("stream-finish-absent", "finish_reason is absent before the end",
                  {"API-STREAM-050": r"stream\.finish\.absent"}, before=anonymous,
                  after=choice(absent_reasons)),
    gateway_fault("stream-finish-wrong", "finish_reason is empty before the end, and a made-up word there",
                  {"API-STREAM-051": _in_order(r"stream\.finish\.empty", r"stream\.finish\.enum")},
                  after=choice(wrong_reasons)),
    gateway_fault("stream-finish-missing", "no chunk has a finish_reason",
                  {"API-STREAM-052": r"stream\.finish\.missing"}, after=finishing(None)),
    gateway_fault("stream-finish-twice", "a choice finishes two times",
                  {"API-STREAM-053": r"stream\.finish\.repeated"}, after=edit_events(other_finish)),
    gateway_fault("stream-text-after-finish", "text follows the finish",
                  {"API-STREAM-054": r"stream\.finish\.after"}, after=edit_events(text_after_finish)),
    gateway_fault("stream-finish-no-call", "every stream finishes with tool_calls",
                  {"API-STREAM-055": r"stream\.finish\.no_call"}, after=finishing("tool_calls")),
    gateway_fault("stream-call-unsaid", "a stream that calls a tool finishes with stop",
                  {"API-STREAM-056": r"stream\.finish\.call_unsaid"}, after=calling([CALL], reason="stop")),
    gateway_fault("stream-cut-says-stop", "a stream that max_tokens cut finishes with stop",
                  {"API-STREAM-057": "expected finish_reason length"}, after=finishing("stop")),
)

TOOLS: tuple[Fault, ...] = (
    gateway_fault("stream-call-as-text", "a tool call comes as text",
                  {"API-STREAM-060": "the stream brings none"}, before=anonymous,
                  after=speaking(CALL_AS_TEXT, reason="stop")),
    gateway_fault("stream-calls-shapeless", "tool_calls is an object, an index null, arguments an object",
                  {"API-STREAM-061": _in_order(r"stream\.tool\.shape", r"stream\.tool\.index\.integer",
                                               r"stream\.tool\.arguments\.string")},
                  after=calling({}, [{**CALL, "index": None}], [OBJECT_ARGUMENTS])),
    gateway_fault("stream-calls-share-index", "two tool calls have index 0",
                  {"API-STREAM-062": r"stream\.tool\.index\.shared"}, before=anonymous,
                  after=calling([CALL], [CALL_2])),
    gateway_fault("stream-call-bare", "a tool call has no id, another type and no name",
                  {"API-STREAM-063": _in_order(r"stream\.tool\.id", r"stream\.tool\.type",
                                               r"stream\.tool\.name")},
                  after=calling([BARE_CALL])),
    gateway_fault("stream-call-repeated", "later deltas of a tool call bring its id and name again",
                  {"API-STREAM-064": r"stream\.tool\.repeated"}, after=calling([CALL], [CALL])),
    gateway_fault("stream-call-cut", "the arguments of a finished tool call are half an object",
                  {"API-STREAM-065": r"stream\.tool\.arguments\.json"}, after=calling([HALF_CALL])),
)

USAGE: tuple[Fault, ...] = (
    gateway_fault("stream-usage-missing", "usage that was asked for does not come",
                  {"API-STREAM-070": r"stream\.usage\.missing"}, after=usage_chunks(lambda _: [])),
    gateway_fault("stream-usage-repeated", "usage comes twice",
                  {"API-STREAM-071": r"stream\.usage\.repeated"}, after=usage_chunks(lambda c: [c, c])),
    gateway_fault("stream-usage-with-choices", "the usage chunk has choices",
                  {"API-STREAM-072": r"stream\.usage\.choices"}, before=anonymous,
                  after=usage_chunks(lambda c: [{**c, "choices": [{"index": 0, "delta": {}}]}])),
    gateway_fault("stream-usage-early", "usage comes before the chunk that finishes",
                  {"API-STREAM-073": r"stream\.usage\.last"}, after=edit_events(usage_early)),
    gateway_fault("stream-usage-half", "usage lacks the total",
                  {"API-STREAM-074": r"stream\.usage\.shape"},
                  after=usage_chunks(lambda c: [{**c, "usage": HALF_USAGE}])),
    gateway_fault("stream-usage-miscounted", "the total is one too many",
                  {"API-STREAM-075": r"stream\.usage\.sum"}, after=counted(total_tokens=1)),
    gateway_fault("stream-usage-unasked", "usage comes though nobody asked for it",
                  {"API-STREAM-076": r"stream\.usage\.unasked"}, after=usage_always),
)

TEXT: tuple[Fault, ...] = (
    gateway_fault("stream-lacks-character", "the first character of a stream is lost",
                  {"API-STREAM-080": "expected the stream to spell"}, after=edit_events(without_text)),
    gateway_fault("stream-usage-guessed", "usage of streams is counted with another tokenizer",
                  {"API-STREAM-081": "expected prompt_tokens"},
                  after=counted(prompt_tokens=7, total_tokens=7)),
    gateway_fault("stream-joiners-dropped", "what joins emoji is taken for nothing",
                  {"API-STREAM-082": "expected the code points"},
                  after=raw(lambda b: b.replace("\u200d".encode(), b"").replace(rb"\u200d", b""))),
    backend_fault("backend-stops-half-way", "a backend's stream ends in good form after half of its text",
                  {"API-STREAM-083": "a stream that was cut is called whole"},
                  scenario="stream-stops-half-way"),
    gateway_fault("stream-ids-constant", "every stream has the same id",
                  {"API-STREAM-084": "two streams share the id chatcmpl-1"}, after=every(id="chatcmpl-1")),
)

PACE: tuple[Fault, ...] = (
    gateway_fault("stream-buffered", "a proxy hands on a stream when all of it is there",
                  {"API-STREAM-085": "the text is buffered", "API-STREAM-086": "comes in a burst"},
                  after=buffered),
    gateway_fault("stream-held-back", "the first event comes at once, all others together a second later",
                  {"API-STREAM-086": "comes in a burst"}, after=held_back(1.0)),
    gateway_fault("stream-keep-alive-data", "an empty data line keeps a slow stream alive",
                  {"API-STREAM-087": r"stream\.data\.json"}, after=prefixed(b"data:\n\n", slowly)),
)

LEAVING: tuple[Fault, ...] = (
    gateway_fault("leaving-client-keeps-slot", "a client that leaves keeps the gateway's only slot",
                  {"API-STREAM-090": "is answered with 503"}, before=busy_after(1)),
    gateway_fault("leaving-clients-keep-slots", "each client that leaves keeps one of four slots",
                  {"API-STREAM-091": "is answered with 503"}, before=busy_after(4)),
    replace(backend_fault("backend-runs-on", "a backend goes on generating for a client that has left",
                          {"API-STREAM-092": "the slot is not free"}, scenario="runs-on"),
            before=anonymous),
)

DYING: tuple[Fault, ...] = (
    backend_fault("backend-stream-dies", "a backend's connection ends after ten lines of a stream",
                  {"API-STREAM-083": "a stream that was cut is called whole|the stream failed, and says so"},
                  scenario="stream-dies-late"),
    backend_fault("backend-stream-fails", "a backend's stream ends with Ollama's error object",
                  {"API-STREAM-005": r"stream\.error\.frame"}, scenario="stream-error-line"),
    backend_fault("backend-stream-unfinished", "a backend's stream ends without its last line",
                  {"API-STREAM-057": "expected finish_reason length"}, scenario="stream-without-done"),
)
# fmt: on

STREAM_FAULTS = (
    *ANSWER, *FRAMING, *HEADS, *CHOICES, *FINISH, *TOOLS, *USAGE, *TEXT, *PACE, *LEAVING, *DYING,
)  # fmt: skip
