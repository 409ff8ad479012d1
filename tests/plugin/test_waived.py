"""Waivers in a real run: they carry just what they describe, and die."""

from __future__ import annotations

import pytest

from tests.plugin.gateway import serving
from tests.plugin.project import ALIVE, Run, a_check, new_project

TWO_PROBLEMS = "raise CheckFailed([Problem('a', 'got 400'), Problem('b', 'got 418')])"
ELSEWHERE = '{ environments = ["other"] }'
TOLD = "raise CheckFailed('got 400' if waivable else 'got 418: not told')"
NOT_TOLD = "raise CheckFailed('got 418: told' if waivable else 'got 400')"
ASKS = {9: "waivable", 10: "waivable", 11: "waivable"}
"""What a check asks for instead of ``environment``."""
CASES: dict[str, tuple[int, dict[str, str], str, str, str]] = {
    "all that was seen": (1, {"observed": "'got (400|418)'"}, TWO_PROBLEMS, "waived", ""),
    "one of two problems": (2, {}, TWO_PROBLEMS, "failed", "API-T-002 check 2: 1 failed"),
    "another environment": (
        3,
        {"scope": ELSEWHERE},
        "assert 1 == 2, 'got 400'",
        "failed",
        "API-T-003 check 3",
    ),
    "expired": (
        4,
        {"expires": "2021-01-01"},
        "assert 1 == 2, 'got 400'",
        "failed",
        "the waiver W4 expired on 2021-01-01",
    ),
    "no longer needed": (5, {}, "pass", "passed", "the waiver W5 is no longer needed: API-T-005 passes"),
    "of no check": (
        6,
        {"check": '"API-T-404"'},
        "pass",
        "passed",
        "the check API-T-404, which does not exist",
    ),
    "a harness error": (7, {"observed": "'KeyError'"}, "{}['KeyError']", "harness error", "1 harness error"),
    "a check that is told of it": (9, {}, TOLD, "waived", ""),
    "none to be told of, elsewhere": (10, {"scope": ELSEWHERE}, NOT_TOLD, "failed", "API-T-010 check 10"),
    "none to be told of, any more": (11, {"expires": "2021-01-01"}, NOT_TOLD, "failed", "W11 expired"),
    "a missing premise": (8, {}, "raise Untestable('got 400', 'b')", "untestable", "1 untestable"),
}


def waiver(number: int, fields: dict[str, str]) -> str:
    """The waiver Wn of the check API-T-00n; fields replace or add lines of TOML."""
    entry = {
        "id": f'"W{number}"',
        "check": f'"API-T-{number:03}"',
        "scope": '{ environments = ["mini"] }',
        "observed": "'got 400'",
        "reason": '"accepted by the operators"',
        "link": '"https://example.com/issues/1"',
        "owner": '"operators"',
        "opened": "2020-01-01",
        "expires": "2120-01-01",
        **fields,
    }
    return "[[waiver]]\n" + "\n".join(f"{name} = {value}" for name, value in entry.items())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run with a check and a waiver for each case."""
    with serving() as gateway:
        project = new_project(tmp_path_factory.mktemp("waivers"))
        project.environment(gateway.url)
        rows = CASES.values()
        project.write("environments/waivers.toml", "\n".join(waiver(row[0], row[1]) for row in rows))
        project.checks(ALIVE, *(a_check(row[0], row[2], ASKS.get(row[0], "environment")) for row in rows))
        return project.run()


def test_what_nobody_accepted_is_told_first(run: Run) -> None:
    assert run.cases("API-T-002")[0]["message"] == "b: got 418\na: got 400"


@pytest.mark.parametrize("what", list(CASES))
def test_a_waiver(run: Run, what: str) -> None:
    number, _, _, verdict, reason = CASES[what]
    (case,) = run.cases(f"API-T-{number:03}")
    assert case["verdict"] == verdict
    assert case["waiver"] == (f"W{number}" if verdict == "waived" else None)
    assert reason in run.reasons
    assert "told" not in case["message"]


def test_what_is_waived_is_no_reason_against_the_run_and_is_shown(run: Run) -> None:
    assert "API-T-001" not in run.reasons
    assert "waived: API-T-001 accepted by the operators (https://example.com/issues/1)" in run.output
