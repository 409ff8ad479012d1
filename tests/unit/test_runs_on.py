"""On what each check runs: by its arguments, and by what it was measured to send."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_acceptance.costs import Costs, Priced
from gateway_acceptance.runs_on import ALL, FIRST, HOST, NONE, OVER, UNSEEN, runs_on, table_of
from tests.unit.declared import environment

DECLARED = environment()
COSTS = Costs(
    {},
    1,
    {
        "API-A-001": {"": Priced(requests=2)},
        "API-A-002": {"": Priced(requests=2, tokens=30)},
        "API-A-003": {"": Priced(uses=("completions / whole",))},
        "API-A-004": {"": Priced(uses=tuple(f"served / {alias}" for alias in DECLARED.aliases))},
    },
    {"completions / whole": Priced(requests=1, tokens=9)},
)


@pytest.mark.parametrize(
    ("check", "axes", "words"),
    [
        ("API-A-001", {"chat_model", "environment"}, OVER["chat_model"]),
        ("API-A-001", {"backend_name", "host"}, OVER["backend_name"]),
        ("API-A-001", {"host"}, HOST),
        ("API-A-001", (), NONE),
        ("API-A-002", (), FIRST),
        ("API-A-003", (), FIRST),
        ("API-A-004", (), ALL),
        ("API-A-009", (), UNSEEN),
    ],
)
def test_what_a_check_runs_on_in_words(check: str, axes: Any, words: str) -> None:
    assert len(DECLARED.aliases) > 1
    assert runs_on(check, axes, COSTS, DECLARED) == words


def test_the_table_is_in_one_order_and_holds_no_empty_row() -> None:
    assert table_of({"B": NONE, "A": NONE, "C": OVER["group"]}) == [
        (OVER["group"], ["C"]),
        (NONE, ["A", "B"]),
    ]
