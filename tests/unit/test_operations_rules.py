"""What is late once is asked again; what is late twice is late."""

from __future__ import annotations

import pytest

from gateway_acceptance.verdict import CheckFailed
from gateway_acceptance.wire.exchange import Exchange
from suites.api.extract import answered_by_a_model
from suites.api.operations.rules import announces_end, late_twice, reported_status


@pytest.mark.parametrize(
    ("status", "text", "answered"),
    [
        (200, '{"choices": [{"message": {"content": ""}}]}', True),
        (200, '{"choices": []}', False),
        (200, '{"choices": [{"index": 0}]}', False),
        (200, "{}", False),
        (200, "null", False),
        (200, "<html>", False),
        (200, "", False),
        (204, "", False),
        (400, "nope", False),
        (500, '{"choices": [{}]}', False),
    ],
)
def test_what_is_quick_because_nobody_was_asked_is_no_answer(status: int, text: str, answered: bool) -> None:
    seen = Exchange("POST", "http://x", (), b"", status=status, chunks=[(0.0, text.encode())])
    assert answered_by_a_model(seen) is answered


@pytest.mark.parametrize(
    ("message", "tokens", "answered"),
    [
        ('{"content": "yes"}', 0, True),
        ('{"content": ""}', 3, True),
        ('{"content": null, "reasoning_content": "well"}', 0, True),
        ('{"content": ""}', 0, False),
        ("{}", 0, False),
    ],
)
def test_an_answer_says_thinks_or_counts_something(message: str, tokens: int, answered: bool) -> None:
    text = f'{{"choices": [{{"message": {message}}}], "usage": {{"completion_tokens": {tokens}}}}}'
    kind = (("content-type", "application/json"),)
    seen = Exchange("POST", "http://x/v1/chat/completions", (), b"", 200, kind, chunks=[(0.0, text.encode())])
    assert answered_by_a_model(seen) is answered


@pytest.mark.parametrize(
    ("seen", "later", "took"),
    [
        ([1.0], [], [1.0]),
        ([1.0, 1.0], [], [1.0, 1.0]),
        ([9.0], [1.0, 1.0], [9.0, 1.0, 1.0]),
        ([9.0], [9.0], [9.0, 9.0]),
        ([9.0], [1.0, 9.0], [9.0, 1.0, 9.0]),
        ([1.0, 9.0], [1.0], [1.0, 9.0, 1.0]),
        ([9.0, 9.0], [], [9.0, 9.0]),
    ],
)
def test_late_twice(seen: list[float], later: list[float], took: list[float]) -> None:
    rest = iter(later)
    assert late_twice(4.0, seen, lambda: next(rest)) == took
    assert not list(rest), "each answer that is given was needed"


@pytest.mark.parametrize(
    ("value", "ends"),
    [("close", True), ("Close", True), ("upgrade, close", True), ("keep-alive", False), ("", False)],
)
def test_a_connection_ends_where_the_answer_says_so(value: str, ends: bool) -> None:
    assert announces_end(Exchange("GET", "http://x", (), b"", 200, (("Connection", value),))) is ends
    assert not announces_end(Exchange("GET", "http://x", (), b"", 200))


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("application/json", '{"status": "UP", "db": "connected"}', "UP"),
        ("application/json", '{"db": "connected"}', None),
        ("application/json", '"I am alive!"', None),
        ("text/plain", '{"status": "unhealthy"}', "unhealthy"),
        ("text/plain; charset=utf-8", "OK\n", "OK"),
        ("text/plain", "not ready", "not ready"),
        ("text/plain", "", None),
        ("application/json", " ", None),
    ],
)
def test_what_a_health_route_says(kind: str, text: str, told: object) -> None:
    answer = Exchange("GET", "http://x", (), b"", 200, (("content-type", kind),), [(0.0, text.encode())])
    assert reported_status(answer) == told


@pytest.mark.parametrize(
    ("kind", "text"),
    [("text/html", "<h1>ready</h1>"), ("text/plain", "word " * 40), ("application/json", "OK")],
)
def test_a_page_is_no_word(kind: str, text: str) -> None:
    answer = Exchange("GET", "http://x", (), b"", 200, (("content-type", kind),), [(0.0, text.encode())])
    with pytest.raises(CheckFailed):
        reported_status(answer)
