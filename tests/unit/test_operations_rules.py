"""What is late once is asked again; what is late twice is late."""

from __future__ import annotations

import pytest

from gateway_acceptance.wire.exchange import Exchange
from suites.api.operations.rules import answered_by_a_model, late_twice


@pytest.mark.parametrize(
    ("status", "text", "answered"),
    [
        (200, '{"choices": [{"message": {"content": ""}}]}', True),
        (200, '{"choices": []}', False),
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
