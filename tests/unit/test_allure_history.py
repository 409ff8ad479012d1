"""The history that Allure's report shows: one line per run, bounded, and of this environment alone."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.record_model import record_of
from gateway_acceptance.report.allure import finish_results
from gateway_acceptance.report.allure_history import (
    HISTORY,
    MESSAGE_AT_MOST,
    RUNS_KEPT,
    earlier_runs,
    history_point,
    remember,
)
from gateway_acceptance.report.write_outputs import draw_report
from gateway_acceptance.verdict import Verdict
from tests.unit.records import case, check, record


def run_at(minute: int, verdict: str = Verdict.PASSED, **run: Any) -> dict[str, Any]:
    """A run that lasts half a minute."""
    cases = [
        case("n0", verdict, "seen: x" if verdict != Verdict.PASSED else "", parameters={"a": "b", "c": "d"}),
        case("n1", parameters={"a": "b,c:d"}),
    ]
    begun = f"2026-03-01T10:{minute:02d}"
    times = {"id": f"run-{minute:02d}", "started": f"{begun}:00Z", "ended": f"{begun}:30Z"}
    return record(check("API-X-001", *cases), **(times | run))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / HISTORY


def test_a_point_says_of_each_case_what_the_run_said() -> None:
    point = history_point(record_of(run_at(7, Verdict.UNTESTABLE)))
    assert (point["uuid"], point["name"]) == ("run-07", "NIGHTLY FAILED, 2026-03-01 10:07:30 UTC")
    assert point["timestamp"] == 1_772_359_650_000
    told = {one["fullName"]: one for one in point["testResults"].values()}
    assert (told["n0"]["status"], told["n0"]["message"]) == ("broken", "[untestable] seen: x")
    assert (told["n1"]["status"], told["n1"]["message"], told["n1"]["duration"]) == ("passed", "", 500)
    assert all(key == one["historyId"] for key, one in point["testResults"].items())


def test_long_messages_are_cut() -> None:
    told = record(check("API-X-001", case("n", Verdict.FAILED, "x" * 10_000)))
    (one,) = history_point(record_of(told))["testResults"].values()
    assert len(one["message"]) < MESSAGE_AT_MOST + 50


def test_a_run_is_remembered_once_and_the_oldest_are_let_go(file: Path) -> None:
    for minute in [*range(RUNS_KEPT + 3), 5, RUNS_KEPT + 2]:
        remember(file, record_of(run_at(minute)))
    kept = [json.loads(line)["uuid"] for line in file.read_text().splitlines()]
    assert kept == [f"run-{minute:02d}" for minute in range(3, RUNS_KEPT + 3)]
    assert [path.name for path in file.parent.iterdir()] == [HISTORY]


def test_a_void_run_is_not_remembered(file: Path) -> None:
    remember(file, record_of(run_at(1, state="VOID")))
    assert not file.exists()


def test_a_report_sees_only_the_runs_before_its_own(file: Path) -> None:
    for minute in (1, 2, 3):
        remember(file, record_of(run_at(minute)))
    assert [point["uuid"] for point in earlier_runs(file, record_of(run_at(2)))] == ["run-01"]


@pytest.mark.parametrize(
    "line", ["{", "[]", "{}", '{"uuid": "x", "timestamp": "1", "testResults": {}}', "\x85"]
)
def test_a_line_that_is_none_costs_no_other(file: Path, line: str) -> None:
    remember(file, record_of(run_at(1)))
    file.write_text(f"{line}\n{file.read_text(encoding='utf-8')}{line}", encoding="utf-8")
    assert [point["uuid"] for point in earlier_runs(file, record_of(run_at(9)))] == ["run-01"]


def test_a_file_that_is_no_text_is_no_history(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    assert earlier_runs(file, record_of(run_at(9))) == []


def test_the_real_tool_knows_the_cases_again(file: Path, tmp_path: Path) -> None:
    """Its own history ids are ours: parameters that it would confuse are told apart, equal cases found."""
    remember(file, record_of(run_at(1, Verdict.FAILED)))
    remember(file, record_of(run_at(2)))
    now = run_at(3, Verdict.FAILED)
    finish_results(tmp_path / "staging", tmp_path / "results", record_of(now), str)
    before = file.read_bytes()
    outcome = draw_report(tmp_path / "results", tmp_path / "out", record_of(now), file)
    assert outcome.report is not None, outcome.problem
    assert file.read_bytes() == before
    page = outcome.report.read_text(encoding="utf-8")
    assert "<title> lab: NIGHTLY FAILED, 2026-03-01 10:03:30 UTC </title>" in page
    data = {
        name: json.loads(base64.b64decode(content))
        for name, content in re.findall(r'd\("([^"]+\.json)","([A-Za-z0-9+/=]*)"\)', page)
    }
    seen = {one["fullName"]: one for name, one in data.items() if name.startswith("data/test-results/")}
    assert [one["status"] for one in seen["n0"]["history"]] == ["passed", "failed"]
    assert [one["status"] for one in seen["n1"]["history"]] == ["passed", "passed"]
    assert (seen["n0"]["transition"], seen["n1"].get("transition")) == ("regressed", None)
    trends = [
        one for one in data["widgets/charts.json"]["general"].values() if one["type"] == "statusDynamics"
    ]
    assert [point["statistic"].get("failed", 0) for point in trends[0]["data"]] == [1, 0, 1]
