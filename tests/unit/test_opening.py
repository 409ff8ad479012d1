"""How many requests tell which way in is open, where many or all are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from gateway_acceptance.plugin.targets import Target
from gateway_acceptance.wire.exchange import Exchange, Notebook
from suites.api.access.opening import ENOUGH, _opened
from suites.api.access.way import WayIn

PARTS = tuple(WayIn(f"door {number}", headers=[("x-door", str(number))]) for number in range(80))
BUNDLES = [WayIn(f"bundle {number}", parts=PARTS) for number in range(3)]


@pytest.mark.parametrize(
    ("open_ones", "named", "most"), [(80, ENOUGH, ENOUGH + 1), (1, 3, 3 * 81), (0, 0, 3)]
)
def test_no_more_are_asked_than_are_named(open_ones: int, named: int, most: int) -> None:
    asked: list[WayIn] = []
    answers = {True: Exchange("GET", "http://x/v1/models", (), b"", 200), False: None}

    def ask(way: WayIn) -> Exchange:
        asked.append(way)
        served = way in PARTS[:open_ones] or (bool(way.parts) and open_ones > 0)
        return answers[served] or Exchange("GET", "http://x/v1/models", (), b"", 401)

    target = cast(Target, SimpleNamespace(notebook=Notebook()))
    opened, seen = _opened(target, BUNDLES, ask, lambda answer: answer.status == 200)
    assert len(opened) == named
    assert len(asked) == most
    assert len(target.notebook.exchanges) == (open_ones > 0)
    assert seen
