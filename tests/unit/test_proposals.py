"""Candidates for waivers: they describe just what was seen, and no loader reads them as they are."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway_acceptance.deviations import Harm
from gateway_acceptance.proposals import candidates, pattern_of, proposal
from gateway_acceptance.record_model import Record
from gateway_acceptance.usage import UsageProblem
from gateway_acceptance.verdict import Verdict
from gateway_acceptance.waivers import load_waivers
from tests.unit.test_record import a_case, a_check, built

TODAY = date(2026, 6, 1)
HARMS = (
    Harm(("API-B-*",), "leaks"),
    Harm(("*",), "leaks", re.compile(r"^leak\.")),
)


def case(check: str, verdict: str, message: str, **parameters: str) -> dict[str, Any]:
    made = a_case(check, verdict, message=message, parameters={"environment": "mini", **parameters})
    return {**made, "nodeid": f"{check}[{parameters}]"}


def record(*cases: dict[str, Any]) -> Record:
    checks = sorted({one["check"] for one in cases})
    return built(list(cases), catalogue=[a_check(name) for name in checks])


@pytest.mark.parametrize(
    ("line", "fits", "fits_not"),
    [
        ("got 400: a.b (12 of 30)", "got 400: a.b (9 of 31)", "got 401: a.b (12 of 30)"),
        ("got 400: a.b", "got 400: a.b", "got 400: aXb"),
        ("asked http://127.0.0.9:4000/v1", "asked http://10.0.0.7:80/v1", "asked http://x/v1"),
        ("took 1.5 s", "took 12 s", "took long"),
        ("id chatcmpl-abc123 came twice", "id chatcmpl-zzz999 came twice", "id  came twice"),
        ("key [redacted:key] is shown", "key sk-1 is shown", "key is shown"),
        ("it says … (cut)", "it says more", "he says"),
        ("ends with [DONE]?", "ends with [DONE]?", "ends with D"),
    ],
)
def test_a_pattern_of_a_line(line: str, fits: str, fits_not: str) -> None:
    pattern = f"(?m)^{pattern_of(line)}"
    assert re.search(pattern, fits)
    assert not re.search(pattern, fits_not)


def test_what_tells_the_cases_apart() -> None:
    one = {"chat_model": "a"}
    found, _ = candidates(record(case("API-A-001", "failed", "x", **one)), HARMS)
    assert [entry.parameters for entry in found] == [{}]
    good = case("API-A-001", "passed", "", chat_model="b")
    found, _ = candidates(record(case("API-A-001", "failed", "x", **one), good), HARMS)
    assert [entry.parameters for entry in found] == [one]
    other = case("API-A-001", "failed", "x", chat_model="c")
    found, _ = candidates(record(case("API-A-001", "failed", "x", **one), other, good), HARMS)
    assert [entry.parameters for entry in found] == [one, {"chat_model": "c"}]


@pytest.mark.parametrize(
    ("check", "verdict", "message", "why"),
    [
        ("API-A-001", "harness error", "KeyError", "the suite's own fault"),
        ("API-A-001", "untestable", "Untestable: nothing judged: no chunk", "it had nothing to judge"),
        ("API-B-001", "untestable", "Untestable: no shell; give one", "it looks for what leaks"),
        ("API-B-001", "inconclusive", "3 of 9", "it looks for what leaks"),
    ],
)
def test_what_nobody_may_accept(check: str, verdict: str, message: str, why: str) -> None:
    found, refused = candidates(record(case(check, verdict, message)), HARMS)
    assert found == []
    assert why in refused[0]


def test_harm_is_told() -> None:
    (one,), _ = candidates(record(case("API-A-001", "failed", "leak.path: /etc")), HARMS)
    assert one.harm == "leaks"


def test_candidates_are_refused_until_a_person_completes_them(tmp_path: Path) -> None:
    seen = 'b: got 418, "it\'s"\na: got 400 after 3 s'
    text = proposal(
        (
            record(
                case("API-A-001", "failed", seen),
                case("API-A-002", "untestable", "Untestable: no GPU; give one"),
            )
        ),
        HARMS,
        TODAY,
    )
    path = tmp_path / "waivers.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageProblem) as problem:
        load_waivers(path, TODAY)
    assert "expires" in str(problem.value)
    assert "link" in str(problem.value)
    dated = re.sub(r'expires = "TODO[^"]*"', "expires = 2026-07-01", text)
    linked = re.sub(r'link = "TODO[^"]*"', 'link = "https://example.org"', dated)
    path.write_text(linked, encoding="utf-8")
    with pytest.raises(UsageProblem, match="is not complete"):
        load_waivers(path, TODAY)
    path.write_text(linked.replace("TODO: ", ""), encoding="utf-8")
    first, second = load_waivers(path, TODAY)
    assert (first.check, first.verdict, second.verdict) == ("API-A-001", "failed", Verdict.UNTESTABLE)
    assert all(first.covers(line) for line in seen.splitlines())
    assert not first.covers("c: got 500")
    assert second.covers("Untestable: no GPU; give one")
