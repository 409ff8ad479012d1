"""The screen of a run that goes on, and its last lines: what they say, without a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from gateway_acceptance.plugin.live_progress import Progress, Spending
from gateway_acceptance.plugin.live_screen import LEAST_LINES, drawn
from gateway_acceptance.record_model import record_of
from gateway_acceptance.report.next_steps import LONGEST, next_steps
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, record

SPENT = Spending("lab", 42, 100, 12.4, 400, 20_000, 300.0)


def shown(progress: Progress, now: float, *spending: Spending, width: int = 100) -> list[str]:
    """The lines as a terminal of this width has them."""
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(drawn(progress.seen(now), spending))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_it_tells_what_is_judged_spent_and_slow() -> None:
    progress = Progress(total=5)
    progress.begins("one", "API-A-001", 0.0)
    progress.begins("two", "API-B-001 (chat_model=hx-chat)", 1.0)
    progress.ends("one", "API-A-001", Verdict.PASSED, "", 3.0)
    lines = shown(progress, 4.0, SPENT)
    assert lines[0].endswith("1 of 5")
    assert lines[1:] == [
        "verdicts  1 passed",
        "spent     42 of 400 requests, 100 of 20000 tokens, 12 of 300 s",
        "now       3.0 s API-B-001 (chat_model=hx-chat)",
        "slow      3.0 s API-A-001",
    ]


def test_quick_cases_are_not_slow_and_each_environment_has_its_line() -> None:
    progress = Progress(total=1)
    progress.begins("one", "API-A-001", 0.0)
    progress.ends("one", "API-A-001", Verdict.FAILED, "expected x\ngot y", 0.5)
    many = [Spending(f"env-{number}", 0, 0, 0, 1, 1, 1) for number in range(5)]
    lines = shown(progress, 1.0, *many)
    assert [line for line in lines if line.startswith("slow")] == []
    assert lines[-1] == "red       API-A-001 expected x"
    assert [line.split()[1] for line in lines if line.startswith("spent")] == ["env-0:", "env-1:", "env-2:"]
    assert "          and 2 environments more" in lines


def test_what_a_target_says_stays_in_its_line_and_the_screen_small() -> None:
    progress = Progress(total=99)
    for number in range(20):
        progress.begins(str(number), f"API-A-{number:03} ({'long ' * 99})", 0.0)
        progress.begins(f"r{number}", f"API-A-{number:03} ({'long ' * 99})", 0.0)
        message = f"\x1b[2J[bold]no[/bold] {'x' * 999}\nmore"
        progress.ends(str(number), f"API-A-{number:03}", Verdict.FAILED, message, 9.0)
    lines = shown(progress, 10.0, *[SPENT] * 9, width=60)
    assert len(lines) <= LEAST_LINES
    assert max(len(line) for line in lines) <= 60
    assert "\x1b" not in "".join(lines)
    assert any("[bold]no[/bold]" in line for line in lines), lines
    assert lines[-1] == "          and 17 cases more"


def test_a_case_that_nobody_saw_begin_counts() -> None:
    progress = Progress()
    progress.ends("one", "API-A-001", Verdict.UNTESTABLE, "", 1.0)
    assert progress.seen(2.0).red == [("API-A-001", "untestable")]
    assert progress.seen(2.0).done == 1


def failed(name: str, message: str, **fields: Any) -> dict[str, Any]:
    return case(f"suites/api/test_a.py::{name}[lab-hx-chat]", Verdict.FAILED, message, **fields)


def test_the_last_lines_name_the_first_cause_the_blame_and_what_to_type() -> None:
    document = record(
        check("API-A-001", failed("test_one", "expected 1, got 2", blame="gateway: the backend says 1")),
        check("API-B-001", failed("test_two", "expected 3, got 4", blame="gateway")),
        check("API-C-001", failed("test_three", "expected 5, got 6", blame="backend")),
        state="SMOKE FAILED",
    )
    document["run"] |= {"exit_code": 1, "reasons": ["API-A-001 expected 1, got 2: 1 failed", "more"]}
    assert next_steps(record_of(document), "my lab.toml") == [
        "first   API-A-001 expected 1, got 2: 1 failed",
        "blame   gateway (2), backend (1)",
        "next    Fix API-A-001 (the title of API-A-001): expected 1, got 2",
        "type    pytest --env 'my lab.toml' -k test_one",
    ]


def test_the_first_cause_is_the_one_that_is_to_be_mended_next() -> None:
    document = record(
        check("API-A-001", failed("test_one", "expected 1, got 2"), level="SHOULD"),
        check("API-B-001", failed("test_two", "expected 3, got 4")),
        state="SMOKE FAILED",
    )
    document["run"] |= {"exit_code": 1, "reasons": ["API-A-001 one: 1 failed", "API-B-001 two: 1 failed"]}
    lines = next_steps(record_of(document), "lab")
    assert lines[0] == "first   API-B-001 two: 1 failed"
    assert lines[-1] == "type    pytest --env lab -k test_two"


def test_an_open_door_stands_in_the_headline_and_comes_first() -> None:
    document = record(
        check("API-A-001", failed("test_one", "expected 1, got 2")),
        check("API-Z-001", failed("test_door", "GET is served", alarm="anybody gets in"), level="SHOULD"),
        state="SMOKE FAILED",
    )
    document["run"] |= {"exit_code": 1, "reasons": ["API-Z-001 anybody gets in: 1 failed"]}
    lines = next_steps(record_of(document), "lab")
    assert [line.split()[0] for line in lines] == ["blame", "next", "type"]
    assert lines[1].endswith("API-Z-001 (the title of API-Z-001): anybody gets in")
    assert lines[2] == "type    pytest --env lab -k test_door"


@pytest.mark.parametrize(("profile", "lines"), [("smoke", 0), ("release", 1)])
def test_after_a_green_run_there_is_nothing_to_do_but_to_sign(profile: str, lines: int) -> None:
    document = record(check("API-A-001"))
    document["run"] |= {"exit_code": 0, "reasons": [], "profile": profile}
    document["run"]["selection"]["narrowed"] = []
    assert len(next_steps(record_of(document), "lab")) == lines


def test_no_line_is_longer_than_a_screen_bears() -> None:
    document = record(check("API-A-001", failed("test_one", "x" * 999)), state="SMOKE FAILED")
    document["run"] |= {"exit_code": 1, "reasons": ["\x1b[2J" + "y " * 999]}
    lines = next_steps(record_of(document), "lab")
    assert max(len(line) for line in lines) == LONGEST + 8
    assert "\x1b" not in "".join(lines)
