"""Rules over every stream of chat: the state machine's, each owned by its check; ids, models, its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gateway_acceptance.problem import Problem
from gateway_acceptance.wire.memory import Memory
from gateway_acceptance.wire.seen import Kind, SeenExchange
from gateway_acceptance.wire.stream import ChatStream, read_chat_stream
from gateway_acceptance.wire.watch import UniversalRule
from suites.every_exchange.ids import repeated_id
from suites.every_exchange.said import answers_asked, upstreams_of

OWNERS: Mapping[str, tuple[str, ...]] = {
    "API-STREAM-003": ("stream.content_type",),
    "API-STREAM-005": ("stream.error.frame",),
    "API-STREAM-006": ("stream.truncated",),
    "API-STREAM-010": ("sse.utf8",),
    "API-STREAM-011": ("sse.event.incomplete",),
    "API-STREAM-012": ("sse.field.unknown", "sse.id.null", "sse.retry.digits"),
    "API-STREAM-013": ("stream.event.unnamed",),
    "API-STREAM-014": ("stream.data.json", "stream.data.object"),
    "API-STREAM-015": ("stream.data.duplicate_key",),
    "API-STREAM-016": ("stream.data.surrogate", "stream.text.replacement"),
    "API-STREAM-020": ("stream.done.missing",),
    "API-STREAM-021": ("stream.done.repeated", "stream.done.data_after"),
    "API-STREAM-025": ("stream.object",),
    "API-STREAM-026": ("stream.id.string",),
    "API-STREAM-027": ("stream.id.same",),
    "API-STREAM-028": ("stream.created.integer",),
    "API-STREAM-029": ("stream.created.plausible",),
    "API-STREAM-030": ("stream.created.same",),
    "API-STREAM-031": ("stream.model.string",),
    "API-STREAM-032": ("stream.model.same",),
    "API-STREAM-035": (
        "stream.choices.array",
        "stream.choice.object",
        "stream.choice.index",
        "stream.delta.object",
    ),
    "API-STREAM-036": ("stream.choices.empty",),
    "API-STREAM-037": ("stream.choice.unexpected", "stream.choice.missing"),
    "API-STREAM-038": ("stream.role.value", "stream.role.changed"),
    "API-STREAM-039": ("stream.role.missing",),
    "API-STREAM-040": ("stream.role.first",),
    "API-STREAM-041": ("stream.role.repeated",),
    "API-STREAM-042": ("stream.content.string",),
    "API-STREAM-050": ("stream.finish.absent",),
    "API-STREAM-051": ("stream.finish.enum", "stream.finish.empty"),
    "API-STREAM-052": ("stream.finish.missing",),
    "API-STREAM-053": ("stream.finish.repeated",),
    "API-STREAM-054": ("stream.finish.after",),
    "API-STREAM-055": ("stream.finish.no_call",),
    "API-STREAM-056": ("stream.finish.call_unsaid",),
    "API-STREAM-061": ("stream.tool.shape", "stream.tool.index.integer", "stream.tool.arguments.string"),
    "API-STREAM-062": ("stream.tool.index.shared",),
    "API-STREAM-063": ("stream.tool.id", "stream.tool.type", "stream.tool.name"),
    "API-STREAM-064": ("stream.tool.repeated",),
    "API-STREAM-065": ("stream.tool.arguments.json",),
    "API-STREAM-070": ("stream.usage.missing",),
    "API-STREAM-071": ("stream.usage.repeated",),
    "API-STREAM-072": ("stream.usage.choices",),
    "API-STREAM-073": ("stream.usage.last",),
    "API-STREAM-074": ("stream.usage.shape",),
    "API-STREAM-075": ("stream.usage.sum",),
    "API-STREAM-076": ("stream.usage.unasked",),
}
"""Check -> rules of the state machine, as in suites/api/streams/test_rules.py (a test holds them against each
other). stream.status is no rule here: what is not served is no stream."""
ABOUT_CHOICES = ("API-STREAM-037", "API-STREAM-052", "API-STREAM-006")
"""Where several choices were asked for: how many come is told by API-CHAT-018."""
KINDS = ("plain", "include_usage", "max_tokens", "tools")
READ = "stream as it was read"


def stream_of(seen: SeenExchange) -> ChatStream:
    """The exchange as a stream, read once."""
    known = seen.__dict__.get(READ)
    if isinstance(known, ChatStream):
        return known
    exchange = seen.exchange
    stream = read_chat_stream(
        exchange.status or 0,
        exchange.headers,
        exchange.chunks,
        include_usage=with_usage(seen),
        expected_choices=max(1, answers_asked(seen)),
        replacement_expected="\ufffd" in exchange.request_body.decode("utf-8", "replace")
        or b"\\ufffd" in exchange.request_body.lower(),
    )
    seen.__dict__[READ] = stream
    return stream


def with_usage(seen: SeenExchange) -> bool:
    """Whether usage was asked for."""
    options = seen.asked.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def kind_of(seen: SeenExchange) -> str:
    """What the checks of streams call such a stream: what a release does by itself is known by it."""
    if seen.asked.get("tools"):
        return "tools"
    if with_usage(seen):
        return "include_usage"
    limit = seen.asked.get("max_tokens")
    return "max_tokens" if isinstance(limit, int) and limit <= 8 else "plain"


def of_any_kind(text: str) -> list[str]:
    """The same of every kind of stream: what a release does in one, it does by itself."""
    own = next((kind for kind in KINDS if f" at {kind} stream, " in text), None)
    return (
        [text]
        if own is None
        else [text.replace(f" at {own} stream, ", f" at {kind} stream, ") for kind in KINDS]
    )


def _state_machine(check: str) -> UniversalRule:
    names = OWNERS[check]

    def judge(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
        if check in ABOUT_CHOICES and answers_asked(seen) != 1:
            return
        if seen.exchange.error:
            return  # that it broke off is API-STREAM-004's
        stream = stream_of(seen)
        for problem in stream.broken(*names):
            yield replace(problem, where=f"{kind_of(seen)} stream, {problem.where}")

    return UniversalRule(check, frozenset({Kind.STREAM}), judge, of_any_kind)


def held(seen: SeenExchange, _: Memory) -> Iterator[Problem]:
    """As of API-STREAM-004."""
    if seen.exchange.error:
        came = f"after {len(stream_of(seen).chunks)} chunks"
        yield Problem("", f"the {kind_of(seen)} stream broke off {came}: {seen.exchange.error}")


def own_id(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-STREAM-084: two streams have different ids."""
    chunks = stream_of(seen).chunks
    repeated = repeated_id(memory, "stream id", chunks[0].get("id")) if chunks else None
    if repeated:
        yield Problem("", f"two streams share the id {repeated.id.strip(chr(34))}")


def model(seen: SeenExchange, memory: Memory) -> Iterator[Problem]:
    """As of API-CHAT-007: of an alias with one deployment, what a whole answer is called a stream is too."""
    if len(upstreams_of(seen)) != 1:
        return
    if Kind.CHAT in seen.kinds:
        named = seen.document.get("model")
        memory.first("whole model", seen.alias, named)
        return
    body_model = memory.known("whole model", seen.alias)
    chunks = stream_of(seen).chunks
    named_in = sorted({str(chunk.get("model")) for chunk in chunks})
    if body_model is not None and chunks and named_in != [str(body_model)]:
        yield Problem("", f"expected the model {str(body_model)!r} in every chunk, got {named_in}")


STREAM = frozenset({Kind.STREAM})
STREAM_RULES = (
    *(_state_machine(check) for check in OWNERS),
    UniversalRule("API-STREAM-004", STREAM, held),
    UniversalRule("API-STREAM-084", STREAM, own_id),
    UniversalRule("API-CHAT-007", frozenset({Kind.STREAM, Kind.CHAT}), model),
)
