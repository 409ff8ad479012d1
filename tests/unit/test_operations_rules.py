"""What is late once is asked again; what is late twice is late."""

from __future__ import annotations

import pytest

from suites.api.operations.rules import late_twice


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
