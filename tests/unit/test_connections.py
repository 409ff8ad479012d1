"""What two requests in a row tell of their connection."""

from __future__ import annotations

import pytest

from gateway_acceptance.wire.exchange import Exchange
from suites.api.operations.test_connections import ended_untold


def on(connection: int, *headers: tuple[str, str]) -> Exchange:
    return Exchange("GET", "http://x", (), b"", status=500, headers=headers, connection=connection)


@pytest.mark.parametrize(
    ("first", "then", "wrong"),
    [
        (on(1), on(1), False),
        (on(1, ("Connection", "close")), on(2), False),
        (on(1, ("connection", "keep-alive, Close")), on(2), False),
        (on(1, ("connection", "keep-alive")), on(2), True),
        (on(1), on(2), True),
    ],
)
def test_an_end_that_nobody_told(first: Exchange, then: Exchange, wrong: bool) -> None:
    problems = [str(problem) for problem in ended_untold("a wrong key", first, then)]
    told = "after the answer to a wrong key (500) the connection was closed, and nothing told so"
    assert problems == ([told] if wrong else [])
