"""Start and end compared: a change voids, a silence is a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway_acceptance.fingerprint import NOT_ASKED, UNKNOWN, compared
from tests.unit.test_judge import PASSED, RELEASE, judged
from tests.unit.test_record import a_case

VERSION = {"gateway.version": "1.2.3", "host.MainPID": "77"}
NONE: list[str] = []


@pytest.mark.parametrize(
    ("start", "end", "changed", "unknown"),
    [
        (VERSION, dict(VERSION), NONE, NONE),
        (VERSION, VERSION | {"host.MainPID": "78"}, ["host.MainPID was 77, is 78"], NONE),
        ({}, VERSION, ["gateway.version was absent, is 1.2.3", "host.MainPID was absent, is 77"], NONE),
        ({"a": UNKNOWN}, {"a": f"{UNKNOWN} (refused)"}, NONE, NONE),
        ({"a": "1"}, {"a": UNKNOWN}, NONE, ["cannot be compared: a was 1, is no answer"]),
        ({"a": "1"}, {"a": NOT_ASKED}, NONE, NONE),
        ({"a": NOT_ASKED}, {"a": "1"}, ["a was not asked again, is 1"], NONE),
        ({"a": UNKNOWN}, {"a": "1"}, NONE, ["cannot be compared: a was no answer, is 1"]),
        (None, None, NONE, ["was not taken at the start"]),
        (VERSION, None, NONE, ["was not taken at the end"]),
    ],
)
def test_compared(start: Any, end: Any, changed: list[str], unknown: list[str]) -> None:
    found_changed, found_unknown = compared(start, end)
    assert found_changed == changed
    assert len(found_unknown) == len(unknown)
    assert all(part in found for part, found in zip(unknown, found_unknown, strict=True))


@pytest.mark.parametrize(("verdict", "code"), [("passed", 2), ("failed", 2), ("harness error", 3)])
def test_a_target_that_changed_voids_the_run(verdict: str, code: int) -> None:
    run = replace(RELEASE, fingerprint={"start": VERSION, "end": VERSION | {"host.MainPID": "78"}})
    found = judged(a_case("API-A-001", verdict), run=run)
    assert (found.state, found.exit_code) == ("VOID", code)
    assert found.headline == "the target changed during the run: host.MainPID was 77, is 78"


@pytest.mark.parametrize("end", [None, {"gateway.version": UNKNOWN, "host.MainPID": "77"}])
def test_a_target_that_fell_silent_is_not_ready(end: Any) -> None:
    found = judged(PASSED, run=replace(RELEASE, fingerprint={"start": VERSION, "end": end}))
    assert (found.state, found.exit_code) == ("NOT READY", 1)
    assert "fingerprint" in found.reasons[0]


@pytest.mark.parametrize(("elapsed", "state"), [(60, "READY"), (61.9, "READY"), (63, "VOID"), (50, "VOID")])
def test_a_clock_that_jumps_voids_the_run(elapsed: float, state: str) -> None:
    """The record says that a minute went by."""
    found = judged(PASSED, run=replace(RELEASE, elapsed_s=elapsed))
    assert (found.state, found.exit_code) == (state, 0 if state == "READY" else 2)
    assert state == "READY" or "the clock jumped during the run" in found.headline


@pytest.mark.parametrize(
    "fields",
    [
        {"started": "2026-05-31T23:59:57Z"},
        {"started": "2026-06-01T00:01:03Z"},
        {"started": "2027-06-01T00:00:03Z"},
        {"duration_s": -0.5},
    ],
)
def test_a_case_outside_of_its_run_voids_it(fields: dict[str, Any]) -> None:
    found = judged(a_case("API-A-001", **fields), run=RELEASE)
    assert (found.state, found.exit_code) == ("VOID", 2)
    assert "the clock jumped during the run: test[" in found.headline


def test_a_run_that_ends_before_it_began_is_void() -> None:
    found = judged(PASSED, run=replace(RELEASE, ended="2026-05-31T23:00:00Z"))
    assert found.state == "VOID"
    assert "the clock ran backwards" in found.headline
