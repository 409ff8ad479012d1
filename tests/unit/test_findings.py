"""What gateways of others showed: made of a record, told on their pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.cli.findings import OTHERS, all_findings, findings_in, write_findings
from gateway_acceptance.cli.product_pages import KEPT, NOT_KEPT, NOT_OFFERED, state_with, why
from gateway_acceptance.coverage_entry import Statement
from gateway_acceptance.usage import UsageProblem


def case(verdict: str, message: str = "") -> dict[str, str]:
    return {"verdict": verdict, "message": message}


def check(name: str, verdict: str, *cases: dict[str, str]) -> dict[str, Any]:
    return {"id": name, "title": "a title", "level": "MUST", "verdict": verdict, "cases": list(cases)}


RECORD = {
    "run": {"started": "2026-11-27T04:00:00.000Z"},
    "environment": {"backends": [], "models": [{"alias": "chatty", "upstream": None}]},
    "checks": [
        check("API-A-001", "failed", case("failed", "expected 401 of chatty, got 500"), case("passed")),
        check("API-A-002", "passed", case("passed")),
        check("API-A-003", "not applicable", case("not applicable")),
        check("API-A-004", "untestable", case("untestable", "Untestable: no usage")),
    ],
}


def test_what_is_red_is_kept_and_what_was_executed() -> None:
    found = findings_in(RECORD, "gate", "1.0")
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
    assert state_with(statement, findings_in(RECORD, "gate", "1.0")) == state


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = findings_in(RECORD, "gate", "1.0")
    write_findings(found, tmp_path)
    about = 'name="G"\nhome="h"\ninstalled="i"\nneeds="n"\nbehind="b"\nknow=["k"]\n[why]\n"API-*"="w"\n'
    (tmp_path / "gate" / "about.toml").write_text(about, encoding="utf-8")
    ((described, read),) = all_findings(tmp_path)
    assert read == found
    assert why(described, "API-A-001") == "w"
    (tmp_path / "gate" / "1.0.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageProblem, match="is no file of findings"):
        all_findings(tmp_path)


def test_every_red_check_of_the_package_says_why_it_is_the_gateways() -> None:
    found = all_findings()
    assert found, OTHERS
    unsaid = [
        (seen.name, one.check) for about, seen in found for one in seen.red if not why(about, one.check)
    ]
    assert unsaid == []
