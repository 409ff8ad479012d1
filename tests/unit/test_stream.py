"""The state machine over a chat completion stream: one minimal broken stream for every rule."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_acceptance.check import Level
from gateway_acceptance.wire.schema import problems_of
from gateway_acceptance.wire.stream import RULES, ChatStream, read_chat_stream

SSE = (("Content-Type", "text/event-stream; charset=utf-8"),)
DONE = b"data: [DONE]\n\n"


def frame(value: object) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def chunk(delta: object, finish: object = None, **changes: object) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1795387582, "model": "hx-chat"}
    return {**head, "choices": [choice], **changes}


def choice(**changes: object) -> dict[str, Any]:
    """A chunk whose choice was changed; a change to ``...`` removes the key."""
    body = chunk({"content": "a"})
    changed = {**body["choices"][0], **changes}
    return {**body, "choices": [{key: value for key, value in changed.items() if value is not ...}]}


FIRST = chunk({"role": "assistant", "content": ""})
TEXT = chunk({"content": "HX-OK"})
STOP = chunk({}, "stop")
COUNTS = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
USAGE = chunk({}, choices=[], usage=COUNTS)


def called(*calls: object, finish: object = None) -> dict[str, Any]:
    return chunk({"tool_calls": list(calls)}, finish)


def call(**changes: object) -> dict[str, Any]:
    whole = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    return {**whole, **changes}


def arguments(text: object, index: int = 0) -> dict[str, Any]:
    return {"index": index, "function": {"arguments": text}}


CALLED = chunk({}, "tool_calls")


def body(*frames: object, done: bool = True) -> bytes:
    return b"".join(item if isinstance(item, bytes) else frame(item) for item in frames) + (
        DONE if done else b""
    )


def read(raw: bytes, **options: Any) -> ChatStream:
    return read_chat_stream(200, SSE, [(0.5, raw)], **options)


def rules_of(stream: ChatStream) -> set[str]:
    return {problem.rule for problem in stream.problems}


@dataclass(frozen=True)
class Case:
    """A stream and, beside the rule it stands for, what it must break as well."""

    raw: bytes
    also: frozenset[str] = frozenset()
    status: int = 200
    headers: tuple[tuple[str, str], ...] = SSE
    options: dict[str, Any] = field(default_factory=dict)


def case(*frames: object, also: str = "", done: bool = True, **options: Any) -> Case:
    return Case(body(*frames, done=done), frozenset(also.split()), options=options)


BROKEN = {
    "sse.utf8": case(FIRST, b"data: \xff\n\n", STOP, also="stream.data.json"),
    "sse.event.incomplete": case(FIRST, STOP, b"data: [DONE]\n", also="stream.done.missing", done=False),
    "sse.field.unknown": case(FIRST, STOP, b"oops\n\n"),
    "sse.id.null": case(FIRST, STOP, b"id: \0\n"),
    "sse.retry.digits": case(FIRST, STOP, b"retry: x\n"),
    "stream.status": Case(b'{"error":{"message":"no"}}', status=500),
    "stream.content_type": Case(body(FIRST, STOP), headers=(("content-type", "application/json"),)),
    "stream.event.unnamed": case(FIRST, b"event: delta\n", STOP),
    "stream.done.missing": case(FIRST, STOP, done=False),
    "stream.done.repeated": case(FIRST, STOP, DONE),
    "stream.done.data_after": case(FIRST, STOP, DONE, TEXT, done=False),
    "stream.truncated": case(FIRST, TEXT, also="stream.done.missing stream.finish.missing", done=False),
    "stream.error.frame": case(FIRST, {"error": {"message": "backend gone"}}, done=False),
    "stream.data.json": case(FIRST, b"data: {\n\n", STOP),
    "stream.data.object": case(FIRST, [1], STOP),
    "stream.data.duplicate_key": case(frame(FIRST).replace(b"{", b'{"id": "x", ', 1), STOP),
    "stream.data.surrogate": case(FIRST, chunk({"content": "\ud83d"}), STOP),
    "stream.object": case(FIRST, {**TEXT, "object": "chat.completion"}, STOP),
    "stream.id.string": case(FIRST, {**TEXT, "id": ""}, STOP),
    "stream.id.same": case(FIRST, {**TEXT, "id": "chatcmpl-2"}, STOP),
    "stream.created.integer": case(FIRST, {**TEXT, "created": "now"}, STOP),
    "stream.created.plausible": case(*({**item, "created": 1795387582000} for item in (FIRST, STOP))),
    "stream.created.same": case(FIRST, {**TEXT, "created": 1795387583}, STOP),
    "stream.model.string": case(FIRST, {**TEXT, "model": None}, STOP),
    "stream.model.same": case(FIRST, {**TEXT, "model": "llama3.2:3b"}, STOP),
    "stream.choices.array": case(FIRST, {**TEXT, "choices": {}}, STOP),
    "stream.choices.empty": case(FIRST, {**TEXT, "choices": []}, STOP),
    "stream.choice.object": case(FIRST, {**TEXT, "choices": ["a"]}, STOP),
    "stream.choice.index": case(FIRST, choice(index="0"), STOP),
    "stream.choice.unexpected": case(FIRST, choice(index=1), STOP, also="stream.role.first"),
    "stream.choice.missing": case(FIRST, STOP, expected_choices=2),
    "stream.delta.object": case(FIRST, choice(delta="a"), STOP),
    "stream.role.value": case(chunk({"role": "user"}), STOP),
    "stream.role.changed": case(FIRST, chunk({"role": "tool"}), STOP, also="stream.role.value"),
    "stream.role.missing": case(TEXT, STOP, also="stream.role.first"),
    "stream.role.first": case(TEXT, FIRST, STOP),
    "stream.role.repeated": case(FIRST, FIRST, STOP),
    "stream.content.string": case(FIRST, chunk({"content": ["a"]}), STOP),
    "stream.text.replacement": case(FIRST, chunk({"content": "caf\ufffd"}), STOP),
    "stream.finish.absent": case(FIRST, choice(finish_reason=...), STOP),
    "stream.finish.empty": case(FIRST, choice(finish_reason=""), STOP),
    "stream.finish.enum": case(FIRST, chunk({}, "eos")),
    "stream.finish.missing": case(FIRST, TEXT),
    "stream.finish.repeated": case(FIRST, STOP, STOP),
    "stream.finish.after": case(FIRST, STOP, TEXT),
    "stream.finish.no_call": case(FIRST, TEXT, CALLED),
    "stream.finish.call_unsaid": case(FIRST, called(call()), STOP),
    "stream.tool.shape": case(FIRST, chunk({"tool_calls": {}}), STOP),
    "stream.tool.index.integer": case(FIRST, called(call(index=None)), CALLED),
    "stream.tool.index.shared": case(FIRST, called(call(), call(id="call_2")), CALLED),
    "stream.tool.id": case(FIRST, called(call(id="")), CALLED),
    "stream.tool.type": case(FIRST, called(call(type="tool")), CALLED),
    "stream.tool.name": case(FIRST, called(call(function={"arguments": "{}"})), CALLED),
    "stream.tool.repeated": case(FIRST, called(call(function={"name": "f"})), called(call()), CALLED),
    "stream.tool.arguments.string": case(FIRST, called(call(), arguments({"a": 1})), CALLED),
    "stream.tool.arguments.json": case(FIRST, called(call(), arguments("}")), CALLED),
    "stream.usage.missing": case(FIRST, STOP, include_usage=True),
    "stream.usage.repeated": case(FIRST, STOP, USAGE, USAGE, include_usage=True),
    "stream.usage.choices": case(FIRST, STOP, chunk({}, usage=COUNTS), include_usage=True),
    "stream.usage.last": case(FIRST, USAGE, STOP, include_usage=True),
    "stream.usage.shape": case(FIRST, STOP, {**USAGE, "usage": {"total_tokens": 5}}, include_usage=True),
    "stream.usage.sum": case(
        FIRST, STOP, {**USAGE, "usage": {**COUNTS, "total_tokens": 6}}, include_usage=True
    ),
    "stream.usage.unasked": case(FIRST, chunk({}, "stop", usage=COUNTS)),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_reported_and_nothing_else(rule: str) -> None:
    broken = BROKEN[rule]
    stream = read_chat_stream(broken.status, broken.headers, [(0.0, broken.raw)], **broken.options)
    assert rules_of(stream) == {rule, *broken.also}
    for problem in stream.problems:
        assert (problem.level, problem.source) == (RULES[problem.rule].level, RULES[problem.rule].source)
        assert 0 < len(problem.message) < 500


def test_every_rule_is_whole_and_none_covers_another() -> None:
    assert BROKEN.keys() == RULES.keys()
    for name, rule in RULES.items():
        assert (name, bool(rule.title), bool(rule.source)) == (rule.name, True, True)
        assert not any(other.startswith(f"{name}.") for other in RULES)


HEALTHY = {
    "text": case(FIRST, TEXT, STOP),
    "usage": case(FIRST, TEXT, STOP, USAGE, include_usage=True),
    "usage null before": case({**FIRST, "usage": None}, STOP, USAGE, include_usage=True),
    "one chunk": case(chunk({"role": "assistant", "content": "HX-OK"}, "stop")),
    "comments and CRLF": case(b": ping\r\n\r\n", FIRST, frame(STOP).replace(b"\n", b"\r\n")),
    "cut short": case(FIRST, TEXT, chunk({}, "length")),
    "two choices": case(
        FIRST,
        choice(index=1, delta={"role": "assistant"}),
        choice(index=1, finish_reason="stop"),
        STOP,
        expected_choices=2,
    ),
    "parallel calls": case(
        FIRST,
        called(call(function={"name": "f", "arguments": ""}), call(index=1, id="call_2")),
        called(arguments('{"a":')),
        called(arguments("1}")),
        CALLED,
    ),
    "call cut short": case(
        FIRST, called(call(function={"name": "f", "arguments": "{"})), chunk({}, "length")
    ),
    "nulls": case(FIRST, chunk({"role": None, "content": None, "tool_calls": None}), STOP),
    "expected replacement": case(FIRST, chunk({"content": "\ufffd"}), STOP, replacement_expected=True),
    "moderation": case(FIRST, STOP, chunk({}, choices=[], moderation={"input": {}})),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_stream_has_no_problem(name: str) -> None:
    healthy = HEALTHY[name]
    stream = read(healthy.raw, **healthy.options)
    assert stream.problems == []
    for item in stream.chunks:
        assert [
            found for found in problems_of(item, "chat-completion-chunk") if found.level is Level.MUST
        ] == []


def test_litellm_is_healthy_but_for_the_absent_finish_reason() -> None:
    first, last = choice(delta={"content": "HX-OK", "role": "assistant"}, finish_reason=...), STOP
    stream = read(body(first, last))
    assert rules_of(stream) == {"stream.finish.absent"}
    assert all(problem.level is Level.SHOULD for problem in stream.problems)


def test_what_a_stream_says() -> None:
    chunks = [
        (0.1, b": ping\n\n"),
        (0.2, frame(FIRST)),
        (0.3, frame(TEXT)[:30]),
        (0.4, frame(TEXT)[30:]),
        (0.5, frame(called(call())) + frame(CALLED) + frame(USAGE)),
        (0.6, DONE),
    ]
    stream = read_chat_stream(200, SSE, chunks, include_usage=True)
    assert stream.problems == []
    assert (stream.text(), stream.text(1)) == ("HX-OK", "")
    assert stream.finish_reasons == {0: "tool_calls"}
    assert [(tool.id, tool.name, tool.arguments) for tool in stream.tool_calls()] == [("call_1", "f", "{}")]
    assert stream.tool_calls(1) == []
    assert stream.usage == COUNTS
    assert (stream.first_token_at, stream.done_at) == (0.4, 0.6)
    assert (len(stream.events), len(stream.chunks), stream.comments) == (6, 5, ("ping",))
    assert (stream.error, stream.errors) == (None, ())


def test_a_failure_that_is_signalled_is_told_from_one_that_is_not() -> None:
    signalled = read(body(FIRST, {"error": {"message": "backend gone", "code": "500"}}, done=False))
    assert signalled.error == "backend gone"
    assert [(problem.rule, problem.where) for problem in signalled.problems] == [
        ("stream.error.frame", "frame 1 /error")
    ]
    assert "backend gone" in signalled.problems[0].message
    cut = read(body(FIRST, TEXT, done=False))
    assert cut.error is None
    assert cut.broken("stream.truncated")
    assert not cut.broken("stream.error")


def test_an_error_event_may_be_named() -> None:
    raw = body(FIRST, b'event: error\ndata: {"error": "gone"}\n\n', done=False)
    assert (rules_of(read(raw)), read(raw).error) == ({"stream.error.frame"}, "gone")


def test_an_empty_answer_is_a_truncated_one() -> None:
    assert rules_of(read(b"")) == {"stream.choice.missing", "stream.done.missing", "stream.truncated"}


def test_calls_that_share_an_index_are_told_apart_by_id() -> None:
    stream = read(BROKEN["stream.tool.index.shared"].raw)
    assert [tool.id for tool in stream.tool_calls()] == ["call_1", "call_2"]


def test_many_frames_with_one_mistake_are_counted() -> None:
    stream = read(body(FIRST, *[choice(finish_reason=...)] * 50, STOP))
    found = stream.broken("stream.finish")
    assert [problem.where for problem in found[:2]] == [
        "frame 1 /choices/0/finish_reason",
        "frame 2 /choices/0/finish_reason",
    ]
    assert found[-1].message == "and 47 more like these"


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)
DELTA_KEYS = ["role", "content", "tool_calls", "function_call", "refusal"]
CALL_KEYS = ["index", "id", "type", "function"]
NEARLY = st.dictionaries(
    st.sampled_from(["id", "object", "created", "model", "choices", "usage", "error"]),
    JSON
    | st.lists(
        st.fixed_dictionaries(
            {
                "index": JSON | st.just(0),
                "finish_reason": JSON | st.sampled_from(["stop", "tool_calls"]),
                "delta": st.dictionaries(
                    st.sampled_from(DELTA_KEYS),
                    JSON
                    | st.lists(
                        st.dictionaries(st.sampled_from(CALL_KEYS), JSON | st.just({"arguments": "{"}))
                    ),
                ),
            }
        )
    ),
)


def survives(raw: bytes, usage: bool) -> None:
    stream = read(raw, include_usage=usage)
    assert rules_of(stream) <= RULES.keys()
    "\n".join(map(str, stream.problems)).encode()
    assert set(stream.finish_reasons) <= set(stream.choices)
    assert isinstance(stream.text(), str)
    assert isinstance(stream.tool_calls(), list)


calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""


@calmly
@given(st.binary(), st.booleans(), st.integers(min_value=0, max_value=999))
def test_any_bytes_are_read(raw: bytes, usage: bool, status: int) -> None:
    survives(raw, usage)
    read_chat_stream(status, [], [(0.0, raw)])


@calmly
@given(st.lists(NEARLY.map(frame) | JSON.map(frame) | st.just(DONE)), st.booleans())
def test_anything_like_a_stream_is_read(frames: list[bytes], usage: bool) -> None:
    survives(b"".join(frames), usage)


@pytest.mark.parametrize(
    "data",
    ["[" * 100_000, '{"a":' * 5_000 + "1" + "}" * 5_000, "9" * 5_000, "1e999", "NaN", '{"created": 1e400}'],
)
def test_what_breaks_parsers_is_a_problem(data: str) -> None:
    assert "stream.data.json" in rules_of(read(f"data: {data}\n\n".encode()))
