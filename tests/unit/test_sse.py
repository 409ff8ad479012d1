"""The SSE parser against the WHATWG HTML standard, section 9.2.6."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_acceptance.wire.sse import RULES, SseParser, SseStream, parse_sse


def parsed(raw: bytes) -> SseStream:
    return parse_sse([(0.0, raw)])


def data_of(raw: bytes) -> list[str]:
    return [event.data for event in parsed(raw).events]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"data: a\n\n", ["a"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a\n\n", [" a"]),
        (b"data: a\r\n\r\n", ["a"]),
        (b"data: a\r\r", ["a"]),
        (b"data: a\r\n\n", ["a"]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"data\n\ndata\ndata\n\ndata:", ["", "\n"]),
        (b"data: a: b\n\n", ["a: b"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b": ping\n\ndata: a\n\n", ["a"]),
        (b"\n\n\ndata: a\n\n\n", ["a"]),
        (b"event: x\n\n", []),
        (b"data: \xc3\xa9\xe2\x82\xac\n\n", ["é€"]),
        (b"data: a\x0bb\xe2\x80\xa8c\x85\n\n", ["a\x0bb\u2028c\ufffd"]),
        (b"", []),
    ],
)
def test_data(raw: bytes, expected: list[str]) -> None:
    assert data_of(raw) == expected


def test_type_id_and_retry() -> None:
    stream = parsed(b"event: error\nid: 7\nretry: 3000\ndata: a\n\ndata: b\n\nid\ndata: c\n\n")
    assert [(event.event, event.id) for event in stream.events] == [
        ("error", "7"),
        ("message", "7"),
        ("message", ""),
    ]
    assert stream.retry == 3000
    assert stream.problems == []


def test_comments_are_kept() -> None:
    assert parsed(b": ping\n:pong\ndata: a\n\n").comments == ("ping", "pong")


def test_an_event_has_the_time_of_the_chunk_that_completed_it() -> None:
    stream = parse_sse([(1.0, b"data: a"), (2.0, b"\n\nda"), (3.0, b"ta: b\r\n\r"), (4.0, b"\n")])
    assert [(event.data, event.at, event.index) for event in stream.events] == [("a", 2.0, 0), ("b", 3.0, 1)]
    assert stream.problems == []


def test_feed_returns_what_a_chunk_completed() -> None:
    parser = SseParser()
    assert parser.feed(1.0, b"data: a\n") == []
    assert [event.data for event in parser.feed(2.0, b"\ndata: b\n\ndata: c")] == ["a", "b"]
    parser.close()
    assert [problem.rule for problem in parser.problems] == ["sse.event.incomplete"]


def test_a_second_bom_is_part_of_the_text() -> None:
    assert [problem.rule for problem in parsed(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n").problems] == [
        "sse.field.unknown"
    ]


BROKEN = {
    "sse.utf8": b"data: \xff\n\n",
    "sse.event.incomplete": b"data: a\n",
    "sse.field.unknown": b"Internal Server Error\n\n",
    "sse.id.null": b"id: a\0b\ndata: a\n\n",
    "sse.retry.digits": b"retry: soon\n\n",
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_reported(rule: str) -> None:
    problems = parsed(BROKEN[rule]).problems
    assert [(problem.rule, problem.level, problem.source) for problem in problems] == [
        (rule, RULES[rule].level, RULES[rule].source)
    ]


@pytest.mark.parametrize("raw", [b"data: a", b"event: x\n", b"data: \xe2\x82", b"da"])
def test_what_no_blank_line_ends_is_lost_and_reported(raw: bytes) -> None:
    stream = parsed(b"data: whole\n\n" + raw)
    assert [event.data for event in stream.events] == ["whole"]
    assert stream.problems


LINES = st.sampled_from(
    [
        b"data: a",
        b"data:\xf0\x9f\x98\x80",
        b"data",
        b": c",
        b"event: x",
        b"id: 1",
        b"retry: 5",
        b"",
        b"junk",
        b"\xff",
    ]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
STREAMS = st.lists(st.tuples(LINES, ENDS)).map(lambda pairs: b"".join(line + end for line, end in pairs))

calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""


@calmly
@given(
    raw=st.one_of(STREAMS, STREAMS.map(lambda raw: b"\xef\xbb\xbf" + raw), st.binary()),
    cuts=st.lists(st.integers(min_value=0, max_value=200)),
)
def test_the_cutting_into_chunks_changes_nothing(raw: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(raw), *(min(edge, len(raw)) for edge in cuts)})
    pieces = [raw[start:end] for start, end in pairwise(edges)]
    assert parse_sse([(0.0, piece) for piece in pieces]) == parsed(raw)
    assert parse_sse([(0.0, bytes([byte])) for byte in raw]) == parsed(raw)


@calmly
@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))))
def test_what_is_sent_is_read(texts: list[str]) -> None:
    raw = "".join(f"data: {text}\n\n" for text in texts).encode()
    assert data_of(raw) == texts
