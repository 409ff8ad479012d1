"""What gateways of others showed: made of a record, told on their pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.cli import products
from gateway_acceptance.cli.findings import OTHERS, all_findings, findings_in, unfit, write_findings
from gateway_acceptance.cli.main import main
from gateway_acceptance.cli.product_pages import KEPT, NOT_KEPT, NOT_OFFERED, state_with, why
from gateway_acceptance.coverage_entry import Statement
from gateway_acceptance.record_model import record_of
from gateway_acceptance.usage import EXIT_USAGE, UsageProblem
from tests.unit import records


def case(verdict: str, message: str = "") -> dict[str, Any]:
    return records.case("suites/test_it.py::test_it[lab]", verdict, message)


def check(name: str, verdict: str, *cases: dict[str, Any]) -> dict[str, Any]:
    return records.check(name, *cases) | {"title": "a title", "verdict": verdict}


RECORD = records.record(
    check("API-A-001", "failed", case("failed", "expected 401 of chatty, got 500"), case("passed")),
    check("API-A-002", "passed", case("passed")),
    check("API-A-003", "not applicable", case("not applicable")),
    check("API-A-004", "untestable", case("untestable", "Untestable: no usage")),
    started="2026-11-27T04:00:00.000Z",
)
RECORD["environment"]["models"] = [
    {"alias": "chatty", "kind": "chat", "backend": None, "upstream": None, "dimensions": None}
]


def test_what_is_red_is_kept_and_what_was_executed() -> None:
    found = findings_in(record_of(RECORD), "gate", "1.0")
    assert (found.name, found.learned) == ("gate-1.0", "2026-11-27")
    assert found.executed >= {"API-A-001", "API-A-002"}
    assert "API-A-003" not in found.executed
    (problem,) = found.red[0].problems
    assert "<name>" in problem
    assert "chatty" not in problem
    assert [one.check for one in found.red] == ["API-A-001", "API-A-004"]


@pytest.mark.parametrize(
    ("checks", "state"),
    [(("API-A-001", "API-A-002"), NOT_KEPT), (("API-A-002",), KEPT), (("API-A-003",), NOT_OFFERED)],
)
def test_the_state_of_a_promise(checks: tuple[str, ...], state: str) -> None:
    statement = Statement(id="s", endpoint="e", text="t", source="openai:x", checks=checks)
    assert state_with(statement, findings_in(record_of(RECORD), "gate", "1.0")) == state


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = findings_in(record_of(RECORD), "gate", "1.0")
    write_findings(found, tmp_path)
    about = 'name="G"\nhome="h"\ninstalled="i"\nneeds="n"\nbehind="b"\nknow=["k"]\n[why]\n"API-*"="w"\n'
    (tmp_path / "gate" / "about.toml").write_text(about, encoding="utf-8")
    ((described, read),) = all_findings(tmp_path)
    assert read == found
    assert why(described, "API-A-001") == "w"
    (tmp_path / "gate" / "1.0.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageProblem, match="is no file of findings"):
        all_findings(tmp_path)


def many(red: int, verdict: str, message: str) -> list[dict[str, Any]]:
    """Twelve checks, of which so many are red with one message and a number of their own."""
    return [
        check(f"API-A-{number:03}", verdict, case(verdict, message.format(number)))
        if number < red
        else check(f"API-A-{number:03}", "passed", case("passed"))
        for number in range(12)
    ]


def run_with(**changed: Any) -> dict[str, Any]:
    return {**RECORD, "run": {**RECORD["run"], **changed}}


SILENT = "Untestable: the gateway gave no answer within {} s"
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "void": (run_with(state="VOID", headline="the run was interrupted: a signal"), "the run is void"),
    "smoke": (run_with(profile="smoke"), "no whole nightly"),
    "without a profile": (run_with(profile=None), "no whole nightly"),
    "narrowed": (
        run_with(selection={**RECORD["run"]["selection"], "narrowed": ["-k chat"]}),
        "no whole nightly",
    ),
    "collection": (
        {**RECORD, "basis": {**RECORD["basis"], "broken": ["suites/x.py: ImportError"]}},
        "errors of the suite",
    ),
    "harness": ({**RECORD, "checks": many(1, "harness error", "KeyError {}")}, "errors of the suite"),
    "nothing executed": ({**RECORD, "checks": many(12, "untestable", SILENT)}, "no check was executed"),
    "one cause": (
        {**RECORD, "checks": many(5, "untestable", SILENT)},
        "5 of 12 checks are red for one cause (Untestable: the gateway gave no answer within <n> s)",
    ),
    "one failure": ({**RECORD, "checks": many(11, "failed", "expected 200, got 503, {}")}, "11 of 12 checks"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_says_nothing_of_a_gateway_is_not_kept(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record, words = BROKEN[name]
    monkeypatch.setattr(products, "write_findings", lambda _: pytest.fail("it is kept"))
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["products", "--found", str(path), "gate", "1.0"])
    assert ended.value.code == EXIT_USAGE
    said = capsys.readouterr().err
    assert words in said
    assert f"{path}: nothing is kept of it: " in said


@pytest.mark.parametrize(
    "record", [RECORD, run_with(profile="release"), {**RECORD, "checks": many(4, "failed", "got {}")}]
)
def test_a_gateway_that_keeps_little_is_kept(record: dict[str, Any]) -> None:
    read = record_of(record)
    assert unfit(read, findings_in(read, "gate", "1.0")) == ""


def test_nothing_kept_is_red_for_one_cause_alone() -> None:
    record = record_of({**RECORD, "checks": []})
    for _, seen in all_findings():
        assert unfit(record, seen) == "", seen.name


def test_every_red_check_of_the_package_says_why_it_is_the_gateways() -> None:
    found = all_findings()
    assert found, OTHERS
    unsaid = [
        (seen.name, one.check) for about, seen in found for one in seen.red if not why(about, one.check)
    ]
    assert unsaid == []
